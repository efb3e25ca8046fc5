"""A month is closed in order, once it is over, with everything in it; and then it stands still."""

from contextlib import contextmanager
from datetime import date, timedelta

import psycopg
import pytest
from sqlalchemy import event, select, update

from kernel.db import db
from kernel.due import is_due
from kernel.errors import Unavailable
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger import Event, policy, post, reverse
from ledger.errors import PeriodNotOver, PeriodOrder, PeriodState
from ledger.models import BookMonth, BookMonthStep, MonthBalance, RollupMonth, Unfolded
from ledger.proof import check_all_of
from ledger.service import closing, estimating
from ledger.service.balances import digest
from tests.fakes import Crash
from tests.service.ledger.plain import (
    APRIL,
    FEBRUARY,
    JANUARY,
    MARCH,
    after,
    balances,
    entries,
    noon,
    put,
)
from tests.world import small_world
from vouchers.service.expiry import expire_some

ALICE = new_id()


@pytest.fixture
def now():
    return noon(1, 5)


@pytest.fixture
def world(app, now):
    """A sold eleven cups on 5 January; three were collected at A and two at B that month."""
    world = small_world(now)
    world.add_offer("ending", expiry_mode="lapse", price=1000)
    alice = world.add_member()
    world.add_lot(alice, "eleven", net=952, vat=48)
    world.take(world.add_till("A"), alice, 3, now=noon(1, 10))
    world.take(world.add_till("B"), alice, 2, now=noon(1, 20))
    return world


def soften(month, *, now=None):
    with transaction():
        closing.soft_close(month=month, by_id=ALICE, now=now or after(month))


def ask(month, *, now=None):
    with transaction():
        closing.ask_to_close(month=month, by_id=ALICE, now=now or after(month))


def close(month, *, now=None):
    soften(month, now=now)
    ask(month, now=now)
    closing.close_asked(now=now or after(month))


def open_again(month):
    with transaction():
        closing.open_again(month=month, by_id=ALICE, now=after(month))


def state(month):
    with transaction():
        row = db.session.get(BookMonth, month.first_on)
        return (row.state, row.version) if row else None


def problem_of(month):
    with transaction():
        return db.session.get_one(BookMonth, month.first_on).problem


def steps():
    with transaction():
        taken = select(BookMonthStep).order_by(BookMonthStep.id)
        return [(step.step, step.version, step.by_id) for step in db.session.scalars(taken)]


def test_a_month_becomes_soft_and_then_closed(world):
    soften(JANUARY)
    assert state(JANUARY) == ("soft", 1)
    ask(JANUARY)
    closing.close_asked(now=after(JANUARY))
    assert state(JANUARY) == ("closed", 1)
    assert steps() == [("soft_closed", 1, ALICE), ("closed", 1, ALICE)]


def test_closing_writes_the_balances_and_a_digest_over_them(world):
    close(JANUARY)
    with transaction():
        row = db.session.get_one(BookMonth, JANUARY.first_on)
        kept = db.session.scalars(select(MonthBalance)).all()
        (step,) = db.session.scalars(select(BookMonthStep).where(BookMonthStep.step == "closed"))
        assert row.digest == step.digest == digest(JANUARY, 1)
    a, b = world.stores["A"], world.stores["B"]
    assert {(one.store_id, one.account): -one.balance for one in kept} == {
        **{(a, account): held for account, held in balances(a).items()},
        **{(b, account): held for account, held in balances(b).items()},
    }


def test_closing_folds_what_is_left(world):
    close(JANUARY)
    with transaction():
        assert db.session.scalar(select(Unfolded.entry_id)) is None


def test_an_empty_month_is_closed_too_with_the_balances_of_the_one_before(world):
    close(JANUARY)
    close(FEBRUARY)
    with transaction():
        rows = select(MonthBalance.account, MonthBalance.store_id, MonthBalance.balance)
        of = [
            set(map(tuple, db.session.execute(rows.where(MonthBalance.first_on == month.first_on))))
            for month in (JANUARY, FEBRUARY)
        ]
    assert of[0] == of[1] != set()


def test_a_month_that_is_not_over_everywhere_stays_open(world):
    with pytest.raises(PeriodNotOver):
        soften(JANUARY, now=after(JANUARY) - timedelta(seconds=2))
    assert state(JANUARY) is None


@pytest.mark.parametrize("month", [FEBRUARY, MARCH])
def test_an_open_month_with_entries_comes_first(world, month):
    with pytest.raises(PeriodOrder) as refusal:
        soften(month)
    assert refusal.value.facts == {"next": "2026-01"}


@pytest.mark.parametrize("month", [MARCH, JANUARY.before()])
def test_no_month_is_skipped_and_none_is_closed_from_behind(world, month):
    soften(JANUARY)
    with pytest.raises(PeriodOrder) as refusal:
        soften(month, now=after(MARCH))
    assert refusal.value.facts == {"next": "2026-02"}


def test_a_month_is_soft_closed_once(world):
    soften(JANUARY)
    with pytest.raises(PeriodState) as refusal:
        soften(JANUARY)
    assert refusal.value.facts == {"state": "soft", "version": 1}


def test_only_a_soft_month_can_be_asked_to_close(world):
    with pytest.raises(PeriodState):
        ask(JANUARY)
    close(JANUARY)
    with pytest.raises(PeriodState):
        ask(JANUARY)


def test_the_earlier_soft_month_is_closed_first(world):
    soften(JANUARY)
    soften(FEBRUARY)
    with pytest.raises(PeriodOrder) as refusal:
        ask(FEBRUARY)
    assert refusal.value.facts == {"next": "2026-01"}


def test_the_latest_soft_month_opens_again(world):
    soften(JANUARY)
    soften(FEBRUARY)
    with pytest.raises(PeriodOrder) as refusal:
        open_again(JANUARY)
    assert refusal.value.facts == {"next": "2026-02"}
    open_again(FEBRUARY)
    open_again(JANUARY)
    assert (state(JANUARY), state(FEBRUARY)) == (None, None)
    assert [step for step, *_ in steps()] == ["soft_closed", "soft_closed", "opened", "opened"]


def test_neither_an_open_nor_a_closed_month_opens(world):
    with pytest.raises(PeriodState):
        open_again(JANUARY)
    close(JANUARY)
    with pytest.raises(PeriodState):
        open_again(JANUARY)


def test_the_duty_calls_while_a_month_waits_to_be_closed(world):
    soften(JANUARY)

    def calls():
        with transaction():
            return is_due(closing.DUTY, after(JANUARY))

    seen = [calls()]
    ask(JANUARY)
    seen.append(calls())
    closing.close_asked(now=after(JANUARY))
    assert [*seen, calls()] == [False, True, False]


def test_a_month_that_was_opened_while_it_waited_is_not_closed(world):
    soften(JANUARY)
    ask(JANUARY)
    open_again(JANUARY)
    closing.close_asked(now=after(JANUARY))
    assert state(JANUARY) is None


def test_closing_twice_is_closing_once(world):
    close(JANUARY)
    closing.close_asked(now=after(JANUARY))
    assert [step for step, *_ in steps()] == ["soft_closed", "closed"]


def test_several_months_are_closed_in_their_order(world):
    soften(JANUARY)
    soften(FEBRUARY)
    with transaction():
        db.session.execute(update(BookMonth).values(closing_asked_at=after(FEBRUARY)))
    closing.close_asked(now=after(FEBRUARY))
    assert (state(JANUARY), state(FEBRUARY)) == (("closed", 1), ("closed", 1))


def test_breakage_is_booked_before_the_balances_are_written(world):
    with transaction():
        estimating.set_estimate(
            offer_id=world.offers["eleven"][0],
            month=JANUARY,
            method="remote",
            basis_points=0,
            reason="the shop is moving away",
            by_id=ALICE,
            now=after(JANUARY),
        )
    close(JANUARY)
    assert entries("breakage") == [("2026-01-31", "2026-01-31", "2138", "4113", 519)]
    with transaction():
        contra = select(MonthBalance.balance).where(MonthBalance.account == "2138")
        assert db.session.scalar(contra) == -519


def test_what_does_not_agree_stays_soft_and_says_why_until_it_is_asked_again(world):
    soften(JANUARY)
    ask(JANUARY)
    with transaction():
        while closing.fold_some():
            pass
        spoilt = update(RollupMonth).where(RollupMonth.account == "4111")
        db.session.execute(spoilt.values(credit=RollupMonth.credit + 1))
    closing.close_asked(now=after(JANUARY))
    assert state(JANUARY) == ("soft", 1)
    assert "2 findings" in problem_of(JANUARY)
    with transaction():
        assert not is_due(closing.DUTY, after(JANUARY))
        assert db.session.scalar(select(MonthBalance)) is None
        db.session.execute(spoilt.values(credit=RollupMonth.credit - 1))
    ask(JANUARY)
    closing.close_asked(now=after(JANUARY))
    assert (state(JANUARY), problem_of(JANUARY)) == (("closed", 1), None)


@contextmanager
def dying_at(number):
    """Die before the so-manieth statement; answers whether it came to that."""
    seen = 0

    def strike(*_):
        nonlocal seen
        seen += 1
        if seen == number:
            raise Crash

    event.listen(db.engine, "before_cursor_execute", strike)
    try:
        yield lambda: seen >= number
    finally:
        event.remove(db.engine, "before_cursor_execute", strike)


def closed_before_dying_at(number):
    """Whether closing came to its end before the so-manieth statement."""
    with dying_at(number) as struck:
        try:
            closing.close_asked(now=after(JANUARY))
        except Crash:
            db.session.rollback()
    return not struck()


def test_a_crash_anywhere_leaves_the_month_soft_and_the_next_run_closes_it(world):
    soften(JANUARY)
    ask(JANUARY)
    statements = 1
    while not closed_before_dying_at(statements):
        assert (state(JANUARY), problem_of(JANUARY)) == (("soft", 1), None)
        with transaction():
            assert db.session.scalar(select(MonthBalance)) is None
        statements += 1
    assert statements > len(("lock", "breakage", "fold", "prove", "balances", "digest", "state"))
    assert state(JANUARY) == ("closed", 1)
    assert [step for step, *_ in steps()] == ["soft_closed", "closed"]
    with transaction():
        assert check_all_of(JANUARY) == []


def test_an_outage_is_no_reason_to_give_up(world):
    soften(JANUARY)
    ask(JANUARY)

    def go_away(connection, _cursor, statement, *_):
        if "INSERT INTO month_balance" in statement:
            connection.connection.driver_connection.close()

    event.listen(db.engine, "before_cursor_execute", go_away)
    try:
        with pytest.raises(Unavailable):
            closing.close_asked(now=after(JANUARY))
    finally:
        event.remove(db.engine, "before_cursor_execute", go_away)
    assert (state(JANUARY), problem_of(JANUARY)) == (("soft", 1), None)
    closing.close_asked(now=after(JANUARY))
    assert state(JANUARY) == ("closed", 1)


def test_what_is_late_is_booked_in_the_first_open_month_with_both_dates(world):
    alice = world.add_member()
    world.add_lot(alice, "ending", net=952, vat=48, ends_at=noon(1, 31))
    soften(JANUARY)
    with transaction():
        expire_some(limit=9, now=noon(2, 3))
    assert entries("lapse") == [("2026-01-31", "2026-02-03", "2131", "4113", 952)]


def test_what_is_late_for_months_that_are_soft_waits_for_the_first_open_day(world):
    alice = world.add_member()
    world.add_lot(alice, "ending", net=952, vat=48, ends_at=noon(1, 31))
    soften(JANUARY)
    soften(FEBRUARY)
    with transaction():
        expire_some(limit=9, now=noon(2, 28))
    assert entries("lapse") == [("2026-01-31", "2026-03-01", "2131", "4113", 952)]


def test_nothing_is_undone_before_it_is_booked(world):
    soften(JANUARY)
    known_on = {"known_on": date(2026, 2, 5)}
    pairs = policy.top_up(store_id=world.stores["A"], net=10, vat=0)
    with transaction():
        member_id, late = new_id(), date(2026, 1, 31)
        entry_id = post(
            Event(member_id, "top_up", new_id(), pairs, noon(1, 31), late, "TWD", **known_on)
        )
    with transaction():
        closing.open_again(month=JANUARY, by_id=ALICE, now=after(JANUARY))
    with transaction():
        reverse(member_id=member_id, entry_id=entry_id, event_at=noon(2, 5), **known_on)
    assert [row[:2] for row in entries("void")] == [("2026-01-31", "2026-02-05")]


@pytest.mark.parametrize("month_state", ["soft", "closed"])
def test_the_database_itself_keeps_the_shops_out(world, engines, month_state):
    put(JANUARY, month_state)
    columns = "kind, source_id, event_at, occurred_on, book_date, currency, content_hash, member_id"
    row = (
        f"INSERT INTO entry ({columns}, id) SELECT {columns}, %s FROM entry WHERE kind = %s LIMIT 1"
    )
    with (
        psycopg.connect(engines.postgres.url("jibei_app", "jibei")) as connection,
        pytest.raises(psycopg.errors.CheckViolation, match="closed to this entry"),
    ):
        connection.execute(row, (new_id(), "sale"))


def test_months_are_listed_with_their_steps_the_latest_first(world):
    alice = world.add_member()
    world.add_lot(alice, "eleven", sold_at=noon(3, 2))
    close(JANUARY)
    soften(FEBRUARY)
    with transaction():
        listed = closing.list_periods()
    told = [(str(one.month), one.state, [step.step for step in one.steps]) for one in listed]
    assert told == [
        ("2026-03", "open", []),
        ("2026-02", "soft", ["soft_closed"]),
        ("2026-01", "closed", ["soft_closed", "closed"]),
    ]
    assert listed[2].closed_at == after(JANUARY)
    assert listed[2].digest is not None


def test_before_anything_is_booked_there_are_no_months_but_one_may_be_closed(app):
    with transaction():
        assert closing.list_periods() == []
    with pytest.raises(PeriodOrder) as refusal:  # a slip of the year would want many closings
        soften(JANUARY, now=after(APRIL))
    assert refusal.value.facts == {"next": "2026-04"}
    close(APRIL)
    assert state(APRIL) == ("closed", 1)
