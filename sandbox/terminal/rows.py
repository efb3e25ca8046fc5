"""One page of a terminals' table, for reconciliation."""

from collections.abc import Callable
from typing import Any, Literal

from sandbox.store import Document, Session
from sandbox.terminal.requests import Span, not_found

Table = Literal["terminal_payments", "terminal_refunds"]


def page_of(
    session: Session,
    table: Table,
    columns: str,
    span: Span,
    *,
    shown: Callable[[tuple[Any, ...]], Document],
) -> Document:
    """The next rows in order of creation; `next_after` where there are more.

    Raises:
        TerminalError: `after` names no row.
    """
    above = 0 if span.after is None else _position(session, table, span.after)
    rows = session.connection.execute(
        f"SELECT {columns} FROM {table}"  # noqa: S608  both are constants
        " WHERE seq > :above AND created >= :since AND (:until IS NULL OR created < :until)"
        " ORDER BY seq LIMIT :limit",
        {"above": above, "since": span.since, "until": span.until, "limit": span.limit + 1},
    ).fetchall()
    items = [shown(row) for row in rows[: span.limit]]
    return {"items": items, "next_after": items[-1]["id"] if len(rows) > span.limit else None}


def _position(session: Session, table: Table, object_id: str) -> int:
    row = session.connection.execute(
        f"SELECT seq FROM {table} WHERE id = ?",  # noqa: S608  a constant
        (object_id,),
    ).fetchone()
    if row is None:
        raise not_found()
    return int(row[0])
