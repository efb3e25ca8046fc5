"""Counting again gives the same, whether all is counted or only what can still change."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryFile
from threading import Event
from typing import IO, Any

import pytest
from flask import Flask
from sqlalchemy import Delete, delete, select, update

from kernel.db import Base, db
from kernel.due import is_due
from kernel.transaction import transaction
from subs.models import (
    PlanCohort,
    PlanCount,
    PlanDunning,
    PlanEnding,
    PlanRenewal,
    PlanReport,
    PlanRevenue,
    PlanTrial,
)
from subs.statistics import counting, filling
from tests.kept import Kept
from tests.service.subs.lives import MONTH, Life, Lives
from tests.together import together

JANUARY = datetime(2026, 1, 10, 4, 0, tzinfo=UTC)
TABLES: tuple[type[Base], ...] = (
    PlanCohort, PlanDunning, PlanEnding, PlanRenewal, PlanReport, PlanRevenue, PlanTrial,
)  # fmt: skip


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """All that was counted."""
    with transaction():
        return {
            table.__tablename__: sorted(
                tuple(str(value) for value in row) for row in db.session.execute(select(*columns))
            )
            for table in TABLES
            for columns in [list(table.__table__.columns)]
        }


@pytest.fixture
def live_some(lives: Lives, kept: Kept) -> Callable[[int], None]:
    """Live what `_live_some` makes of a seed."""
    return lambda seed: kept.once(f"some_lives_{seed}", lambda: _live_some(lives, seed))


def _live_some(lives: Lives, seed: int) -> None:
    """Thirty lives with trials, pauses, dunning and all sorts of ends."""
    chance = random.Random(seed)  # noqa: S311  examples, not secrets
    lives.add_plan("yearly", every="year", price=6300)
    for _ in range(30):
        at = JANUARY + timedelta(hours=chance.randrange(24 * 400))
        if chance.random() < 0.2:
            life = lives.begin("yearly", at=at)
            for number in range(1, chance.randrange(2, 4)):
                life.pay(number, at, at + 12 * MONTH)
                at += 12 * MONTH
            life.end(at)
        else:
            _live_by_the_month(lives, at, chance)


def _live_by_the_month(lives: Lives, at: datetime, chance: random.Random) -> None:
    begins = at + timedelta(days=7) if chance.random() < 0.3 else None
    life = lives.begin(at=at, trial_until=begins, store=chance.choice("AW"))
    at = begins or at
    for number in range(1, chance.randrange(2, 9)):
        late = timedelta(days=9) if number > 1 and chance.random() < 0.3 else timedelta(0)
        if late:
            life.tell("active", "past_due", "renewal_failed", at=at)
            life.tell("past_due", "active", "recovered", at=at + late)
        life.pay(number, at, at + MONTH, late=late, attempts=2 if late else 1)
        at += MONTH
        if chance.random() < 0.1:
            _rest(life, at)
            at += MONTH
    if chance.random() < 0.6:
        life.end(at, reason=chance.choice(["moved", None]))


def _rest(life: Life, at: datetime) -> None:
    life.tell("active", "paused", "paused", at=at)
    life.tell("paused", "active", "resumed", at=at + MONTH)


@pytest.mark.parametrize("seed", range(2))
def test_counting_all_again_gives_the_same_numbers(
    lives: Lives, live_some: Callable[[int], None], seed: int
):
    live_some(seed)
    lives.recount(JANUARY + 30 * MONTH)
    first = everything()

    lives.recount(JANUARY + 30 * MONTH)

    assert everything() == first
    assert all(first.values())


def test_cells_that_are_brought_in_parts_are_all_there(
    lives: Lives, live_some: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
):
    live_some(0)
    lives.recount(JANUARY + 30 * MONTH)
    at_once = everything()

    monkeypatch.setattr(filling, "_AT_ONCE", 3)
    lives.recount(JANUARY + 30 * MONTH)

    assert everything() == at_once
    assert len(at_once["plan_renewal"]) > 3


def test_the_other_connection_takes_its_part(
    lives: Lives, live_some: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
):
    live_some(0)
    has_begun = Event()

    def begin_there() -> IO[bytes]:
        has_begun.set()
        return TemporaryFile()

    def delete_once_it_has_begun(table: Any) -> Delete:
        assert has_begun.wait(20), "all was left to one connection"
        return delete(table)

    monkeypatch.setattr(filling, "TemporaryFile", begin_there)
    monkeypatch.setattr(filling, "delete", delete_once_it_has_begun)

    lives.recount(JANUARY + 30 * MONTH)

    assert all(everything().values())


@pytest.mark.parametrize("seed", range(2))
def test_counting_day_by_day_gives_what_counting_all_at_once_gives(
    lives: Lives, live_some: Callable[[int], None], seed: int
):
    live_some(seed)
    lives.recount(JANUARY + MONTH)
    for days in range(40, 900, 29):
        with transaction():
            counting.recount_open(now=JANUARY + timedelta(days=days))
    with transaction():
        counting.recount_open(now=JANUARY + 30 * MONTH)
    by_the_day = everything()

    lives.recount(JANUARY + 30 * MONTH)

    assert by_the_day == everything()


def test_months_that_have_settled_are_left_alone(lives: Lives):
    life = lives.begin(at=JANUARY)
    life.pay_months(1, 8, since=JANUARY)
    lives.recount(JANUARY + 6 * MONTH)
    with transaction():
        db.session.execute(update(PlanRenewal).values(due=99))

    with transaction():
        counting.recount_open(now=JANUARY + 6 * MONTH + timedelta(days=1))

    with transaction():
        due = select(PlanRenewal.month_on, PlanRenewal.due).order_by(PlanRenewal.month_on)
        assert [count for _, count in db.session.execute(due)] == [99, 99, 99, 99, 1, 1]


def test_an_open_month_begins_with_what_the_one_before_was_counted_to_end_with(lives: Lives):
    for life in (lives.begin(at=JANUARY), lives.begin(at=JANUARY)):
        life.pay_months(1, 8, since=JANUARY)
    lives.recount(JANUARY + 6 * MONTH)
    life.end(JANUARY + 5 * MONTH + timedelta(days=3))  # told when June had settled

    with transaction():
        counting.recount_open(now=JANUARY + 6 * MONTH + timedelta(days=1))
    early = revenue()
    lives.recount(JANUARY + 6 * MONTH + timedelta(days=1))

    assert early[-2:] == [(1000, 0, 1000), (1000, 0, 1000)]
    assert revenue()[-2:] == [(1000, 500, 500), (500, 0, 500)]


def revenue() -> list[tuple[int, int, int]]:
    """By month: what it opened with, what was lost, what it closed with."""
    of = PlanRevenue
    with transaction():
        rows = db.session.execute(select(of.opening, of.churn, of.closing).order_by(of.month_on))
        return [(opening, churn, closing) for opening, churn, closing in rows]


def test_nothing_is_counted_before_anybody_subscribes(lives: Lives):
    lives.recount(JANUARY)

    with transaction():
        assert not is_due(counting.ALL, JANUARY)
        assert not is_due(counting.OPEN, JANUARY)
        assert db.session.scalar(select(PlanCount)) is None


def test_all_is_counted_once_a_week_and_what_is_open_every_hour(lives: Lives):
    lives.begin(at=JANUARY).pay_months(1, 1, since=JANUARY)
    now = JANUARY + timedelta(days=1)

    with transaction():
        assert is_due(counting.ALL, now)
        assert not is_due(counting.OPEN, now)
        counting.count_all(now=now)
        assert not is_due(counting.ALL, now + timedelta(days=6, hours=23))
        assert not is_due(counting.OPEN, now + timedelta(minutes=59))
        assert is_due(counting.OPEN, now + timedelta(hours=1))
        counting.count_open(now=now + timedelta(hours=1))
        assert not is_due(counting.OPEN, now + timedelta(hours=1, minutes=59))
        assert is_due(counting.ALL, now + timedelta(days=7))


@pytest.mark.parametrize("count", [counting.count_all, counting.count_open])
def test_those_who_count_at_once_do_not_get_into_each_others_way(
    lives: Lives, app: Flask, count: Any
):
    life = lives.begin(at=JANUARY)
    life.pay_months(1, 3, since=JANUARY)
    lives.recount(JANUARY + MONTH)

    together(app, [lambda: count(now=JANUARY + 3 * MONTH + timedelta(days=1))] * 8)

    with transaction():
        assert len(db.session.scalars(select(PlanRenewal)).all()) == 3
