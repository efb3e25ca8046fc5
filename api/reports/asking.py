"""What all reports have in common: who may read them, and how months and days are asked for."""

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from marshmallow import Schema, ValidationError

from api.auth import office
from api.fields import Day, Id, Text
from api.refusals import RangeTooWide
from api.routing import Resource
from api.spans import PERIOD_PATTERN, month_named, period_field, refuse_odd_day, refuse_wide
from api.tables import TABLE
from kernel.errors import Refusal
from ledger.errors import PeriodInvalid
from ledger.month import Month

View = TypeVar("View", bound=Callable[..., Any])

reports = Resource("reports", "/v1/reports", "Reports: the books, as finance reads them.")

finance = office("finance", "admin")

MOST_MONTHS = 36


def report(
    path: str,
    *,
    query: type[Schema],
    answer: type[Schema],
    refusals: tuple[type[Refusal], ...] = (),
) -> Callable[[View], View]:
    """Declare a report: finance reads it, all of it as of one moment, in the form it likes."""
    return reports.get(
        path,
        guard=finance,
        query=query,
        answer=answer,
        refusals=refusals,
        transaction="snapshot",
        produces=TABLE,
    )


def monthly(
    path: str, *, answer: type[Schema], refusals: tuple[type[Refusal], ...] = ()
) -> Callable[[View], View]:
    """Declare a report of one month."""
    return report(path, query=PeriodQuery, answer=answer, refusals=(PeriodInvalid, *refusals))


class PeriodQuery(Schema):
    """Which month."""

    period = period_field()


class MonthlyView(Schema):
    """What every report of a month begins with."""

    period = Text(
        required=True,
        metadata={"description": "The month.", "pattern": PERIOD_PATTERN, "example": "2026-01"},
    )


def month_of(query: dict[str, Any]) -> Month:
    """Read which month is asked for.

    Raises:
        PeriodInvalid: it is no month, or has not begun.
    """
    return month_named(query["period"])


class MonthsQuery(Schema):
    """Which month, or which months in a row."""

    period = period_field("One month; or give `from` and `to`.", required=False)
    first = period_field("The first month.", required=False, data_key="from")
    last = period_field("The last month.", required=False, data_key="to")


class MonthsView(Schema):
    """What every report of months in a row begins with."""

    first = Text(required=True, data_key="from", metadata={"description": "The first month."})
    last = Text(required=True, data_key="to", metadata={"description": "The last month."})


MONTHS_REFUSED = (PeriodInvalid, RangeTooWide)


def months_of(query: dict[str, Any]) -> tuple[Month, Month]:
    """Read which months are asked for.

    Raises:
        PeriodInvalid: one is no month, or has not begun.
        RangeTooWide: more than `MOST_MONTHS`.
        ValidationError: neither one month nor a span is given, or both are.
    """
    _refuse_both(query)
    if query["period"] is not None:
        month = month_named(query["period"])
        return month, month
    first, last = month_named(query["first"]), month_named(query["last"])
    refuse_wide(first.first_on, last.first_on, most=MOST_MONTHS, unit="months")
    return first, last


class DaysQuery(Schema):
    """Which month, or which days in a row."""

    period = period_field("One month; or give `from` and `to`.", required=False)
    first = Day(
        load_default=None,
        data_key="from",
        metadata={"description": "The first day.", "example": "2026-01-01"},
    )
    last = Day(
        load_default=None,
        data_key="to",
        metadata={"description": "The last day, today at the latest.", "example": "2026-01-31"},
    )


class DaysView(Schema):
    """What every report of days in a row begins with."""

    first = Day(required=True, data_key="from", metadata={"description": "The first day."})
    last = Day(required=True, data_key="to", metadata={"description": "The last day."})


def days_of(query: dict[str, Any], *, most: int) -> tuple[date, date]:
    """Read which days are asked for; of a month all, also those to come.

    Raises:
        PeriodInvalid: the month is none, or has not begun.
        RangeTooWide: more than so many days.
        ValidationError: neither a month nor a span is given, or both are; or it is odd.
    """
    _refuse_both(query)
    if query["period"] is not None:
        month = month_named(query["period"])
        return month.first_on, month.last_on
    first, last = query["first"], query["last"]
    refuse_odd_day(first, field="from")
    refuse_odd_day(last, field="to")
    refuse_wide(first, last, most=most, unit="days")
    return first, last


def _refuse_both(query: dict[str, Any]) -> None:
    is_month = query["period"] is not None
    ends = {query["first"] is not None, query["last"] is not None}
    if ends != {not is_month}:
        raise ValidationError({"period": ["Give either period, or from and to."]})


class OnQuery(Schema):
    """As of which day."""

    on = Day(
        required=True,
        metadata={
            "description": "As of the end of this day, today at the latest.",
            "example": "2026-01-31",
        },
    )


class OnView(Schema):
    """What every report as of a day begins with."""

    on = Day(required=True, metadata={"description": "As of the end of this day."})


def day_of(query: dict[str, Any]) -> date:
    """Read which day is asked for.

    Raises:
        ValidationError: it is in the future.
    """
    on: date = query["on"]
    refuse_odd_day(on, field="on")
    return on


def store_field() -> Id:
    """Declare that a report may be of one store."""
    return Id(load_default=None, metadata={"description": "Only this store."})


def entity_field() -> Id:
    """Declare that a report may be of one legal entity."""
    return Id(
        load_default=None,
        metadata={"description": "Only the stores that this legal entity owns then."},
    )
