"""What finance reads: what is owed to shoppers, and which store owes which."""

from typing import Any

from marshmallow import Schema, fields

import chain
import ledger
from api.auth import OfficeCaller, office
from api.fields import Id, Integer, Text
from api.routing import Resource
from kernel import clock
from ledger.reports import Month, PeriodInvalid

reports = Resource("reports", "/v1/reports", "Reports: the books, as finance reads them.")

finance = office("finance", "admin")


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


_MONEY = "In minor units of `currency` (whole dollars for TWD), net of VAT."


def _money() -> Integer:
    return Integer(required=True, metadata={"description": _MONEY})


def _cups() -> Integer:
    return Integer(required=True, metadata={"description": "The same in cups."})


class MovementView(Schema):
    """What one store owes for one offer, and how it moved."""

    store_id = Id(required=True, metadata={"description": "The store that sold the cups."})
    offer_id = Id(required=True, metadata={"description": "What was sold."})
    account = Text(required=True, metadata={"description": "2131 vouchers, 2132 plans."})
    currency = Text(required=True, metadata={"description": "ISO 4217."})
    opening, sold, redeemed = _money(), _money(), _money()
    voided, lapsed, closing = _money(), _money(), _money()
    cups_opening, cups_sold, cups_redeemed = _cups(), _cups(), _cups()
    cups_voided, cups_lapsed, cups_closing = _cups(), _cups(), _cups()


class RollForwardView(Schema):
    """The deferred revenue of a month."""

    period = Text(required=True, metadata={"description": "The month."})
    formula = Text(required=True, metadata={"description": "How each row adds up."})
    rows = fields.List(
        fields.Nested(MovementView), required=True, metadata={"description": "By store and offer."}
    )


class OwedView(Schema):
    """What one store owes another."""

    sold_at_id = Id(required=True, metadata={"description": "The store that owes."})
    made_at_id = Id(required=True, metadata={"description": "The store that is owed."})
    currency = Text(required=True, metadata={"description": "ISO 4217."})
    cups = Integer(required=True, metadata={"description": "Sold at one, made at the other."})
    amount = _money()


class SettlementView(Schema):
    """What stores owe one another for a month."""

    period = Text(required=True, metadata={"description": "The month."})
    rows = fields.List(
        fields.Nested(OwedView), required=True, metadata={"description": "By pair of stores."}
    )


@reports.get(
    "/deferred-revenue",
    guard=finance,
    query=PeriodQuery,
    answer=RollForwardView,
    refusals=(PeriodInvalid,),
)
def deferred_revenue(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read the roll-forward of a month: what was owed, what moved, what is owed."""
    del caller
    month = _month(query)
    return {
        "period": str(month),
        "formula": "opening + sold - redeemed + voided - lapsed = closing",
        "rows": ledger.roll_forward(month),
    }


@reports.get(
    "/settlement",
    guard=finance,
    query=PeriodQuery,
    answer=SettlementView,
    refusals=(PeriodInvalid,),
)
def settlement(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read what stores owe one another for cups sold at one and made at another."""
    del caller
    month = _month(query)
    return {"period": str(month), "rows": ledger.settlement(month)}


def _month(query: dict[str, Any]) -> Month:
    return Month.parse(query["period"], today_on=chain.today_on(clock.now()))
