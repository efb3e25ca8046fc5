"""Which store owes which."""

from typing import Any

from marshmallow import Schema

import ledger
from api.auth import OfficeCaller
from api.reports.asking import MonthlyView, month_of, monthly
from api.tables import column, rows_of


class OwedView(Schema):
    """What one store owes another."""

    sold_at_id = column.Id("The store that owes.")
    made_at_id = column.Id("The store that is owed.")
    currency = column.Text("ISO 4217.")
    cups = column.Cups("Sold at one, made at the other.")
    amount = column.Money("In minor units of `currency` (whole dollars for TWD), net of VAT.")


class SettlementView(MonthlyView):
    """What stores owe one another for a month."""

    rows = rows_of(OwedView, "By pair of stores.")


@monthly("/settlement", answer=SettlementView)
def settlement(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read what stores owe one another for cups sold at one and made at another."""
    del caller
    month = month_of(query)
    return {"period": str(month), "rows": ledger.settlement(month)}
