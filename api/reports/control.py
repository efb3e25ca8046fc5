"""A report's totals against the trial balance: a difference is shown, never hidden."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from marshmallow import fields

from api.fields import Integer, Schema, Text
from ledger.reports import Control, trial_balance
from ledger.reports.control import control

Amounts = Iterable[tuple[str, int]]
"""Amounts with their currencies."""


class ControlView(Schema):
    """One total of the report, and what the trial balance says."""

    total = Text(required=True, metadata={"description": "Which total.", "example": "closing"})
    accounts = Text(
        required=True,
        metadata={"description": "Of which accounts.", "example": "2131 2132 2134 2138"},
    )
    currency = Text(required=True, metadata={"description": "ISO 4217."})
    reported = Integer(required=True, metadata={"description": "What the rows add up to."})
    books = Integer(required=True, metadata={"description": "What the trial balance says."})
    difference = Integer(required=True, metadata={"description": "reported - books."})


def control_field(about: str = "The totals against the trial balance.") -> fields.List[Any]:
    """Declare the control totals of an answer."""
    return fields.List(fields.Nested(ControlView), required=True, metadata={"description": about})


def shown(total: str, accounts: Sequence[str], found: Iterable[Control]) -> list[dict[str, Any]]:
    """Say of which total and accounts a control is."""
    about = {"total": total, "accounts": " ".join(accounts)}
    return [{**about, **one._asdict()} for one in found]


def compared(
    total: str, accounts: Sequence[str], *, reported: Amounts, books: Amounts
) -> list[dict[str, Any]]:
    """Hold a total against the books, by currency."""
    return shown(total, accounts, control(reported, books))


def owed_by(
    accounts: Sequence[str],
    first_on: date,
    last_on: date,
    *,
    store_id: UUID | None = None,
    legal_entity_id: UUID | None = None,
) -> list[tuple[str, int]]:
    """What the trial balance of some days closes some accounts with, credits positive."""
    trial = trial_balance(first_on, last_on, store_id=store_id, legal_entity_id=legal_entity_id)
    return [(row.currency, -row.closing) for row in trial if row.account in accounts]
