"""Payments at a terminal: they wait for a card, which is approved or declined."""

import json
import secrets
from dataclasses import dataclass
from typing import Any

from kernel import clock
from sandbox import faults, real_time
from sandbox.store import Document, Session
from sandbox.terminal.requests import Span, TerminalError, conflict, not_found
from sandbox.terminal.rows import page_of

_CARD = json.dumps({"brand": "visa", "last4": "4242"})
_COLUMNS = "id, request, status, approval_code, card, refunded, reason"


@dataclass(frozen=True)
class Payment:
    """A payment as it stands."""

    document: Document

    @property
    def is_approved(self) -> bool:
        return bool(self.document["status"] == "approved")

    @property
    def left(self) -> int:
        """What can still be refunded."""
        return int(self.document["amount"]) - int(self.document["refunded"])


def put(session: Session, payment_id: str, terms: dict[str, Any]) -> Document:
    """Show an amount on a terminal, once under an id.

    Raises:
        TerminalError: the id stands for other terms.
    """
    known = _find(session, payment_id)
    if known is None:
        session.connection.execute(
            "INSERT INTO terminal_payments (id, created, request, status, waits_since)"
            " VALUES (?, ?, ?, 'waiting', ?)",
            (payment_id, clock.now().timestamp(), json.dumps(terms), real_time.seconds()),
        )
        return get(session, payment_id).document
    if any(known[key] != value for key, value in terms.items()):
        raise conflict()
    return known


def get(session: Session, payment_id: str) -> Payment:
    """The payment of that id.

    Raises:
        TerminalError: there is none.
    """
    known = _find(session, payment_id)
    if known is None:
        raise not_found()
    return Payment(known)


def cancel(session: Session, payment_id: str) -> Document:
    """Take the amount off the terminal. What a card has decided stays decided."""
    session.connection.execute(
        "UPDATE terminal_payments SET status = 'cancelled', reason = 'cancelled'"
        " WHERE id = ? AND status = 'waiting'",
        (payment_id,),
    )
    return get(session, payment_id).document


def tap(session: Session, payment_id: str, *, is_approved: bool) -> Document:
    """Hold a card to the terminal.

    Raises:
        TerminalError: no such payment, or nothing waits for a card.
    """
    if get(session, payment_id).document["status"] != "waiting":
        raise TerminalError(conflict().status, "not_waiting")
    _decide(session, payment_id, is_approved=is_approved)
    return get(session, payment_id).document


def tap_by_themselves(session: Session) -> None:
    """Where nobody stands at the terminals: hold a good card to each that has waited a moment."""
    if not faults.amount(session, "terminal_taps"):
        return
    waited_s = faults.amount(session, "terminal_tap_ms") / 1000
    waiting = session.connection.execute(
        "SELECT id FROM terminal_payments WHERE status = 'waiting' AND waits_since <= ?",
        (real_time.seconds() - waited_s,),
    ).fetchall()
    for (payment_id,) in waiting:
        _decide(session, payment_id, is_approved=True)


def give_back(session: Session, payment_id: str, amount: int) -> None:
    session.connection.execute(
        "UPDATE terminal_payments SET refunded = refunded + ? WHERE id = ?", (amount, payment_id)
    )


def list_page(session: Session, span: Span) -> Document:
    """Payments in the order in which they were made."""
    return page_of(session, "terminal_payments", _COLUMNS, span, shown=_shown)


def _decide(session: Session, payment_id: str, *, is_approved: bool) -> None:
    session.connection.execute(
        "UPDATE terminal_payments SET status = ?, approval_code = ?, card = ?, reason = ?"
        " WHERE id = ?",
        (
            "approved" if is_approved else "declined",
            f"{secrets.randbelow(10**6):06}" if is_approved else None,
            _CARD,
            None if is_approved else "card_declined",
            payment_id,
        ),
    )


def _find(session: Session, payment_id: str) -> Document | None:
    row = session.connection.execute(
        f"SELECT {_COLUMNS} FROM terminal_payments WHERE id = ?",  # noqa: S608  a constant
        (payment_id,),
    ).fetchone()
    return None if row is None else _shown(row)


def _shown(row: tuple[Any, ...]) -> Document:
    payment_id, request, status, approval_code, card, refunded, reason = row
    return {
        "id": payment_id,
        **json.loads(request),
        "status": status,
        "approval_code": approval_code,
        "card": None if card is None else json.loads(card),
        "refunded": refunded,
        "reason": reason,
    }
