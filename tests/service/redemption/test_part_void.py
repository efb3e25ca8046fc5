"""Some cups of a redemption are undone: they and their money go back exactly, the rest stays."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

import redemption
import redemption.jobs  # its subscriber registers itself
from invoicing.models import Invoice, InvoiceDocument
from kernel import outbox
from kernel.db import db
from kernel.errors import Refusal
from kernel.transaction import transaction
from ledger.models import Entry
from ledger.month import Month
from ledger.reports import roll_forward, settlement_statement
from ledger.service import closing
from redemption.errors import AlreadyVoided, LimitReached, NotSoManyTaken
from redemption.history import list_history
from redemption.models import Redemption, Void
from tests.service.redemption.tills import price, rows, sums
from tests.world import only
from vouchers import jobs
from vouchers.models import Lot

pytestmark = pytest.mark.usefixtures("books_hold")


@pytest.fixture
def taken(world):
    """Three cups of Alice's eleven, sold at A, taken at B."""
    till, alice = world.add_till("B"), world.add_member()
    world.add_lot(alice, "eleven", store="A")
    return till, alice, world.take(till, alice, 3)


def undo(till, redeemed, cups, *, now, world, reason=None):
    with transaction():
        return redemption.void(
            redemption_id=UUID(redeemed.id),
            store_id=till.store_id,
            staff_id=till.staff_id,
            role="clerk",
            items={world.products["latte"]: cups},
            reason=reason,
            now=now,
        )


def close(month: Month, *, now) -> None:
    with transaction():
        closing.soft_close(month=month, by_id=UUID(int=7), now=now)
    with transaction():
        closing.ask_to_close(month=month, by_id=UUID(int=7), now=now)
    closing.close_asked(now=now)


def money(lot: Lot) -> tuple[int, int, int]:
    return lot.used, lot.net_recognised, lot.vat_gone


def test_one_of_three_goes_back_with_its_money_and_two_stay_booked(taken, world, now):
    till, _, redeemed = taken
    undo(till, redeemed, 1, now=now, world=world)
    assert money(only(Lot)) == (2, 87, 5)
    found = only(Redemption)
    assert (found.cups, found.cups_voided, found.voided_at) == (3, 1, None)
    assert sums() == {
        "1111": 500,
        "1171": 87,
        "2131": -476 + 87,
        "2171": -87,
        "2194": -24,
        "4111": -87,
    }


def test_one_after_the_other_they_give_back_what_all_at_once_would(taken, world, now):
    till, _, redeemed = taken
    for _ in range(3):
        undo(till, redeemed, 1, now=now, world=world)
    assert money(only(Lot)) == (0, 0, 0)
    assert only(Redemption).voided_at == now
    assert sums() == {"1111": 500, "2131": -476, "2194": -24}
    with pytest.raises(AlreadyVoided):
        undo(till, redeemed, 1, now=now, world=world)


def test_each_part_is_noted_with_who_and_why(taken, world, now):
    till, _, redeemed = taken
    undo(till, redeemed, 2, now=now, world=world, reason="spilt")
    noted = only(Void)
    assert (noted.cups, noted.staff_id, noted.store_id) == (2, till.staff_id, till.store_id)
    assert (noted.reason, noted.voided_at, noted.approved_by_id) == ("spilt", now, None)


def test_more_than_were_taken_are_refused_and_nothing_moves(taken, world, now):
    till, _, redeemed = taken
    with pytest.raises(NotSoManyTaken) as refusal:
        undo(till, redeemed, 4, now=now, world=world)
    assert refusal.value.facts == {"taken": 3, "wanted": 4}
    assert money(only(Lot)) == (3, 130, 7)


def test_eight_clerks_at_once_undo_no_cup_twice(app, taken, world, now):
    till, _, redeemed = taken

    def one(_number):
        with app.app_context():
            try:
                undo(till, redeemed, 1, now=now, world=world)
            except Refusal as refusal:
                return refusal.code
            return "voided"

    with ThreadPoolExecutor(8) as clerks:
        outcomes = sorted(clerks.map(one, range(8)))
    assert outcomes == ["already-voided"] * 5 + ["voided"] * 3
    assert money(only(Lot)) == (0, 0, 0)


def test_a_cup_that_went_back_no_longer_counts_for_the_days_limit(world, now):
    till, alice = world.add_till("A"), world.add_member()
    world.add_offer("daily", cups_per_day=3)
    world.add_lot(alice, "daily")
    redeemed = world.take(till, alice, 3)
    with pytest.raises(LimitReached):
        world.take(till, alice, 1)
    undo(till, redeemed, 1, now=now, world=world)
    world.take(till, alice, 1)
    with pytest.raises(LimitReached):
        world.take(till, alice, 1)


def test_of_two_lots_the_one_that_ends_later_gets_its_cup_back(world, now):
    till, alice = world.add_till("A"), world.add_member()
    soon = world.add_lot(alice, "eleven", units=1, net=43, vat=2, ends_at=now + timedelta(days=1))
    late = world.add_lot(alice, "eleven")
    redeemed = world.take(till, alice, 2)
    undo(till, redeemed, 1, now=now, world=world)
    assert {lot.id: lot.used for lot in rows(Lot)} == {soon: 1, late: 0}


def test_a_lot_that_has_lapsed_meanwhile_takes_its_cup_back_and_lapses_again(world, now):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven", ends_at=now + timedelta(minutes=1))
    redeemed = world.take(till, alice, 3)
    jobs.expire_due()
    undo(till, redeemed, 1, now=now + timedelta(minutes=2), world=world)
    assert only(Lot).used == 10
    jobs.expire_due()
    assert money(only(Lot)) == (11, 476, 24)
    assert sums() == {"1111": 500, "2194": -24, "4111": -87, "4113": -389}


def test_a_part_of_a_closed_month_is_booked_today_and_the_month_stays_as_it_was(taken, world, now):
    till, _, redeemed = taken
    later = now + timedelta(days=31)
    close(Month.of(now.date()), now=later)
    with transaction():
        asked = redemption.ask_late_void(
            redemption_id=UUID(redeemed.id),
            items={world.products["latte"]: 1},
            reason="counted twice",
            asked_by_id=till.staff_id,
            now=later,
        )
    second = world.add_till("A", role="manager").staff_id
    with transaction():
        redemption.approve_late_void(late_void_id=asked.id, approved_by_id=second, now=later)
    booked = db.session.execute(
        select(Entry.kind, Entry.book_date, Entry.occurred_on).order_by(Entry.id)
    ).all()
    assert [(row.kind, row.book_date > row.occurred_on) for row in booked] == [
        ("sale", False),
        ("redemption", False),
        ("void", True),
        ("rest", True),
    ]
    assert money(only(Lot)) == (2, 87, 5)


@pytest.fixture
def star_card(world, now):
    """A cup that covers 100 and may be topped up; the latte costs 120 today."""
    world.till, world.alice = world.add_till("A"), world.add_member()
    world.add_offer("stars", covers_up_to=100, allows_top_up=True)
    world.add_lot(world.alice, "stars")
    price(world.products["latte"], 120)
    return world


def test_the_top_up_of_a_cup_goes_back_with_it_and_its_invoice_in_part(star_card, now):
    redeemed = star_card.take(star_card.till, star_card.alice, 2, top_up=40)
    outbox.drain()
    undo(star_card.till, redeemed, 1, now=now, world=star_card)
    (invoice,) = rows(Invoice)
    assert (invoice.gross, invoice.taken_back_gross, invoice.taken_back_vat) == (40, 20, 1)
    undo(star_card.till, redeemed, 1, now=now, world=star_card)
    (invoice,) = rows(Invoice)
    assert (invoice.taken_back_gross, invoice.taken_back_vat) == (40, invoice.vat)
    assert sums() == {"1111": 500, "2131": -476, "2194": -24}


def test_of_what_was_undone_before_its_invoice_nothing_is_invoiced(star_card, now):
    redeemed = star_card.take(star_card.till, star_card.alice, 2, top_up=40)
    undo(star_card.till, redeemed, 1, now=now, world=star_card)
    outbox.drain()
    (invoice,) = rows(Invoice)
    assert (invoice.gross, invoice.net, invoice.vat) == (20, 19, 1)
    assert [one.kind for one in rows(InvoiceDocument)] == ["issue"]


def test_cups_of_a_cash_value_voucher_go_back_with_the_vat_of_their_sale(world, now):
    till, alice = world.add_till("A"), world.add_member()
    world.add_offer("cash", vat_timing="redemption")
    world.add_lot(alice, "cash", net=500, vat=0)
    redeemed = world.take(till, alice, 3)
    outbox.drain()
    undo(till, redeemed, 1, now=now, world=world)
    (invoice,) = rows(Invoice)
    before = (invoice.taken_back_gross, invoice.taken_back_vat)
    undo(till, redeemed, 2, now=now, world=world)
    (invoice,) = rows(Invoice)
    assert before[0] > 0
    assert (invoice.taken_back_gross, invoice.taken_back_vat) == (invoice.gross, invoice.vat)
    assert sums() == {"1111": 500, "2131": -500}


def test_cups_that_nobody_counts_go_back_without_an_entry(world, now):
    till, alice = world.add_till("A"), world.add_member()
    world.add_offer("endless", kind="plan", is_unlimited=True, cups=0, cups_per_day=3, bonus_cups=0)
    world.add_days(alice, "endless", net=475, vat=24)
    redeemed = world.take(till, alice, 3)
    undo(till, redeemed, 1, now=now, world=world)
    assert (only(Redemption).cups_voided, only(Void).entry_id) == (1, None)
    world.take(till, alice, 1)
    with pytest.raises(LimitReached):
        world.take(till, alice, 1)


def test_of_an_unlimited_plan_and_a_pack_the_pack_gets_its_cup_back(world, now):
    """The plan's burned first, though it ends later."""
    till, alice = world.add_till("A"), world.add_member()
    world.add_offer("endless", kind="plan", is_unlimited=True, cups=0, cups_per_day=1, bonus_cups=0)
    world.add_days(alice, "endless", net=475, vat=24)
    pack = world.add_lot(alice, "eleven", ends_at=now + timedelta(days=9))
    redeemed = world.take(till, alice, 2)
    assert {lot.id: lot.used for lot in rows(Lot)}[pack] == 1
    undo(till, redeemed, 1, now=now, world=world)
    assert {lot.id: lot.used for lot in rows(Lot)}[pack] == 0


def test_reports_count_what_was_handed_over_once_and_what_was_undone_of_it_once(taken, world, now):
    """Three cups carry 130, one of them 43: as many were owed and voided, nothing twice."""
    till, _, redeemed = taken
    undo(till, redeemed, 1, now=now, world=world)
    undo(till, redeemed, 1, now=now, world=world)
    month = Month.of(now.date())
    (row,) = roll_forward(month)
    (owed,) = settlement_statement(month, store_id=world.stores["A"])
    assert (row.cups_redeemed, row.cups_voided, row.redeemed - row.voided) == (3, 2, 43)
    assert (row.redeemed, row.voided) == (130, 87)
    assert (owed.owed, owed.voided, owed.closing, owed.cups) == (130, 87, 43, 1)


def test_the_wallet_s_history_tells_what_a_void_gave_back_and_no_more(taken, world, now):
    till, alice, redeemed = taken
    undo(till, redeemed, 1, now=now, world=world)
    world.take(till, alice)
    undo(till, redeemed, 1, now=now, world=world)
    expected = [("void", 1, 9), ("redemption", -1, 8), ("void", 1, 9), ("redemption", -3, 8),
                ("sale", 11, 11)]  # fmt: skip
    assert told(alice, limit=10) == expected
    assert told(alice, limit=1) == expected


def test_where_all_that_was_counted_is_undone_the_history_tells_the_rest_once(world, now):
    till, alice = world.add_till("A"), world.add_member()
    world.add_offer("endless", kind="plan", is_unlimited=True, cups=0, cups_per_day=1, bonus_cups=0)
    world.add_days(alice, "endless", net=475, vat=24)
    world.add_lot(alice, "eleven")
    redeemed = world.take(till, alice, 2)
    undo(till, redeemed, 1, now=now, world=world)
    with transaction():
        stories = list_history(member_id=alice, limit=10, after=None)
    assert [(one.kind, one.cups, one.uncounted) for one in stories[:2]] == [
        ("void", 1, 0),
        ("redemption", -1, 1),
    ]
    assert [one.kind for one in stories[2:]] == ["sale", "sale"]


def told(alice, *, limit):
    """A wallet's history, page by page: kind, cups, and how many were left."""
    pages, after = [], None
    with transaction():
        while page := list_history(member_id=alice, limit=limit, after=after):
            pages += [(one.kind, one.cups, one.left) for one in page]
            after = page[-1].place
    return pages
