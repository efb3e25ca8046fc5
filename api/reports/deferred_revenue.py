"""What is owed to those who paid for cups, and how it moved."""

from typing import Any

from marshmallow import Schema

import ledger
from api.auth import OfficeCaller
from api.fields import Text
from api.reports.asking import MonthlyView, month_of, monthly
from api.tables import column, rows_of

_MONEY = "In minor units of `currency` (whole dollars for TWD), net of VAT."


def _money() -> column.Money:
    return column.Money(_MONEY)


def _cups() -> column.Cups:
    return column.Cups("The same in cups.")


class MovementView(Schema):
    """What one store owes for one offer, and how it moved."""

    store_id = column.Id("The store that sold the cups.")
    offer_id = column.Id("What was sold.")
    account = column.Text("2131 vouchers, 2132 plans.")
    currency = column.Text("ISO 4217.")
    opening, sold, redeemed = _money(), _money(), _money()
    voided, lapsed, closing = _money(), _money(), _money()
    cups_opening, cups_sold, cups_redeemed = _cups(), _cups(), _cups()
    cups_voided, cups_lapsed, cups_closing = _cups(), _cups(), _cups()


class RollForwardView(MonthlyView):
    """The deferred revenue of a month."""

    formula = Text(required=True, metadata={"description": "How each row adds up."})
    rows = rows_of(MovementView, "By store and offer.")


@monthly("/deferred-revenue", answer=RollForwardView)
def deferred_revenue(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read the roll-forward of a month: what was owed, what moved, what is owed."""
    del caller
    month = month_of(query)
    return {
        "period": str(month),
        "formula": "opening + sold - redeemed + voided - lapsed = closing",
        "rows": ledger.roll_forward(month),
    }
