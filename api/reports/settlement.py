"""Which store owes which: the matrix, and statements of one store or legal entity."""

from collections.abc import Sequence
from typing import Any

from marshmallow import Schema, ValidationError

import chain
from api.auth import OfficeCaller
from api.fields import Id, Text
from api.reports.asking import MonthlyView, PeriodQuery, month_of, monthly, report
from api.reports.control import compared, control_field, owed_by, shown
from api.reports.naming import named
from api.tables import column, rows_of
from kernel.errors import NotFound
from ledger.errors import PeriodInvalid
from ledger.month import Month
from ledger.policy import DUE_FROM_STORE, DUE_TO_STORE
from ledger.reports import (
    Owed,
    StatementLine,
    control_settlement,
    settlement_matrix,
    settlement_statement,
)

_MONEY = "In minor units of `currency` (whole dollars for TWD), net of VAT."


class OwedView(Schema):
    """What one store owes another."""

    sold_at_id = column.Id("The store that owes.")
    sold_at_code = column.Text("What the chain calls it.", allow_none=True)
    sold_at_name = column.Text("What people call it.", allow_none=True)
    made_at_id = column.Id("The store that is owed.")
    made_at_code = column.Text("What the chain calls it.", allow_none=True)
    made_at_name = column.Text("What people call it.", allow_none=True)
    currency = column.Text("ISO 4217.")
    cups = column.Cups("Sold at one, made at the other, in the month; less what was voided.")
    opening = column.Money(f"Owed when the month began. {_MONEY}")
    amount = column.Money("What the month's cups carried, less what was voided.")
    paid = column.Money("What was paid in the month.")
    closing = column.Money("Owed at its end.")


class SettlementView(MonthlyView):
    """What stores owe one another for a month."""

    formula = Text(required=True, metadata={"description": "How each row adds up."})
    control = control_field(
        "Against what stores owe others (2171), and what others owe them (1171)."
    )
    rows = rows_of(OwedView, "By pair of stores.")


@monthly("/settlement", answer=SettlementView)
def settlement(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read what stores owe one another for cups sold at one and made at another."""
    del caller
    month = month_of(query)
    rows = settlement_matrix(month)
    return {
        "period": str(month),
        "formula": "opening + amount - paid = closing",
        "control": _control(rows, month),
        "rows": named(rows, OwedView),
    }


class StatementQuery(PeriodQuery):
    """Which month, and whose statement."""

    store_id = Id(load_default=None, metadata={"description": "The store whose statement it is."})
    legal_entity_id = Id(
        load_default=None,
        metadata={"description": "Or the legal entity: all stores that it owns in the month."},
    )


class StatementLineView(Schema):
    """What one counterpart and the store, or legal entity, owe in one direction."""

    counterpart_id = column.Id("The other store, or the other legal entity.")
    counterpart_code = column.Text("What the chain calls it.", allow_none=True)
    counterpart_name = column.Text("What people call it.", allow_none=True)
    direction = column.Text("`payable`: to the counterpart; `receivable`: from it.")
    currency = column.Text("ISO 4217.")
    cups = column.Cups("Of the month, less what was voided.")
    opening = column.Money(f"Owed when the month began. {_MONEY}")
    owed = column.Money("What the month's cups carried.")
    voided = column.Money("What of it was voided.")
    paid = column.Money("What was paid in the month.")
    closing = column.Money("Owed at its end.")


class StatementView(MonthlyView):
    """A settlement statement of a month."""

    store_id = Id(
        required=True, allow_none=True, metadata={"description": "Whose it is, if a store's."}
    )
    legal_entity_id = Id(
        required=True,
        allow_none=True,
        metadata={"description": "Whose it is, if a legal entity's."},
    )
    code = Text(required=True, metadata={"description": "What the chain calls them."})
    name = Text(required=True, metadata={"description": "What people call them."})
    formula = Text(required=True, metadata={"description": "How each row adds up."})
    control = control_field("Against what is owed by their books (2171) and to them (1171).")
    rows = rows_of(StatementLineView, "By counterpart and direction.")


@report(
    "/settlement-statements",
    query=StatementQuery,
    answer=StatementView,
    refusals=(PeriodInvalid, NotFound),
)
def settlement_statements(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read what a store, or a legal entity, settles with each other one."""
    del caller
    month = month_of(query)
    whose = {name: query[name] for name in ("store_id", "legal_entity_id")}
    if sum(one is not None for one in whose.values()) != 1:
        raise ValidationError({"store_id": ["Give one of store_id and legal_entity_id."]})
    is_store = query["store_id"] is not None
    called = (
        chain.get_store(query["store_id"])
        if is_store
        else chain.get_legal_entity(query["legal_entity_id"])
    )
    rows = settlement_statement(month, **whose)
    return {
        "period": str(month),
        **whose,
        "code": called.code,
        "name": called.name,
        "formula": "opening + owed - voided - paid = closing",
        "control": _statement_control(rows, month, whose),
        "rows": named(rows, StatementLineView, entities=() if is_store else ("counterpart",)),
    }


def _control(rows: Sequence[Owed], month: Month) -> list[dict[str, Any]]:
    due_from = owed_by([DUE_FROM_STORE], month.first_on, month.last_on)
    return [
        *shown("closing", [DUE_TO_STORE], control_settlement(rows, month=month)),
        *compared(
            "closing",
            [DUE_FROM_STORE],
            reported=((row.currency, row.closing) for row in rows),
            books=((currency, -amount) for currency, amount in due_from),
        ),
    ]


def _statement_control(
    lines: Sequence[StatementLine], month: Month, whose: dict[str, Any]
) -> list[dict[str, Any]]:
    found = []
    for direction, account, sign in (
        ("payable", DUE_TO_STORE, 1),
        ("receivable", DUE_FROM_STORE, -1),
    ):
        owed = owed_by([account], month.first_on, month.last_on, **whose)
        found += compared(
            f"{direction} closing",
            [account],
            reported=[
                (line.currency, line.closing) for line in lines if line.direction == direction
            ],
            books=[(currency, sign * amount) for currency, amount in owed],
        )
    return found
