"""Refunds of payments at a terminal, never more than was paid."""

import json
from typing import Any

from kernel import clock
from sandbox.store import Document, Session
from sandbox.terminal import payments
from sandbox.terminal.requests import Span, conflict, not_found
from sandbox.terminal.rows import page_of

_COLUMNS = "id, request, status, reason"


def put(session: Session, refund_id: str, terms: dict[str, Any]) -> Document:
    """Give money back to the card, once under an id; a refund that failed stays failed.

    Raises:
        TerminalError: the id stands for other terms, or no such payment was made.
    """
    known = _find(session, refund_id)
    if known is not None:
        if any(known[key] != value for key, value in terms.items()):
            raise conflict()
        return known
    reason = _obstacle(payments.get(session, terms["payment"]), terms["amount"])
    if reason is None:
        payments.give_back(session, terms["payment"], terms["amount"])
    session.connection.execute(
        "INSERT INTO terminal_refunds (id, created, request, status, reason)"
        " VALUES (?, ?, ?, ?, ?)",
        (
            refund_id,
            clock.now().timestamp(),
            json.dumps(terms),
            "done" if reason is None else "failed",
            reason,
        ),
    )
    return get(session, refund_id)


def get(session: Session, refund_id: str) -> Document:
    """The refund of that id.

    Raises:
        TerminalError: there is none.
    """
    known = _find(session, refund_id)
    if known is None:
        raise not_found()
    return known


def list_page(session: Session, span: Span) -> Document:
    """Refunds in the order in which they were asked for."""
    return page_of(session, "terminal_refunds", _COLUMNS, span, shown=_shown)


def _obstacle(payment: payments.Payment, amount: int) -> str | None:
    if not payment.is_approved:
        return "not_paid"
    return "more_than_paid" if amount > payment.left else None


def _find(session: Session, refund_id: str) -> Document | None:
    row = session.connection.execute(
        f"SELECT {_COLUMNS} FROM terminal_refunds WHERE id = ?",  # noqa: S608  a constant
        (refund_id,),
    ).fetchone()
    return None if row is None else _shown(row)


def _shown(row: tuple[Any, ...]) -> Document:
    refund_id, request, status, reason = row
    return {"id": refund_id, **json.loads(request), "status": status, "reason": reason}
