"""Who cancels at once gets back the part of the period that is left, where the terms say so."""

from uuid import UUID

import pytest
from sqlalchemy import select, update

from kernel.db import db
from kernel.transaction import transaction
from payments import repaying
from subs.service import change
from subs.service.giving_back import give_back_rest
from subs.service.rows import lock
from tests.club import Club
from tests.service.ledger.plain import balances
from vouchers import refund_jobs
from vouchers.models import Lot, OrderItem, Refund, RefundLine


@pytest.fixture
def fair(club: Club) -> Club:
    """Plans of thirty days whose rest comes back."""
    terms = {"every": "day", "every_count": 30, "cancel_refund": "prorated"}
    club.add_plan("ten", **terms)
    club.add_plan("twenty", price=899, cups=20, **terms)
    club.add_plan("unlimited", price=1499, cups=0, is_unlimited=True, **terms)
    return club


def drink(club: Club, cups: int) -> None:
    till = club.world.add_till("A")
    for _ in range(cups):
        club.world.take(till, club.member_id, now=club.now)
        club.pass_time(seconds=20)


def given_back(club: Club, mine: UUID) -> int:
    with transaction():
        return give_back_rest(lock(mine), now=club.now)


def lines() -> list[tuple[int, int, int]]:
    with transaction():
        found = db.session.scalars(select(RefundLine).order_by(RefundLine.ordinal))
        return [(one.cups, one.net, one.vat) for one in found]


def test_half_of_the_days_bring_back_half_of_the_price(fair: Club):
    mine = fair.subscribe("ten")
    fair.pass_time(days=15)

    assert given_back(fair, mine) == 250

    (lot,) = fair.lots()
    assert (lot.is_open, lot.used) == (False, 10)
    assert lines() == [(5, 238, 12)]
    assert balances(fair.world.stores["W"])["4113"] == -237
    assert balances(fair.world.stores["W"])["2133"] == -250


def test_the_money_reaches_the_payer(fair: Club):
    mine = fair.subscribe("ten")
    fair.go_to(fair.periods(mine)[0].ends_at)
    fair.renew()
    given_back(fair, mine)

    repaying.repay_due()
    with transaction():
        refund = db.session.scalars(select(Refund)).one()
        refund_jobs.on_repaid(purpose_id=str(refund.id), now=fair.now)
    with transaction():
        refund = db.session.scalars(select(Refund)).one()
        assert fair.bank.given_back != []
        assert (refund.status, refund.payable, refund.payer_id) == ("paid", 499, fair.member_id)


def test_no_more_comes_back_than_what_is_left_carries(fair: Club):
    mine = fair.subscribe("ten")
    drink(fair, 8)
    fair.pass_time(days=3)

    assert given_back(fair, mine) == 95 + 5

    assert lines() == [(2, 95, 5)]


def test_when_all_is_used_nothing_comes_back(fair: Club):
    mine = fair.subscribe("ten")
    drink(fair, 10)

    assert given_back(fair, mine) == 0


def test_of_what_nobody_counts_the_days_that_are_left_come_back(fair: Club):
    mine = fair.subscribe("unlimited", price=1499)
    fair.pass_time(days=15)

    assert given_back(fair, mine) == 1499 - 750

    (lot,) = fair.lots()
    assert not lot.is_open
    assert balances(fair.world.stores["W"])["4111"] == -714


def test_who_has_collected_cups_today_keeps_none_of_the_days_money(fair: Club):
    mine = fair.subscribe("unlimited", price=1499)
    drink(fair, 3)

    assert given_back(fair, mine) == 1499 - 50

    (lot,) = fair.lots()
    assert not lot.is_open
    assert balances(fair.world.stores["W"])["4111"] == -48


def test_by_terms_that_give_nothing_back_the_cups_stay(fair: Club):
    mine = fair.subscribe()

    assert given_back(fair, mine) == 0

    assert [lot.is_open for lot in fair.lots()] == [True]


def test_a_trial_brings_nothing_back_and_keeps_its_cups(fair: Club):
    fair.add_plan("trial", trial_days=7, trial_cups=2, first_price=0, cancel_refund="prorated")
    mine = fair.subscribe("trial", price=0)

    assert given_back(fair, mine) == 0

    assert [lot.is_open for lot in fair.lots()] == [True]


def test_a_renewal_comes_back_by_its_own_payment(fair: Club):
    mine = fair.subscribe("ten")
    fair.go_to(fair.periods(mine)[0].ends_at)
    fair.renew()
    fair.pass_time(days=10)

    assert given_back(fair, mine) == 333

    with transaction():
        refund = db.session.scalars(select(Refund)).one()
    assert (refund.purpose, refund.purpose_id) == (
        "subscription_period",
        fair.periods(mine)[1].id,
    )


def test_after_a_change_both_payments_give_back_what_the_new_plan_has_left(fair: Club):
    mine = fair.subscribe("ten")
    fair.pass_time(days=15)
    change.change_plan(
        member_id=fair.member_id,
        subscription_id=mine,
        offer_id=fair.world.offers["twenty"][0],
        at="now",
        now=fair.now,
    )

    assert given_back(fair, mine) == 450

    with transaction():
        found = db.session.scalars(select(Refund).order_by(Refund.id))
        assert [(one.purpose, one.payable) for one in found] == [
            ("plan_change", 200),
            ("voucher_order", 250),
        ]


def test_what_a_bank_holds_back_is_not_given_back_as_well(fair: Club):
    mine = fair.subscribe("ten")
    with transaction():
        db.session.execute(update(Lot).values(frozen_at=fair.now))

    assert given_back(fair, mine) == 0


def test_cancelling_at_once_says_what_comes_back(fair: Club):
    mine = fair.subscribe("ten")
    fair.pass_time(days=15)

    fair.cancel(mine, at="now")

    assert fair.subscription(mine).status == "cancelled"
    assert [lot.is_open for lot in fair.lots()] == [False]
    assert fair.notices() == ["subscription.ended_with_refund"]


def test_what_somebody_gave_does_not_become_money(fair: Club):
    mine = fair.subscribe("ten")
    with transaction():
        db.session.scalars(select(OrderItem)).one().gift_periods = 3

    assert given_back(fair, mine) == 0

    assert [lot.is_open for lot in fair.lots()] == [True]
