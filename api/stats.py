"""Figures about the business, each with its formula."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

import chain
import subs
from api.auth import OfficeCaller, office
from api.fields import Integer, Schema, Text, Timestamp
from api.routing import Resource
from kernel import clock
from subs import Rate

stats = Resource("stats", "/v1/stats", "Statistics: figures about the business.")

FORMULA = (
    "A cohort is the paid periods of a plan that ended in a month. on_time_rate = on_time / due,"
    " renewal_rate = renewed / due; due: periods that have ended, cancelled or not; renewed:"
    " those whose next period was paid by their end plus the plan's grace; on_time: of these,"
    " those that were paid at the first attempt. No rate before a cohort's grace has passed."
)

_MOST_MONTHS = 120
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)
# For the documents, which cannot know what these fields write.
_AS_MONTH = {"type": "string", "pattern": f"^{_MONTH.pattern}$"}
_AS_RATE = {"type": "string", "pattern": r"^[01]\.[0-9]{4}$"}


class Month(fields.Field[date]):
    """A month of the calendar, YYYY-MM; its first day inside."""

    default_error_messages = {"invalid": "Give a month as YYYY-MM."}  # noqa: RUF012  marshmallow's

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> date:
        del attr, data, kwargs
        if not isinstance(value, str) or not _MONTH.fullmatch(value) or value < "0001":
            raise self.make_error("invalid")
        return date.fromisoformat(f"{value}-01")

    def _serialize(
        self, value: date | None, attr: str | None, obj: Any, **kwargs: Any
    ) -> str | None:
        del attr, obj, kwargs
        return None if value is None else f"{value:%Y-%m}"


class MonthsQuery(Schema):
    """Which months, the first and the last included."""

    first = Month(
        required=True, data_key="from", metadata={"description": "The first month.", **_AS_MONTH}
    )
    last = Month(
        required=True,
        data_key="to",
        metadata={"description": "The last month, this one at the latest.", **_AS_MONTH},
    )

    @validates_schema
    def refuse_odd_span(self, months: dict[str, Any], **_: Any) -> None:
        """Refuse spans that are turned round or endless."""
        first, last = months["first"], months["last"]
        if first > last:
            raise ValidationError("Comes after the last month.", "from")
        if (last.year - first.year) * 12 + last.month - first.month >= _MOST_MONTHS:
            raise ValidationError(f"More than {_MOST_MONTHS} months.", "from")


class RenewalRateView(Schema):
    """One plan's cohort of one month."""

    month = Month(
        required=True,
        attribute="counted.month_on",
        metadata={"description": "Of ends.", **_AS_MONTH},
    )
    plan = Text(required=True, attribute="plan.code", metadata={"description": "The plan's code."})
    version = Integer(
        required=True, attribute="plan.version.version", metadata={"description": "Of its terms."}
    )
    due = Integer(
        required=True, attribute="counted.due", metadata={"description": "Periods that ended."}
    )
    on_time = Integer(
        required=True,
        attribute="counted.on_time",
        metadata={"description": "Renewed at the first attempt."},
    )
    renewed = Integer(
        required=True,
        attribute="counted.renewed",
        metadata={"description": "Renewed by the end of the grace."},
    )
    is_mature = fields.Boolean(
        required=True, metadata={"description": "Whether the grace of all of them had passed."}
    )
    matures_at = Timestamp(
        required=True,
        attribute="counted.matures_at",
        metadata={"description": "When that is, or was."},
    )
    on_time_rate = fields.Decimal(
        required=True,
        places=4,
        as_string=True,
        allow_none=True,
        metadata={"description": "A decimal from 0 to 1; null if not mature.", **_AS_RATE},
    )
    renewal_rate = fields.Decimal(
        required=True,
        places=4,
        as_string=True,
        allow_none=True,
        metadata={"description": "A decimal from 0 to 1; null if not mature.", **_AS_RATE},
    )


class RenewalRatesView(Schema):
    """Renewal rates, and how they are counted."""

    formula = Text(required=True, metadata={"description": "What the figures mean."})
    computed_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When they were counted."}
    )
    items = fields.List(
        fields.Nested(RenewalRateView),
        required=True,
        metadata={"description": "By month, then by plan."},
    )


@stats.get(
    "/renewals", guard=office("finance", "admin"), query=MonthsQuery, answer=RenewalRatesView
)
def list_renewal_rates(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read how many periods were renewed, by month and plan.

    Counted anew every hour from the periods themselves, so the same periods give the same numbers.
    """
    del caller
    if query["last"] > _this_month():
        raise ValidationError({"to": ["This month has not begun."]})
    rates: list[Rate] = subs.list_rates(**query)
    computed_at = rates[0].counted.computed_at if rates else None
    return {"formula": FORMULA, "computed_at": computed_at, "items": rates}


def _this_month() -> date:
    """The month that it is where the chain is."""
    return chain.today_on(clock.now()).replace(day=1)
