"""Counting anew: all months, or only those that can still change."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.dialects.postgresql import insert

import chain
from kernel.db import Base, db
from kernel.due import is_due
from kernel.queue import Duty
from kernel.turns import take_turn
from subs.models.plan import PlanSchedule
from subs.models.subscription import Subscription
from subs.statistics import lives, renewals, revenue
from subs.statistics.filling import Filling, be_patient, fill
from subs.statistics.models import (
    PlanCohort,
    PlanCount,
    PlanDunning,
    PlanEnding,
    PlanRenewal,
    PlanReport,
    PlanRevenue,
    PlanTrial,
)
from subs.statistics.months import MONTH, Reach, month_of, opening

_TURN = b"plan_count"
_FRESH_FOR = timedelta(hours=1)
_ALL_FRESH_FOR = timedelta(days=7)
_LATE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Figure:
    """What fills a table, and how long after a month's end its figures may still change.

    `from_before` fills the open months alone, from what was counted of the one before them.
    """

    table: type[Base]
    query: str
    waits: timedelta
    from_before: str | None = None
    has_few: bool = False

    def anew(self, reach: Reach) -> Filling:
        """All months within reach."""
        return Filling(self.table, self.query, reach, {}, self.has_few)

    def opened(self, reach: Reach) -> Filling:
        """The open months, those before them having been counted."""
        return Filling(self.table, self.from_before or self.query, reach, {}, self.has_few)


def uncounted(now: datetime) -> Select[Any]:
    """The subscriptions there are, when all months were not counted for a week."""
    is_fresh = exists().where(PlanCount.reach == "all", PlanCount.counted_at > now - _ALL_FRESH_FOR)
    return select(Subscription.id).where(Subscription.started_at < now, ~is_fresh)


def stale(now: datetime) -> Select[Any]:
    """The last count, when it is an hour old."""
    return select(PlanCount.reach).where(
        PlanCount.reach == "open", PlanCount.counted_at <= now - _FRESH_FOR
    )


ALL = Duty("subs.statistics.jobs.count_all_months", "nightly", uncounted)
OPEN = Duty("subs.statistics.jobs.count_open_months", "nightly", stale)


def count_all(*, now: datetime) -> None:
    """Count every month there ever was. Whoever comes second finds it done."""
    _begin()
    if is_due(ALL, now):
        recount(now=now)


def count_open(*, now: datetime) -> None:
    """Count the months that can still change. Whoever comes second finds it done."""
    _begin()
    if is_due(OPEN, now):
        recount_open(now=now)


def recount(*, now: datetime) -> None:
    """Throw away all that was counted, and count it from the rows that are there."""
    began_at = db.session.scalar(select(func.min(Subscription.started_at)))
    if began_at is None or began_at >= now:
        return
    reach = Reach(month_of(began_at, _time_zone()), now, _time_zone())
    fill([*(figure.anew(reach) for figure in _figures()), *_reports(reach)])
    _note(("all", "open"), now)


def recount_open(*, now: datetime) -> None:
    """Count again, of each figure, the months that had not settled when it was counted last.

    A renewal settles with the grace, a trial with that of its first period; two days more are for
    what comes late. What comes later still is found when all is counted. Revenue is counted from
    what the month before closed with, which these days have settled, too.
    """
    before = db.session.scalars(select(PlanCount.counted_at).where(PlanCount.reach == "open")).one()
    time_zone = _time_zone()
    opened = [
        figure.opened(Reach(month_of(before - figure.waits, time_zone), now, time_zone))
        for figure in _figures()
    ]
    fill([*opened, *_reports(Reach(month_of(before, time_zone), now, time_zone))])
    _note(("open",), now)


def _begin() -> None:
    be_patient()
    take_turn(_TURN)


def _figures() -> tuple[Figure, ...]:
    grace, trial = db.session.execute(
        select(func.max(PlanSchedule.grace_days), func.max(PlanSchedule.trial_days))
    ).one()
    decided = timedelta(days=grace or 0) + _LATE
    return (
        Figure(PlanRevenue, revenue.COUNT, _LATE, from_before=revenue.COUNT_OPEN),
        Figure(PlanCohort, lives.COHORTS, _LATE),
        # The longest first: of work for two it should not be what is left.
        Figure(PlanRenewal, renewals.COUNT, decided, has_few=True),
        Figure(PlanDunning, lives.DUNNING, decided, has_few=True),
        Figure(PlanTrial, lives.TRIALS, decided + timedelta(days=trial or 0), has_few=True),
        Figure(PlanEnding, lives.ENDINGS, _LATE, has_few=True),
    )


def _reports(reach: Reach) -> Iterator[Filling]:
    """Yearly plans, at the end of each month that is over."""
    this_month_on = month_of(reach.now, reach.time_zone)
    if this_month_on > reach.first_on:
        ended = {
            "report_from_at": opening(reach.first_on - 18 * MONTH, reach.time_zone),
            "report_until_at": opening(this_month_on - 7 * MONTH, reach.time_zone),
        }
        yield Filling(PlanReport, renewals.REPORT, reach, ended, has_few=True)


def _time_zone() -> str:
    return chain.online_store().time_zone


def _note(reaches: Iterable[str], now: datetime) -> None:
    counted = insert(PlanCount).values([{"reach": one, "counted_at": now} for one in reaches])
    db.session.execute(
        counted.on_conflict_do_update(
            index_elements=[PlanCount.reach], set_={"counted_at": counted.excluded.counted_at}
        )
    )
