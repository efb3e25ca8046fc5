"""The books read back by plain SQL over lines, and months put into a state at once."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from kernel.db import db
from kernel.transaction import transaction
from ledger.models import BookMonth
from ledger.month import Month

JANUARY, FEBRUARY, MARCH, APRIL = (Month(date(2026, month, 1)) for month in (1, 2, 3, 4))

_BALANCES = text("""
SELECT account, sum(amount)::bigint FROM (
    SELECT debit AS account, amount FROM line WHERE store_id = :store_id AND book_date <= :until
    UNION ALL
    SELECT credit, -amount FROM line WHERE store_id = :store_id AND book_date <= :until
) legs GROUP BY account HAVING sum(amount) <> 0
""")
_ENTRIES = text("""
SELECT entry.occurred_on::text, entry.book_date::text, line.debit, line.credit, line.amount
FROM line JOIN entry ON entry.member_id = line.member_id AND entry.id = line.entry_id
WHERE entry.kind = :kind ORDER BY entry.id, line.ordinal
""")


def noon(month: int, day: int) -> datetime:
    """Noon in Taipei on a day of 2026."""
    return datetime(2026, month, day, 4, tzinfo=UTC)


def after(month: Month) -> datetime:
    """When a month has just passed everywhere on earth."""
    return datetime.combine(month.next_on, time(12), UTC) + timedelta(seconds=1)


def balances(store_id: UUID, *, until: date = date(9999, 1, 1)) -> dict[str, int]:
    """What the accounts of one store hold at the end of a day: debits less credits, none left out.

    Nothing is there that comes to nothing, and all of it together always does.
    """
    with transaction():
        rows = db.session.execute(_BALANCES, {"store_id": store_id, "until": until})
        held: dict[str, int] = dict(tuple(row) for row in rows)
    assert sum(held.values()) == 0
    return held


def entries(kind: str) -> list[tuple[Any, ...]]:
    """The lines of a kind of entry: occurred, booked, debit, credit, amount."""
    with transaction():
        return [tuple(row) for row in db.session.execute(_ENTRIES, {"kind": kind})]


def put(month: Month, state: str) -> None:
    """Put a month into a state, whatever its verbs would say."""
    is_closed = state == "closed"
    row = BookMonth(
        first_on=month.first_on,
        state=state,
        version=1,
        closed_at=after(month) if is_closed else None,
        digest=bytes(32) if is_closed else None,
    )
    with transaction():
        db.session.merge(row)
