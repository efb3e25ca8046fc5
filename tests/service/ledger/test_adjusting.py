"""What finance books by hand takes two people, balances, and stays out of closed months."""

from datetime import date

import pytest
from sqlalchemy import select, update

from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import NOBODY, new_id
from kernel.transaction import transaction
from ledger.errors import (
    AccountNotAdjustable,
    AccountUnknown,
    AdjustmentEnded,
    AdjustmentUnbalanced,
    PeriodClosed,
    PeriodInvalid,
    TwoPeople,
)
from ledger.models import Adjustment, Entry
from ledger.pairing import Leg
from ledger.policy import Pair
from ledger.service import adjusting
from tests.service.ledger.plain import FEBRUARY, JANUARY, balances, entries, noon, put
from tests.together import together
from tests.world import small_world

ALICE, BOB = new_id(), new_id()
LATER = noon(2, 3)


@pytest.fixture
def now():
    return noon(1, 5)


@pytest.fixture
def world(app, now):
    world = small_world(now)
    world.add_lot(world.add_member(), "eleven", net=952, vat=48)
    return world


def legs(world, *, debit="6221", credit="1111", amount=30, back=None):
    a = world.stores["A"]
    return [Leg(a, debit, "debit", amount), Leg(a, credit, "credit", back or amount)]


def propose(world, lines=None, *, book_date=date(2026, 1, 31)):
    with transaction():
        return adjusting.propose(
            book_date=book_date,
            currency="TWD",
            reason="the till was short",
            lines=lines or legs(world),
            by_id=ALICE,
            now=LATER,
        ).id


def approve(adjustment_id, *, by_id=BOB):
    with transaction():
        return adjusting.approve(adjustment_id=adjustment_id, by_id=by_id, now=LATER)


def reject(adjustment_id):
    with transaction():
        return adjusting.reject(adjustment_id=adjustment_id, by_id=BOB, now=LATER)


def test_a_proposal_books_nothing(world):
    proposed_id = propose(world)
    assert entries("adjustment") == []
    with transaction():
        (waiting,) = adjusting.list_adjustments(is_waiting=True, limit=9)
    assert waiting.adjustment.id == proposed_id
    assert waiting.pairs == [Pair(world.stores["A"], "6221", "1111", 30)]


def test_what_another_approves_is_booked_on_the_day_given(world):
    approved = approve(propose(world))
    assert entries("adjustment") == [("2026-01-31", "2026-01-31", "6221", "1111", 30)]
    held = balances(world.stores["A"])
    assert (held["6221"], held["1111"]) == (30, 970)
    with transaction():
        entry = db.session.scalars(select(Entry).where(Entry.kind == "adjustment")).one()
        assert adjusting.list_adjustments(is_waiting=True, limit=9) == []
        kept = adjusting.get(approved.id).adjustment
    assert (entry.member_id, entry.source_id, entry.id) == (NOBODY, approved.id, kept.entry_id)
    assert (kept.approved_by_id, kept.approved_at) == (BOB, LATER)


def test_nobody_approves_their_own(world):
    proposed_id = propose(world)
    with pytest.raises(TwoPeople):
        approve(proposed_id, by_id=ALICE)
    assert entries("adjustment") == []


def test_the_database_itself_asks_for_two_people(world):
    proposed_id = propose(world)
    own = update(Adjustment).where(Adjustment.id == proposed_id)
    approved = own.values(approved_by_id=ALICE, approved_at=LATER, entry_id=new_id())
    with pytest.raises(TwoPeople), transaction():
        db.session.execute(approved)


def test_what_is_rejected_is_not_booked(world):
    rejected = reject(propose(world))
    assert (rejected.rejected_by_id, rejected.rejected_at) == (BOB, LATER)
    assert entries("adjustment") == []


@pytest.mark.parametrize("first", [approve, reject])
@pytest.mark.parametrize("second", [approve, reject])
def test_it_ends_once(world, first, second):
    proposed_id = propose(world)
    first(proposed_id)
    with pytest.raises(AdjustmentEnded):
        second(proposed_id)


def test_two_who_approve_at_once_book_once(world, app):
    proposed_id = propose(world)

    def one():
        return adjusting.approve(adjustment_id=proposed_id, by_id=BOB, now=LATER)

    answers = together(app, [one] * 4)
    assert sum(isinstance(answer, AdjustmentEnded) for answer in answers) == 3
    assert len(entries("adjustment")) == 1


def test_an_unknown_account_is_refused(world):
    with pytest.raises(AccountUnknown) as refusal:
        propose(world, legs(world, debit="9999"))
    assert refusal.value.facts == {"account": "9999"}


def test_legs_that_do_not_balance_are_refused_and_nothing_is_kept(world):
    with pytest.raises(AdjustmentUnbalanced):
        propose(world, legs(world, back=31))
    with transaction():
        assert adjusting.list_adjustments(limit=9) == []


def test_what_shoppers_are_owed_is_not_adjusted(world):
    with pytest.raises(AccountNotAdjustable):
        propose(world, legs(world, debit="2131"))


@pytest.mark.parametrize("strange", ["store", "counterpart"])
def test_a_store_that_is_not_there_is_refused(world, strange):
    a, nowhere = world.stores["A"], new_id()
    lines = legs(world)
    if strange == "store":
        lines = [Leg(nowhere, leg.account, leg.side, leg.amount) for leg in lines]
    else:
        lines[0] = Leg(a, "6221", "debit", 30, counterpart_store_id=nowhere)
    with pytest.raises(NotFound):
        propose(world, lines)


def test_a_debt_between_stores_changes_in_both_books(world):
    a, b = world.stores["A"], world.stores["B"]
    lines = [
        Leg(a, "6221", "debit", 9),
        Leg(a, "2171", "credit", 9, counterpart_store_id=b),
        Leg(b, "1171", "debit", 9, counterpart_store_id=a),
        Leg(b, "4114", "credit", 9),
    ]
    approve(propose(world, lines))
    assert (balances(a)["2171"], balances(b)["1171"]) == (-9, 9)


def test_a_soft_month_takes_it(world):
    put(JANUARY, "soft")
    approve(propose(world))
    assert entries("adjustment") == [("2026-01-31", "2026-01-31", "6221", "1111", 30)]


def test_a_closed_month_takes_no_proposal(world):
    put(JANUARY, "closed")
    with pytest.raises(PeriodClosed):
        propose(world)


def test_a_month_that_was_closed_meanwhile_takes_no_approval(world):
    proposed_id = propose(world)
    put(JANUARY, "closed")
    with pytest.raises(PeriodClosed):
        approve(proposed_id)
    assert entries("adjustment") == []


def test_a_month_before_a_closed_one_takes_nothing(world):
    put(FEBRUARY, "closed")
    with pytest.raises(PeriodClosed):
        propose(world)


@pytest.mark.parametrize("book_date", [date(2026, 3, 1), date(2025, 12, 31), date(206, 1, 31)])
def test_a_month_to_come_or_before_the_books_takes_nothing(world, book_date):
    with pytest.raises(PeriodInvalid):
        propose(world, book_date=book_date)


def test_books_begin_no_earlier_than_the_month_before(app, now):
    world = small_world(now)
    for book_date in (date(2025, 12, 31), date(206, 1, 31)):
        with pytest.raises(PeriodInvalid):
            propose(world, book_date=book_date)
    assert approve(propose(world, book_date=date(2026, 1, 1))).entry_id is not None


def test_what_is_not_there_cannot_be_approved_rejected_or_read(world):
    with pytest.raises(NotFound):
        approve(new_id())
    with pytest.raises(NotFound):
        reject(new_id())
    with pytest.raises(NotFound), transaction():
        adjusting.get(new_id())


def test_adjustments_are_listed_in_pages(world):
    ids = [propose(world) for _ in range(3)]
    with transaction():
        first = [one.adjustment.id for one in adjusting.list_adjustments(limit=2)]
        rest = [one.adjustment.id for one in adjusting.list_adjustments(after=first[-1], limit=2)]
    assert first + rest == ids
