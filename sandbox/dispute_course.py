"""The course of a dispute: opened, answered, decided, and the money that moves with it.

A dispute takes the money at once and a fee with it; if it is won, the money comes back and the
fee does not. An inquiry moves nothing unless it becomes a dispute. While the bank has the money
the charge cannot be refunded, so nobody is paid twice
(https://docs.stripe.com/disputes/how-disputes-work).
"""

from sandbox import balance
from sandbox.call import Call
from sandbox.cards import Complaint
from sandbox.dispute_objects import new_dispute
from sandbox.errors import StripeError
from sandbox.events import emit
from sandbox.store import Document, Filter

_WON, _LOST, _ESCALATED = "winning_evidence", "losing_evidence", "escalate_inquiry_evidence"
"""What, given as `uncategorized_text`, decides a dispute at once, as in Stripe's test mode."""
OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")


def disputes_about(call: Call, charge: Document) -> list[Document]:
    return call.session.list_older(Filter("dispute", charge=charge["id"]), than=None, limit=100)


def check_disputable(call: Call, charge: Document, amount: int) -> None:
    """Refuse a dispute that no bank could open.

    Raises:
        StripeError: nothing was taken, one is open already, or more is disputed than was taken.
    """
    if charge["status"] != "succeeded":
        raise StripeError(f"The charge {charge['id']} took nothing to dispute.", param="charge")
    if not 1 <= amount <= charge["amount"]:
        raise StripeError(
            "Invalid amount: it must be between 1 and the amount of the charge.", param="amount"
        )
    if any(dispute["status"] in OPEN for dispute in disputes_about(call, charge)):
        raise StripeError(f"The charge {charge['id']} is in dispute already.", param="charge")


def open_dispute(call: Call, charge: Document, complaint: Complaint, *, amount: int) -> Document:
    """The cardholder has complained to the bank."""
    dispute = new_dispute(call, charge, complaint, amount=amount)
    charge["disputed"] = True
    call.session.save(charge)
    call.session.insert(dispute)
    emit(call, "charge.dispute.created", dispute)
    if not complaint.is_inquiry:
        _withdraw(call, dispute)
    return dispute


def submit(call: Call, dispute: Document) -> Document:
    """The bank gets the evidence and, for the texts of Stripe's test mode, decides on it."""
    is_inquiry = dispute["status"].startswith("warning_")
    dispute["status"] = "warning_under_review" if is_inquiry else "under_review"
    dispute["evidence_details"]["submission_count"] += 1
    call.session.save(dispute)
    emit(call, "charge.dispute.updated", dispute)
    text = dispute["evidence"]["uncategorized_text"]
    if text in {_WON, _LOST} or (text == _ESCALATED and is_inquiry):
        return decide(call, dispute, is_won=text == _WON)
    return dispute


def decide(call: Call, dispute: Document, *, is_won: bool) -> Document:
    """The bank has decided.

    Raises:
        StripeError: it had decided before.
    """
    refuse_closed(dispute)
    if not dispute["status"].startswith("warning_"):
        return _close(call, dispute, is_won=is_won)
    if is_won:
        dispute["status"] = "warning_closed"
        call.session.save(dispute)
        emit(call, "charge.dispute.closed", dispute)
        return dispute
    dispute |= {"is_charge_refundable": False, "status": "needs_response"}
    dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    call.session.save(dispute)
    emit(call, "charge.dispute.updated", dispute)
    _withdraw(call, dispute)
    return dispute


def end_inquiries(call: Call, charge: Document) -> None:
    """What is refunded in full leaves the bank nothing to ask about."""
    for dispute in disputes_about(call, charge):
        if dispute["status"] in {"warning_needs_response", "warning_under_review"}:
            decide(call, dispute, is_won=True)


def refuse_closed(dispute: Document) -> None:
    if dispute["status"] not in OPEN:
        raise StripeError(f"This dispute is closed: its status is {dispute['status']}.")


def _withdraw(call: Call, dispute: Document) -> None:
    dispute["balance_transactions"].append(balance.record_withdrawal(call, dispute))
    call.session.save(dispute)
    emit(call, "charge.dispute.funds_withdrawn", dispute)


def _close(call: Call, dispute: Document, *, is_won: bool) -> Document:
    dispute |= {"is_charge_refundable": is_won, "status": "won" if is_won else "lost"}
    if is_won:
        dispute["balance_transactions"].append(balance.record_reinstatement(call, dispute))
    call.session.save(dispute)
    emit(call, "charge.dispute.closed", dispute)
    if is_won:
        emit(call, "charge.dispute.funds_reinstated", dispute)
    return dispute
