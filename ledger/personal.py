"""What the books hold about a member."""

from uuid import UUID

from sqlalchemy import func, select

from ledger.models import Entry, Line
from members.holding import Rows, holds, rows_of


@holds("entries", tables=("entry", "line"))
def entries(member_id: UUID) -> Rows:
    """Every event that was booked for them, with its debits and credits."""
    line = func.jsonb_build_object(
        "store_id",
        Line.store_id,
        "debit",
        Line.debit,
        "credit",
        Line.credit,
        "amount",
        Line.amount,
        "cups",
        Line.qty,
        "lot_id",
        Line.lot_id,
    )
    lines = (
        select(func.jsonb_agg(line))
        .where(
            Line.member_id == Entry.member_id,
            Line.book_date == Entry.book_date,
            Line.entry_id == Entry.id,
        )
        .scalar_subquery()
    )
    return rows_of(
        select(
            Entry.id,
            Entry.kind,
            Entry.source_id,
            Entry.event_at,
            Entry.book_date.label("booked_on"),
            Entry.currency,
            Entry.reverses_id.label("undoes_id"),
            lines.label("lines"),
        )
        .where(Entry.member_id == member_id)
        .order_by(Entry.id)
    )
