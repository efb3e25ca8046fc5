"""What becomes of a refund: most are done at once, some take a while, some fail afterwards.

As at Stripe, a refund that fails brings the money back to the merchant's balance, and the charge
counts as not refunded by it (https://docs.stripe.com/refunds#failed-refunds).
"""

from sandbox import balance, faults, payment_methods, real_time
from sandbox.call import Call
from sandbox.cards import Refunding
from sandbox.events import emit
from sandbox.store import Document, Session

USUAL_FAILURE = "expired_or_canceled_card"
FAILURES = (USUAL_FAILURE, "lost_or_stolen_card", "unknown")


def begin(call: Call, refund: Document) -> None:
    """Where the card says so, let the refund wait, and change by itself a while later."""
    method = call.get("payment_method", refund["payment_method"], param="charge")
    refunding = payment_methods.card_of(call, method).refunding
    if refunding is Refunding.AT_ONCE:
        return
    if refunding is Refunding.PENDING:
        refund |= {"pending_reason": "processing", "status": "pending"}
    wait_ms = faults.amount(call.session, "settle_refunds_ms")
    call.session.connection.execute(
        "INSERT INTO refunds_to_settle (refund_id, outcome, due_at) VALUES (?, ?, ?)",
        (
            refund["id"],
            "succeeded" if refunding is Refunding.PENDING else "failed",
            real_time.seconds() + wait_ms / 1000,
        ),
    )


def settle_due(call: Call) -> None:
    """Settle what has waited long enough by the machine's time."""
    due = call.session.connection.execute(
        "SELECT refund_id, outcome FROM refunds_to_settle WHERE due_at <= ? ORDER BY due_at",
        (real_time.seconds(),),
    ).fetchall()
    for refund_id, outcome in due:
        refund = call.get("refund", refund_id, param="id")
        settle(call, refund, failure=USUAL_FAILURE if outcome == "failed" else None)


def seconds_until_next(session: Session) -> float | None:
    """Until the next one is due; None where none waits."""
    (due_at,) = session.connection.execute("SELECT min(due_at) FROM refunds_to_settle").fetchone()
    return None if due_at is None else float(due_at) - real_time.seconds()


def settle(call: Call, refund: Document, *, failure: str | None) -> Document:
    """The bank has done its part, or could not, for the reason given."""
    call.session.connection.execute(
        "DELETE FROM refunds_to_settle WHERE refund_id = ?", (refund["id"],)
    )
    refund.pop("pending_reason", None)
    if failure is None:
        refund["status"] = "succeeded"
        keep_update(call, refund)
        return refund
    refund |= {
        "failure_balance_transaction": balance.record_refund_failure(call, refund),
        "failure_reason": failure,
        "status": "failed",
    }
    _give_back(call, refund)
    keep_update(call, refund)
    emit(call, "refund.failed", refund)
    return refund


def keep_update(call: Call, refund: Document) -> None:
    """Keep a changed refund, also where its charge shows it, and tell of it."""
    charge = call.get("charge", refund["charge"], param="charge")
    shown = charge["refunds"]
    shown["data"] = [refund if one["id"] == refund["id"] else one for one in shown["data"]]
    call.session.save(charge)
    call.session.save(refund)
    emit(call, "refund.updated", refund)
    emit(call, "charge.refund.updated", refund)


def _give_back(call: Call, refund: Document) -> None:
    charge = call.get("charge", refund["charge"], param="charge")
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    call.session.save(charge)
