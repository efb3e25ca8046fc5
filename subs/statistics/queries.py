"""The figures, as they are read. Each rate is None where it is not one yet."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Row, cast, func

import chain
from subs.statistics.asking import KEYS, Asked, Cell, counted_at, part, summed
from subs.statistics.models import (
    PlanCohort,
    PlanDunning,
    PlanEnding,
    PlanRenewal,
    PlanReport,
    PlanRevenue,
    PlanTrial,
)
from subs.statistics.months import MONTH, opening

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Renewals:
    """What fell due in a month, and what was renewed of it."""

    cell: Cell
    due: int
    on_time: int
    renewed: int
    matures_at: datetime
    is_mature: bool

    @property
    def on_time_rate(self) -> Decimal | None:
        return part(self.on_time, self.due) if self.is_mature else None

    @property
    def renewal_rate(self) -> Decimal | None:
        return part(self.renewed, self.due) if self.is_mature else None


@dataclass(frozen=True, slots=True)
class Report:
    """Yearly plans, as of the end of a month."""

    cell: Cell
    due: int
    renewed: int

    @property
    def renewal_rate(self) -> Decimal | None:
        return part(self.renewed, self.due)


@dataclass(frozen=True, slots=True)
class Revenue:
    """Monthly recurring revenue of a month, and its movements, in minor units without VAT."""

    cell: Cell
    currency: str
    opening: int
    new: int
    reactivation: int
    expansion: int
    contraction: int
    churn: int
    moved: int
    closing: int
    opening_count: int
    new_count: int
    reactivated_count: int
    churned_count: int
    moved_count: int
    closing_count: int
    is_mature: bool

    @property
    def gross_retention(self) -> Decimal | None:
        return self._of_opening(self.opening - self.contraction - self.churn)

    @property
    def net_retention(self) -> Decimal | None:
        return self._of_opening(self.opening + self.expansion - self.contraction - self.churn)

    @property
    def revenue_churn(self) -> Decimal | None:
        return self._of_opening(self.contraction + self.churn)

    @property
    def logo_churn(self) -> Decimal | None:
        return part(self.churned_count, self.opening_count) if self.is_mature else None

    def _of_opening(self, amount: int) -> Decimal | None:
        return part(amount, self.opening) if self.is_mature else None


@dataclass(frozen=True, slots=True)
class Decided:
    """How many began something in a month, and how many came through: trials, and dunning."""

    cell: Cell
    begun: int
    succeeded: int
    undecided: int
    is_over: bool

    @property
    def is_mature(self) -> bool:
        return self.is_over and self.undecided == 0

    @property
    def rate(self) -> Decimal | None:
        return part(self.succeeded, self.begun) if self.is_mature else None


@dataclass(frozen=True, slots=True)
class Endings:
    """How many ended in a month for one reason, and their share of all that did."""

    cell: Cell
    cause: str
    reason: str
    ended: int
    share: Decimal | None
    is_mature: bool


@dataclass(frozen=True, slots=True)
class Retention:
    """How many of a month's sign-ups were still there after so many months."""

    cell: Cell
    age: int
    started: int
    retained: int
    is_mature: bool

    @property
    def rate(self) -> Decimal | None:
        return part(self.retained, self.started) if self.is_mature else None


def list_renewals(asked: Asked) -> list[Renewals]:
    """Renewals by the month in which they fell due."""
    table, now = PlanRenewal, counted_at()
    measures = (table.due, table.on_time, table.renewed)
    rows = summed(table, asked, *map(_sum, measures), func.max(table.matures_at))
    return [_with(Renewals, row, is_mature=now is not None and now >= row[-1]) for row in rows]


def list_reports(asked: Asked) -> list[Report]:
    """Yearly plans by the month at whose end they are reported."""
    rows = summed(PlanReport, asked, _sum(PlanReport.due), _sum(PlanReport.renewed))
    return [_with(Report, row) for row in rows]


def list_revenue(asked: Asked) -> list[Revenue]:
    """Revenue and its movements by month and currency."""
    table, is_over = PlanRevenue, _over()
    measures = (
        table.opening, table.new, table.reactivation, table.expansion, table.contraction,
        table.churn, table.moved, table.closing, table.opening_count, table.new_count,
        table.reactivated_count, table.churned_count, table.moved_count, table.closing_count,
    )  # fmt: skip
    rows = summed(table, asked, *map(_sum, measures), by_too=[table.currency])
    return [_with(Revenue, row, is_mature=is_over(Cell(*row[:KEYS]))) for row in rows]


def list_trials(asked: Asked) -> list[Decided]:
    """Trials by the month in which they began."""
    return _decided(PlanTrial, asked, PlanTrial.started, PlanTrial.converted, PlanTrial.undecided)


def list_dunning(asked: Asked) -> list[Decided]:
    """Plans that became past due, by the month of it."""
    table = PlanDunning
    return _decided(table, asked, table.begun, table.recovered, table.undecided)


def list_endings(asked: Asked) -> Iterator[Endings]:
    """Endings by month, cause and reason."""
    table, is_over = PlanEnding, _over()
    rows = summed(table, asked, _sum(table.ended), by_too=[table.cause, table.reason])
    for keys, group in groupby(rows, key=itemgetter(slice(KEYS))):
        cell, told = Cell(*keys), [row[KEYS:] for row in group]
        ended = sum(row[-1] for row in told)
        for cause, reason, count in told:
            yield Endings(cell, cause, reason, count, part(count, ended), is_over(cell))


def list_retention(asked: Asked, *, ages: int) -> Iterator[Retention]:
    """Cohorts by month of sign-up, at each age up to so many months that any of them has reached.

    A cell is mature once everybody in the cohort has had so many months.
    """
    table, now = PlanCohort, counted_at()
    rows = summed(
        table, asked, _sum(table.subscriptions), month=table.cohort_on, by_too=[table.age]
    )
    time_zone = chain.online_store().time_zone
    for keys, group in groupby(rows, key=itemgetter(slice(KEYS))):
        cell, by_age = Cell(*keys), {row[KEYS]: row[-1] for row in group}
        started = retained = by_age.get(0, 0)
        for age in range(ages + 1):
            if now is None or opening(cell.month_on + age * MONTH, time_zone) > now:
                break
            retained -= by_age.get(age, 0) if age else 0
            is_mature = opening(cell.month_on + (age + 1) * MONTH, time_zone) <= now
            yield Retention(cell, age, started, retained, is_mature)


def _decided(table: Any, asked: Asked, *measures: Any) -> list[Decided]:
    is_over = _over()
    rows = summed(table, asked, *map(_sum, measures))
    return [_with(Decided, row, is_over=is_over(Cell(*row[:KEYS]))) for row in rows]


def _with(kind: Callable[..., T], row: Row[Any], **known: bool) -> T:
    """Make a figure of a row: its keys, its measures in order, and what is known besides."""
    return kind(Cell(*row[:KEYS]), *row[KEYS:], **known)


def _sum(measure: Any) -> Any:
    """A sum that stays a whole number: PostgreSQL would make it a decimal."""
    return cast(func.sum(measure), BigInteger)


def _over() -> Callable[[Cell], bool]:
    """Tell of a cell whether its month was over when it was counted."""
    now = counted_at()
    if now is None:
        return lambda _: False
    time_zone = chain.online_store().time_zone
    return lambda cell: now >= opening(cell.month_on + MONTH, time_zone)
