"""E5, E6 and E9 as they happen: sold, collected, changed, renewed, ended; and the books hold."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

import vouchers.jobs
from kernel import outbox
from kernel.db import db
from kernel.transaction import transaction
from ledger.models import Entry, Line
from ledger.month import Month
from ledger.reports.roll_forward import roll_forward
from redemption.errors import InsufficientCups
from subs.service import change
from tests.club import Club
from tests.fakes import DECLINED
from tests.service.ledger.plain import balances
from tests.service.ledger.trade import fold_all
from vouchers import earning_jobs


def work(club: Club) -> None:
    """What the tick has done by now: days, ends, renewals, and what rooms tell each other."""
    earning_jobs.earn_days()
    vouchers.jobs.expire_due()
    club.renew()


def sums() -> Counter[tuple[str, str, str]]:
    """What was booked in all, by kind, debit and credit."""
    with transaction():
        rows = db.session.execute(
            select(Entry.kind, Line.debit, Line.credit, Line.amount).join(
                Line, (Line.member_id == Entry.member_id) & (Line.entry_id == Entry.id)
            )
        ).all()
    booked: Counter[tuple[str, str, str]] = Counter()
    for kind, debit, credit, amount in rows:
        booked[kind, debit, credit] += amount
    return booked


def test_e5_cups_of_a_plan(club):
    mine = club.subscribe()
    for store, cups in (("A", 4), ("B", 3)):
        club.world.take(club.world.add_till(store), club.member_id, cups, now=club.now)
    club.go_to(club.periods(mine)[0].ends_at)
    work(club)
    booked = sums()
    assert booked["redemption", "2132", "2171"] == 190 + 143
    assert booked["redemption", "1171", "4111"] == 190 + 143
    assert booked["lapse", "2132", "4113"] == 142
    assert booked["sale", "1111", "2132"] == 2 * 475
    old, new = club.lots()
    assert (old.is_open, new.units - new.used) == (False, 10)


def test_e5_to_the_dollar_in_the_books_of_each_store(club):
    mine = club.subscribe()
    for store, cups in (("A", 4), ("B", 3)):
        club.world.take(club.world.add_till(store), club.member_id, cups, now=club.now)
    club.cancel(mine)
    club.go_to(club.periods(mine)[0].ends_at)

    work(club)

    assert [balances(club.world.stores[store]) for store in "WAB"] == [
        {"1111": 499, "2171": -333, "2194": -24, "4113": -142},
        {"1171": 190, "4111": -190},
        {"1171": 143, "4111": -143},
    ]


def test_e6_from_the_sale_to_the_last_cup(club):
    club.add_plan("ten", every="day", every_count=30)
    club.add_plan("twenty", every="day", every_count=30, price=899, cups=20)
    mine = club.subscribe("ten")
    drink(club, 4)
    club.pass_time(days=15)

    change.change_plan(
        member_id=club.member_id,
        subscription_id=mine,
        offer_id=club.world.offers["twenty"][0],
        at="now",
        now=club.now,
    )
    assert held(club) == {"1111": 699, "2132": -475, "2194": -34, "4111": -190}
    drink(club, 9)
    assert held(club) == {"1111": 699, "2132": -86, "2194": -34, "4111": -190 - 389}
    club.cancel(mine)
    club.go_to(club.periods(mine)[0].ends_at)
    work(club)

    assert held(club) == {"1111": 699, "2194": -34, "4111": -579, "4113": -86}
    assert 190 + 389 + 86 == 475 + 190


def drink(club: Club, cups: int) -> None:
    """Collect cups one by one at the counter of the store that sold them."""
    till = club.world.add_till("W")
    for _ in range(cups):
        club.world.take(till, club.member_id, now=club.now)
        club.pass_time(seconds=20)


def held(club: Club) -> dict[str, int]:
    """What the accounts of the store that sold the plan hold."""
    return balances(club.world.stores["W"])


def test_e9_an_unlimited_plan(club):
    club.add_plan("unlimited", price=3000, cups=0, is_unlimited=True, cups_per_day=5)
    mine = club.subscribe("unlimited", price=3000)
    club.pass_time(days=10)
    work(club)
    taken = club.world.take(club.world.add_till("A"), club.member_id, 2, now=club.now)
    assert (taken.left, taken.is_unlimited) == (None, True)
    assert sums()["earning", "2132", "4111"] == (2 * 2857 * 10 + 31) // 62
    club.go_to(club.periods(mine)[0].ends_at)
    work(club)
    booked = sums()
    assert booked["earning", "2132", "4111"] == 2857
    assert booked["sale", "1111", "2132"] == 2 * 2857
    old, new = club.lots()
    assert (old.is_open, new.is_open, new.net_recognised) == (False, True, 0)
    assert not [key for key in booked if key[0] == "redemption"]


def test_e9_a_membership_that_is_not_renewed(club):
    club.add_plan("member", every="year", price=1350, cups=0)
    mine = club.subscribe("member", price=1350)
    club.cancel(mine)
    club.go_to(club.periods(mine)[0].ends_at)
    work(club)
    booked = sums()
    assert booked["earning", "2132", "4112"] == booked["sale", "1111", "2132"] == 1286
    assert club.subscription(mine).status == "cancelled"
    assert not club.lots()[0].is_open


def test_what_is_deferred_is_reported_without_cups(club):
    club.add_plan("unlimited", price=3000, cups=0, is_unlimited=True)
    club.subscribe("unlimited", price=3000)
    club.pass_time(days=10)
    work(club)
    fold_all()
    with transaction():
        report = roll_forward(Month.of(club.now.date()))
    (row,) = [row for row in report if row.sold]
    assert (row.sold, row.earned, row.closing) == (2857, 922, 2857 - 922)
    assert (row.cups_sold, row.cups_closing) == (0, 0)


def test_an_unlimited_plan_ends_for_who_cancels_it_at_once(club):
    club.add_plan("unlimited", price=3000, cups=0, is_unlimited=True, cancel_refund="prorated")
    mine = club.subscribe("unlimited", price=3000)
    club.pass_time(days=10)
    club.cancel(mine, at="now")
    outbox.drain()
    (lot,) = club.lots()
    assert (lot.is_open, lot.net_recognised) == (False, lot.net)
    with pytest.raises(InsufficientCups):
        club.world.take(
            club.world.add_till("A"), club.member_id, now=club.now + timedelta(minutes=1)
        )


def test_unlimited_cups_go_on_over_a_renewal_that_is_late(club):
    club.add_plan(
        "unlimited", price=3000, cups=0, is_unlimited=True, benefits_in_grace=True, grace_days=14
    )
    mine = club.subscribe("unlimited", price=3000)
    club.mend_cards(DECLINED)
    club.go_to(club.periods(mine)[0].ends_at)
    work(club)
    assert club.subscription(mine).status == "past_due"
    assert club.world.take(club.world.add_till("A"), club.member_id, now=club.now).cups == 1
    for days in (3, 6, 7):
        club.pass_time(days=days)
        work(club)
    assert club.subscription(mine).status == "lapsed"
    with pytest.raises(InsufficientCups):
        club.world.take(club.world.add_till("A"), club.member_id, now=club.now)
    work(club)
    assert sums()["earning", "2132", "4111"] == 2857
