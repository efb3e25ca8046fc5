"""The latest closed month reopens, by two people with a reason, as a new version."""

from datetime import date

import pytest
from sqlalchemy import select, text

from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger.errors import (
    PeriodOrder,
    PeriodState,
    ReopeningEnded,
    ReopeningExists,
    ReopeningOrder,
    TwoPeople,
)
from ledger.models import BookMonth, BookMonthStep, Reopening
from ledger.pairing import Leg
from ledger.service import adjusting, reopening
from ledger.service.balances import digest
from tests.service.ledger.plain import FEBRUARY, JANUARY, after, entries, noon
from tests.service.ledger.test_closing import ask, close, closing, open_again, soften, state
from tests.together import together
from tests.world import small_world

ALICE, BOB = new_id(), new_id()
LATER = noon(2, 20)

_BALANCES = text("""
SELECT account, balance FROM month_balance
WHERE first_on = :first_on AND version = :version ORDER BY account
""")


@pytest.fixture
def now():
    return noon(1, 5)


@pytest.fixture
def world(app, now):
    """A sold eleven cups in January, which is closed."""
    world = small_world(now)
    world.add_lot(world.add_member(), "eleven", net=952, vat=48)
    close(JANUARY)
    return world


def propose(month=JANUARY, *, reason="the till of the 9th was forgotten"):
    with transaction():
        return reopening.propose(month=month, reason=reason, by_id=ALICE, now=LATER).id


def approve(reopening_id, *, by_id=BOB):
    with transaction():
        return reopening.approve(reopening_id=reopening_id, by_id=by_id, now=LATER)


def adjust(world):
    a = world.stores["A"]
    legs = [Leg(a, "6221", "debit", 30), Leg(a, "1111", "credit", 30)]
    with transaction():
        proposed = adjusting.propose(
            book_date=date(2026, 1, 9),
            currency="TWD",
            reason="the till of the 9th",
            lines=legs,
            by_id=ALICE,
            now=LATER,
        )
        adjusting.approve(adjustment_id=proposed.id, by_id=BOB, now=LATER)


def held(version):
    with transaction():
        asked = {"first_on": JANUARY.first_on, "version": version}
        return dict(tuple(row) for row in db.session.execute(_BALANCES, asked))


def test_a_proposal_changes_nothing(world):
    propose()
    assert state(JANUARY) == ("closed", 1)
    with transaction():
        (listed,) = reopening.list_reopenings()
    assert (listed.reason, listed.proposed_by_id) == ("the till of the 9th was forgotten", ALICE)


def test_what_another_approves_is_soft_again_as_the_next_version(world):
    approved = approve(propose())
    assert state(JANUARY) == ("soft", 2)
    assert (approved.approved_by_id, approved.approved_at) == (BOB, LATER)
    with transaction():
        last = db.session.scalars(
            select(BookMonthStep).order_by(BookMonthStep.id.desc()).limit(1)
        ).one()
    assert (last.step, last.version, last.by_id) == ("reopened", 2, BOB)


def test_nobody_approves_their_own(world):
    proposed_id = propose()
    with pytest.raises(TwoPeople):
        approve(proposed_id, by_id=ALICE)
    assert state(JANUARY) == ("closed", 1)


def test_closing_again_makes_a_new_version_and_keeps_the_old_one(world):
    with transaction():
        first = digest(JANUARY, 1)
    approve(propose())
    adjust(world)
    ask(JANUARY)
    closing.close_asked(now=LATER)
    assert state(JANUARY) == ("closed", 2)
    assert entries("adjustment") == [("2026-01-09", "2026-01-09", "6221", "1111", 30)]
    assert (held(1)["1111"], held(2)["1111"]) == (-1_000, -970)
    assert ("6221" in held(1), held(2)["6221"]) == (False, -30)
    with transaction():
        assert digest(JANUARY, 1) == first
        assert db.session.get_one(BookMonth, JANUARY.first_on).digest == digest(JANUARY, 2) != first


def test_closing_again_without_a_change_says_the_same(world):
    approve(propose())
    ask(JANUARY)
    closing.close_asked(now=LATER)
    with transaction():
        assert digest(JANUARY, 1) == digest(JANUARY, 2)


def test_the_shops_stay_out_of_a_reopened_month(world):
    approve(propose())
    world.add_lot(world.add_member(), "eleven", net=952, vat=48, sold_at=noon(1, 30))
    assert entries("sale")[-1][:2] == ("2026-01-30", "2026-02-01")
    with pytest.raises(PeriodState) as refusal:
        open_again(JANUARY)
    assert refusal.value.facts == {"state": "soft", "version": 2}


@pytest.mark.parametrize("month", [FEBRUARY, JANUARY.before()])
def test_only_a_closed_month_reopens(world, month):
    with pytest.raises(PeriodState):
        propose(month)


def test_only_the_latest_closed_month_reopens(world):
    close(FEBRUARY)
    with pytest.raises(ReopeningOrder) as refusal:
        propose(JANUARY)
    assert refusal.value.facts == {"latest": "2026-02"}


def test_a_proposal_waits_in_vain_once_a_later_month_is_closed(world):
    proposed_id = propose()
    close(FEBRUARY)
    with pytest.raises(ReopeningOrder):
        approve(proposed_id)


def test_a_later_month_that_is_soft_waits_for_the_reopened_one(world):
    soften(FEBRUARY)
    approve(propose())
    with pytest.raises(PeriodOrder) as refusal:
        ask(FEBRUARY)
    assert refusal.value.facts == {"next": "2026-01"}


def test_a_later_month_that_was_asked_for_is_not_closed_before_the_reopened_one(world):
    soften(FEBRUARY)
    ask(FEBRUARY)
    approve(propose())
    closing.close_asked(now=after(FEBRUARY))
    assert state(FEBRUARY) == ("soft", 1)
    with transaction():
        problem = db.session.get_one(BookMonth, FEBRUARY.first_on).problem
    assert problem == "period-out-of-order {'next': '2026-01'}"


def test_a_version_is_proposed_once_and_the_next_one_again(world):
    first = propose()
    with pytest.raises(ReopeningExists):
        propose()
    approve(first)
    ask(JANUARY)
    closing.close_asked(now=LATER)
    assert approve(propose()).version == 2


def test_a_proposal_is_approved_once(world):
    proposed_id = propose()
    approve(proposed_id)
    with pytest.raises(ReopeningEnded):
        approve(proposed_id)


def test_two_who_approve_at_once_reopen_once(world, app):
    proposed_id = propose()

    def one():
        return reopening.approve(reopening_id=proposed_id, by_id=BOB, now=LATER)

    answers = together(app, [one] * 4)
    assert sum(isinstance(answer, Reopening) for answer in answers) == 1
    assert state(JANUARY) == ("soft", 2)


def test_what_was_not_proposed_cannot_be_approved(world):
    with pytest.raises(NotFound):
        approve(new_id())
