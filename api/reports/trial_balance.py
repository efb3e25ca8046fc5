"""Every account: what it held, what was booked on it, what it holds."""

from typing import Any

from marshmallow import Schema, fields

import chain
from api.auth import OfficeCaller
from api.fields import Integer, Text
from api.refusals import RangeTooWide
from api.reports.asking import DaysQuery, DaysView, days_of, entity_field, report, store_field
from api.tables import column, rows_of
from kernel.errors import NotFound
from ledger import chart
from ledger.errors import PeriodInvalid
from ledger.reports import totals, trial_balance

_MOST_DAYS = 1_098
"""Three years, one of them a leap year, and a day."""


class TrialBalanceQuery(DaysQuery):
    """Which days, and whose books."""

    store_id = store_field()
    legal_entity_id = entity_field()


class BalanceView(Schema):
    """One account over some days. Debits are positive, so what is owed is negative."""

    account = column.Text("Its code.")
    name = column.Text("What it is called on the last day.", allow_none=True)
    external_code = column.Text("Its code in the chain's own accounting.", allow_none=True)
    kind = column.Text("asset, liability, income or expense.", allow_none=True)
    currency = column.Text("ISO 4217.")
    opening = column.Money("What it held before the first day, in minor units.")
    debit = column.Money("What was debited.")
    credit = column.Money("What was credited.")
    closing = column.Money("opening + debit - credit.")


class SumsView(Schema):
    """All accounts in one currency. Debits are credits, and nothing is held in all."""

    currency = Text(required=True, metadata={"description": "ISO 4217."})
    opening = Integer(required=True, metadata={"description": "Of all accounts: 0."})
    debit = Integer(required=True, metadata={"description": "What was debited."})
    credit = Integer(required=True, metadata={"description": "What was credited."})
    closing = Integer(required=True, metadata={"description": "Of all accounts: 0."})
    difference = Integer(
        required=True, metadata={"description": "debit - credit: 0 in sound books."}
    )


class TrialBalanceView(DaysView):
    """The trial balance of some days."""

    formula = Text(required=True, metadata={"description": "How each row adds up."})
    control = fields.List(
        fields.Nested(SumsView),
        required=True,
        metadata={"description": "The sums by currency, with their difference."},
    )
    rows = rows_of(BalanceView, "By account.")


@report(
    "/trial-balance",
    query=TrialBalanceQuery,
    answer=TrialBalanceView,
    refusals=(PeriodInvalid, RangeTooWide, NotFound),
)
def read_trial_balance(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read what every account held, what was booked on it, and what it holds.

    Of the chain, a store or a legal entity; over a month or up to three years of days.
    """
    del caller
    first, last = days_of(query, most=_MOST_DAYS)
    whose = {name: query[name] for name in ("store_id", "legal_entity_id")}
    if whose["store_id"] is not None:
        chain.get_store(whose["store_id"])
    if whose["legal_entity_id"] is not None:
        chain.get_legal_entity(whose["legal_entity_id"])
    rows = trial_balance(first, last, **whose)
    called = {account.code: account for account in chart.list_accounts(on=last)}
    return {
        "first": first,
        "last": last,
        "formula": "opening + debit - credit = closing",
        "control": totals(rows),
        "rows": (
            (
                row.account,
                *((label.name, label.external_code) if label else (None, None)),
                *row[1:],
            )
            for row, label in ((row, called.get(row.account)) for row in rows)
        ),
    }
