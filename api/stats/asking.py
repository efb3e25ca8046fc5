"""What all statistics have in common: who reads them, how they are asked for, how they answer."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeVar

from marshmallow import ValidationError, fields, validate, validates_schema

import chain
from api.auth import office
from api.fields import Id, Schema, Text, Timestamp
from api.routing import Resource
from api.tables import TABLE, column
from kernel import clock
from subs.statistics import asking
from subs.statistics.asking import Asked
from vouchers.models.offer import SALE_CHANNELS

View = TypeVar("View", bound=Callable[..., Any])

stats = Resource("stats", "/v1/stats", "Statistics: figures about the business.")

MOST_MONTHS = 36
"""So many rows there are at most for each store."""

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)
_EARLIEST = "1970"
# For the documents, which cannot know what these fields write.
_AS_MONTH = {"type": "string", "pattern": f"^{_MONTH.pattern}$", "example": "2026-01"}

Formulas = Mapping[str, str]
"""What a figure is, by the name of its column."""


class Month(fields.Field[date]):
    """A month of the calendar, YYYY-MM; its first day inside."""

    default_error_messages = {"invalid": "Give a month as YYYY-MM."}  # noqa: RUF012  marshmallow's

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> date:
        del attr, data, kwargs
        if not isinstance(value, str) or not _MONTH.fullmatch(value) or value < _EARLIEST:
            raise self.make_error("invalid")
        return date.fromisoformat(f"{value}-01")


class StatsQuery(Schema):
    """Which months, the first and the last included; by what; and of what."""

    first = Month(
        required=True, data_key="from", metadata={"description": "The first month.", **_AS_MONTH}
    )
    last = Month(
        required=True,
        data_key="to",
        metadata={"description": "The last month, this one at the latest.", **_AS_MONTH},
    )
    by = Text(
        load_default="month",
        validate=validate.OneOf(asking.BY),
        metadata={"description": "A row for each of these in each month."},
    )
    plan = Text(load_default=None, most=100, metadata={"description": "Only this plan's code."})
    store_id = Id(load_default=None, metadata={"description": "Only this store of the sign-up."})
    channel = Text(
        load_default=None,
        validate=validate.OneOf(SALE_CHANNELS),
        metadata={"description": "Only this channel of the sign-up."},
    )

    @validates_schema
    def refuse_odd_span(self, asked: dict[str, Any], **_: Any) -> None:
        """Refuse spans that are turned round or endless."""
        first, last = asked["first"], asked["last"]
        if first > last:
            raise ValidationError("Comes after the last month.", "from")
        if months_in(first, last) > MOST_MONTHS:
            raise ValidationError(f"More than {MOST_MONTHS} months.", "from")


def months_in(first: date, last: date) -> int:
    """How many months there are, the first and the last included."""
    return (last.year - first.year) * 12 + last.month - first.month + 1


class FormulaView(Schema):
    """What a figure is."""

    figure = Text(required=True, metadata={"description": "The column."})
    formula = Text(required=True, metadata={"description": "How it is worked out."})


class StatsView(Schema):
    """What all statistics begin with."""

    computed_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When they were counted."}
    )
    formulas = fields.List(
        fields.Nested(FormulaView),
        required=True,
        metadata={"description": "How the figures are worked out."},
    )


class CellView(Schema):
    """What a row is of."""

    month = column.Text("YYYY-MM.", attribute="cell.month")
    plan = column.Text("The plan's code; none for all.", attribute="cell.plan", allow_none=True)
    version = column.Count("Of its terms; none for all.", attribute="cell.version",
                           allow_none=True)  # fmt: skip
    store_id = column.Id("The store of the sign-up; none for all.", attribute="cell.store_id",
                         allow_none=True)  # fmt: skip
    store = column.Text("What the chain calls it.", attribute="cell.store", allow_none=True)
    channel = column.Text("Of the sign-up; none for all.", attribute="cell.channel",
                          allow_none=True)  # fmt: skip


def statistic(
    path: str, *, answer: type[Schema], query: type[Schema] = StatsQuery
) -> Callable[[View], View]:
    """Declare a statistic: finance reads it, all of it as of one moment, in the form it likes."""
    return stats.get(
        path,
        guard=office("finance", "admin"),
        query=query,
        answer=answer,
        transaction="snapshot",
        produces=TABLE,
    )


def asked_for(query: Mapping[str, Any]) -> Asked:
    """Read what is asked.

    Raises:
        ValidationError: the last month has not begun.
    """
    if query["last"] > chain.today_on(clock.now()):
        raise ValidationError({"to": ["This month has not begun."]})
    return Asked(**query)


def answered(formulas: Formulas, rows: Any) -> dict[str, Any]:
    """Put the rows under their formulas."""
    told = [{"figure": figure, "formula": formula} for figure, formula in formulas.items()]
    return {"computed_at": asking.counted_at(), "formulas": told, "rows": rows}
