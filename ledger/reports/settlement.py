"""Settlement: what stores owe one another for cups sold at one and made at another."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple
from uuid import UUID

from ledger import policy
from ledger.month import Month
from ledger.reports.owners import OWNER, stores_of
from ledger.reports.reading import read, with_ids
from ledger.reports.sources import MOVED
from ledger.statement import filled


class Owed(NamedTuple):
    """One cell of the matrix: what the selling store owes the store that made the cups.

    `opening + amount − paid = closing`. `amount` is what the month's cups carried, less what was
    voided; `cups` counts the same. By the selling store's book (2171).
    """

    sold_at_id: UUID
    made_at_id: UUID
    currency: str
    cups: int
    amount: int
    paid: int
    opening: int
    closing: int


class StatementLine(NamedTuple):
    """What a store, or a legal entity, and one other owe in one direction.

    `opening + owed − voided − paid = closing`, each positive when the debtor owes. `payable` is by
    the book of whom the statement is for (2171), `receivable` too (1171).
    """

    counterpart_id: UUID
    direction: Literal["payable", "receivable"]
    currency: str
    cups: int
    opening: int
    owed: int
    voided: int
    paid: int
    closing: int


_MATRIX = """
WITH {moved}
SELECT store_id::text, counterpart_store_id::text, currency,
       total(cups) FILTER (WHERE kind NOT IN ('opening', 'settlement')),
       total(amount) FILTER (WHERE kind NOT IN ('opening', 'settlement')),
       -total(amount) FILTER (WHERE kind = 'settlement'),
       total(amount) FILTER (WHERE kind = 'opening'),
       total(amount)
FROM moved
GROUP BY moved.store_id, moved.counterpart_store_id, currency
HAVING total(amount) FILTER (WHERE kind = 'opening') <> 0 OR bool_or(kind <> 'opening')
ORDER BY moved.store_id, moved.counterpart_store_id, currency
"""
_MATRIX = filled(_MATRIX, moved=MOVED)

_STATEMENT = """
WITH {moved}, {owner}, signed AS (
    SELECT CASE WHEN %(is_entity)s THEN coalesce(owner.legal_entity_id, counterpart_store_id)
                ELSE counterpart_store_id END AS counterpart_id,
           CASE account WHEN %(payable)s THEN 'payable' ELSE 'receivable' END AS direction,
           currency, kind,
           CASE account WHEN %(payable)s THEN amount ELSE -amount END AS amount,
           CASE account WHEN %(payable)s THEN cups ELSE -cups END AS cups
    FROM moved LEFT JOIN owner ON owner.store_id = counterpart_store_id
)
SELECT counterpart_id, direction, currency,
       total(cups) FILTER (WHERE kind NOT IN ('opening', 'settlement')),
       total(amount) FILTER (WHERE kind = 'opening'),
       total(amount) FILTER (WHERE kind NOT IN ('opening', 'settlement', 'void', 'rest')),
       -total(amount) FILTER (WHERE kind IN ('void', 'rest')),
       -total(amount) FILTER (WHERE kind = 'settlement'),
       total(amount)
FROM signed
GROUP BY counterpart_id, direction, currency
HAVING total(amount) FILTER (WHERE kind = 'opening') <> 0 OR bool_or(kind <> 'opening')
ORDER BY counterpart_id, direction, currency
"""
_STATEMENT = filled(_STATEMENT, moved=MOVED, owner=OWNER)


def settlement_matrix(month: Month) -> Sequence[Owed]:
    """What each store owes each other one, and how that moved in a month, by book date."""
    asked = _asked(month, accounts=[policy.DUE_TO_STORE], store_ids=None)
    return read(_MATRIX, asked, with_ids(Owed))


def settlement_statement(
    month: Month, *, store_id: UUID | None = None, legal_entity_id: UUID | None = None
) -> Sequence[StatementLine]:
    """A store's dealings with the others in a month, or a legal entity's with others.

    A legal entity is the stores that it owns in the month, with all that they ever owed; the
    others are summed by their owner in the month. Stores of one owner owe one another too: those
    lines name the entity itself, so that the statement agrees with the books.

    Raises:
        ValueError: neither or both are named.
    """
    if (store_id is None) == (legal_entity_id is None):
        raise ValueError("a statement is of one store or of one legal entity")
    mine = (
        [store_id]
        if legal_entity_id is None
        else stores_of(legal_entity_id, month_on=month.first_on)
    )
    asked = {
        **_asked(month, accounts=[policy.DUE_TO_STORE, policy.DUE_FROM_STORE], store_ids=mine),
        "is_entity": legal_entity_id is not None,
        "payable": policy.DUE_TO_STORE,
        "owned_on": month.first_on,
    }
    return read(_STATEMENT, asked, StatementLine._make)


def _asked(
    month: Month, *, accounts: Sequence[str], store_ids: Sequence[UUID | None] | None
) -> dict[str, Any]:
    return {
        "first_on": month.first_on,
        "next_on": month.next_on,
        "accounts": accounts,
        "store_ids": store_ids,
    }
