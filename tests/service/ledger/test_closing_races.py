"""Whoever books and whoever closes meet at a lock: nothing ever lands in a closed month."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import date
from threading import Event as Signal

import pytest
from sqlalchemy import text

from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import again, snapshot, transaction
from ledger import Event, policy, post, reverse
from ledger.proof import check_all_of
from ledger.reports import roll_forward, settlement_matrix, trial_balance
from ledger.service import adjusting, closing, estimating
from ledger.service.balances import digest
from tests.service.ledger.plain import FEBRUARY, JANUARY, after, entries, noon
from tests.service.ledger.test_adjusting import ALICE, BOB
from tests.service.ledger.test_closing import ask, close, soften, state
from tests.together import together
from tests.world import small_world

NOT_AT_ONCE_S = 0.4
PATIENCE_S = 10
LATE = date(2026, 1, 31)

_OF_JANUARY = text("SELECT count(*) FROM line WHERE book_date < '2026-02-01'")
_IN_BALANCES = text("SELECT -sum(balance) FROM month_balance WHERE account = '1111'")
_IN_LINES = text("""
SELECT sum(CASE '1111' WHEN debit THEN amount WHEN credit THEN -amount ELSE 0 END)
FROM line WHERE book_date < '2026-02-01'
""")


@pytest.fixture
def now():
    return noon(1, 5)


@pytest.fixture
def world(app, now):
    world = small_world(now)
    world.add_lot(world.add_member(), "eleven", net=952, vat=48)
    return world


@pytest.fixture
def start(app):
    """Start work in a thread of its own, in an application context; answers its future."""
    with ThreadPoolExecutor() as threads:

        def run(work):
            with app.app_context():
                return work()

        yield lambda work: threads.submit(run, work)


@contextmanager
def held_open(start: Callable[..., Future], work):
    """Work that is done but not committed while the block runs."""
    done, may_commit = Signal(), Signal()

    def unhurried():
        with transaction():
            work()
            done.set()
            assert may_commit.wait(PATIENCE_S)

    future = start(unhurried)
    try:
        assert done.wait(PATIENCE_S)
        yield
    finally:
        may_commit.set()
        future.result(PATIENCE_S)


def has_to_wait(future):
    return not wait([future], timeout=NOT_AT_ONCE_S).done


def sell_late(world, known_on=date(2026, 2, 2)):
    """A sale of 31 January that becomes known in February."""
    pairs = policy.top_up(store_id=world.stores["A"], net=10, vat=0)
    return post(
        Event(new_id(), "top_up", new_id(), pairs, after(JANUARY), LATE, "TWD", known_on=known_on)
    )


def sell_late_alone(world):
    with transaction():
        return sell_late(world)


def booked_on():
    return [row[1] for row in entries("top_up")]


def test_the_closer_waits_for_whoever_is_booking(world, start):
    with held_open(start, lambda: sell_late(world)):
        closer = start(lambda: soften(JANUARY))
        assert has_to_wait(closer)
        assert state(JANUARY) is None
    closer.result(PATIENCE_S)
    assert (state(JANUARY), booked_on()) == (("soft", 1), ["2026-01-31"])


def test_whoever_books_waits_for_the_closer_and_goes_to_the_first_open_month(world, start):
    soft_close = {"month": JANUARY, "by_id": ALICE, "now": after(JANUARY)}
    with held_open(start, lambda: closing.soft_close(**soft_close)):
        poster = start(lambda: sell_late_alone(world))
        assert has_to_wait(poster)
    poster.result(PATIENCE_S)
    assert booked_on() == ["2026-02-02"]


def propose(world):
    legs = [
        adjusting.Leg(world.stores["A"], account, side, 30)
        for account, side in (("6221", "debit"), ("1111", "credit"))
    ]
    with transaction():
        return adjusting.propose(
            book_date=LATE,
            currency="TWD",
            reason="the till was short",
            lines=legs,
            by_id=ALICE,
            now=after(JANUARY),
        ).id


def test_the_last_closing_waits_for_finance_too(world, start):
    adjustment_id = propose(world)
    soften(JANUARY)
    ask(JANUARY)
    approval = {"adjustment_id": adjustment_id, "by_id": BOB, "now": after(JANUARY)}
    with held_open(start, lambda: adjusting.approve(**approval)):
        closer = start(lambda: closing.close_asked(now=after(JANUARY)))
        assert has_to_wait(closer)
    closer.result(PATIENCE_S)
    assert state(JANUARY) == ("closed", 1)
    with transaction():
        assert db.session.scalar(_IN_BALANCES) == db.session.scalar(_IN_LINES) == 970
        assert check_all_of(JANUARY) == []


def test_nobody_at_a_till_waits_for_a_month_that_is_being_closed(world, start):
    soften(JANUARY)
    ask(JANUARY)
    estimate = {
        "offer_id": world.offers["eleven"][0],
        "month": FEBRUARY,
        "method": "off",
        "basis_points": 0,
        "reason": "keeps the closing busy: breakage takes turns",
        "by_id": ALICE,
        "now": after(JANUARY),
    }
    with held_open(start, lambda: estimating.set_estimate(**estimate)):
        closer = start(lambda: closing.close_asked(now=after(JANUARY)))
        assert has_to_wait(closer)
        poster = start(lambda: sell_late_alone(world))
        assert not has_to_wait(poster)
        assert not closer.done()
    closer.result(PATIENCE_S)
    assert (state(JANUARY), booked_on()) == (("closed", 1), ["2026-02-02"])


def test_two_who_soft_close_at_once_do_it_once(world, app):
    def one():
        closing.soft_close(month=JANUARY, by_id=ALICE, now=after(JANUARY))

    answers = together(app, [one] * 4)
    assert answers.count(None) == 1


def test_two_workers_close_once(world, app):
    soften(JANUARY)
    ask(JANUARY)
    one = [lambda: closing.close_asked(now=after(JANUARY))] * 3
    together(app, one, in_transactions=False)
    assert state(JANUARY) == ("closed", 1)
    with transaction():
        steps = db.session.scalar(text("SELECT count(*) FROM book_month_step"))
        assert (steps, check_all_of(JANUARY)) == (2, [])


def test_a_storm_of_late_events_and_a_closing_lose_nothing_and_leave_nothing_behind(world, app):
    def sell_some():
        for _ in range(6):
            again(lambda: sell_late_alone(world))

    def close_meanwhile():
        again(lambda: soften(JANUARY))
        ask(JANUARY)
        closing.close_asked(now=after(JANUARY))

    together(app, [*[sell_some] * 8, close_meanwhile], in_transactions=False)
    assert state(JANUARY) == ("closed", 1)
    days = booked_on()
    assert len(days) == 48
    assert set(days) <= {"2026-01-31", "2026-02-02"}
    with transaction():
        assert db.session.scalar(_IN_BALANCES) == db.session.scalar(_IN_LINES)
        assert db.session.scalar(_IN_LINES) == 1_000 + 10 * days.count("2026-01-31")
        assert check_all_of(JANUARY) == []


def reports_of_january():
    """Every byte of what finance reads of the month."""
    balances = trial_balance(JANUARY.first_on, JANUARY.last_on)
    return repr([roll_forward(JANUARY), settlement_matrix(JANUARY), balances]).encode()


def test_a_closed_month_does_not_change_by_a_byte_whatever_comes(world, app):
    bob, till = world.add_member(), world.add_till("B")
    world.add_lot(bob, "eleven", net=952, vat=48)
    world.take(till, bob, 2, now=noon(1, 20))
    close(JANUARY)

    def seen():
        with snapshot():
            lines = db.session.scalar(_OF_JANUARY)
            return digest(JANUARY, 1), reports_of_january(), lines, check_all_of(JANUARY)

    def void_one():
        with transaction():
            in_january = text("SELECT member_id, entry_id FROM redemption WHERE redeemed_at < :end")
            taken = db.session.execute(in_january, {"end": noon(2, 1)}).one()
            reverse(
                member_id=taken.member_id,
                entry_id=taken.entry_id,
                event_at=noon(2, 5),
                known_on=date(2026, 2, 5),
            )

    before = seen()
    together(
        app,
        [
            *[lambda: sell_late_alone(world)] * 6,
            void_one,
            lambda: world.take(till, bob, 1, now=noon(2, 3)),
            lambda: closing.close_asked(now=after(FEBRUARY)),
        ],
        in_transactions=False,
    )
    assert seen() == before
    assert before[3] == []
    assert entries("void")[0][:2] == ("2026-01-20", "2026-02-05")


def test_a_run_of_breakage_and_a_closing_at_once_book_once(world, app):
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
    soften(JANUARY)
    ask(JANUARY)

    def run():
        with transaction():
            estimating.run(month=JANUARY, now=after(JANUARY))

    together(
        app,
        [run, lambda: closing.close_asked(now=after(JANUARY)), run],
        in_transactions=False,
    )
    assert [row[2:] for row in entries("breakage")] == [("2138", "4113", 952)]
    assert state(JANUARY) == ("closed", 1)
