"""Output VAT."""

from typing import Any

from marshmallow import Schema

from api.auth import OfficeCaller
from api.reports.asking import MonthlyView, month_of, monthly
from api.reports.control import control_field, shown
from api.reports.naming import named
from api.tables import column, rows_of
from ledger.policy import OUTPUT_VAT
from ledger.reports import control_vat, vat_summary


class VatView(Schema):
    """The output VAT of one store by one kind of event."""

    store_id = column.Id("The store whose VAT it is.")
    store_code = column.Text("What the chain calls it.", allow_none=True)
    store_name = column.Text("What people call it.", allow_none=True)
    kind = column.Text("What happened: sale, refund, top_up, …")
    currency = column.Text("ISO 4217.")
    net_charged = column.Money("What was billed, without VAT, in minor units.")
    net_given_back = column.Money("What allowances took back of it.")
    net = column.Money("net_charged - net_given_back.")
    vat_charged = column.Money("The VAT that was billed.")
    vat_given_back = column.Money("What allowances took back of it.")
    vat = column.Money("vat_charged - vat_given_back.")


class VatSummaryView(MonthlyView):
    """The output VAT of a month."""

    control = control_field("The VAT of all rows against what account 2194 moved.")
    rows = rows_of(VatView, "By store and kind.")


@monthly("/vat", answer=VatSummaryView)
def read_vat_summary(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read the output VAT of a month, by store and what happened."""
    del caller
    month = month_of(query)
    rows = vat_summary(month)
    return {
        "period": str(month),
        "control": shown("vat", [OUTPUT_VAT], control_vat(rows, month=month)),
        "rows": named(rows, VatView),
    }
