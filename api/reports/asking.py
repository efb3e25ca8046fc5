"""What all reports have in common: who reads them, how they are read, which month it is."""

from collections.abc import Callable
from typing import Any, TypeVar

from marshmallow import Schema

import chain
from api.auth import office
from api.fields import Text
from api.routing import Resource
from api.tables import TABLE
from kernel import clock
from kernel.errors import Refusal
from ledger.errors import PeriodInvalid
from ledger.month import Month

View = TypeVar("View", bound=Callable[..., Any])

reports = Resource("reports", "/v1/reports", "Reports: the books, as finance reads them.")

finance = office("finance", "admin")


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


def monthly(path: str, *, answer: type[Schema]) -> Callable[[View], View]:
    """Declare a report of one month."""
    return report(path, query=PeriodQuery, answer=answer, refusals=(PeriodInvalid,))


class PeriodQuery(Schema):
    """Which month."""

    period = Text(
        required=True,
        least=1,
        most=20,
        metadata={
            "description": "A month, such as 2026-01.",
            "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$",
        },
    )


class MonthlyView(Schema):
    """What every report of a month begins with."""

    period = Text(required=True, metadata={"description": "The month."})


def month_of(query: dict[str, Any]) -> Month:
    """Read which month is asked for.

    Raises:
        PeriodInvalid: it is no month, or has not begun.
    """
    return Month.parse(query["period"], today_on=chain.today_on(clock.now()))
