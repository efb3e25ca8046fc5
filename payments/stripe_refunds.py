"""Stripe's refunds and disputes, read as the house sees them.

https://docs.stripe.com/refunds#failed-refunds, https://docs.stripe.com/disputes/how-disputes-work
"""

from datetime import UTC, datetime
from typing import Any, Literal

from payments.exchanged import Returning, SeenDispute, SeenRepayment
from payments.stripe_payments import id_of_ours, ref_of, whole

_REFUND: dict[str, Returning] = {
    "pending": "processing",
    "requires_action": "processing",
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "failed",
}

_Decided = Literal["inquiry", "open", "won", "lost"]
# An early fraud question or one that was prevented takes no money. While a lost dispute is
# appealed, the money stays with the bank.
_DISPUTE: dict[str, _Decided] = {
    "warning_needs_response": "inquiry",
    "warning_under_review": "inquiry",
    "warning_closed": "inquiry",
    "prevented": "inquiry",
    "needs_response": "open",
    "under_review": "open",
    "won": "won",
    "lost": "lost",
    "appeal_needs_response": "lost",
    "appeal_under_review": "lost",
}


def repayment(shown: dict[str, Any]) -> SeenRepayment:
    """A refund."""
    currency = str(shown["currency"]).upper()
    status = _REFUND[shown["status"]]
    failure = str(shown.get("failure_reason") or shown["status"]) if status == "failed" else None
    return SeenRepayment(
        ref=shown["id"],
        status=status,
        repayment_id=id_of_ours(shown, "repayment_id"),
        payment_ref=ref_of(shown.get("payment_intent")),
        amount=whole(shown["amount"], currency),
        currency=currency,
        failure=failure,
    )


def dispute(shown: dict[str, Any]) -> SeenDispute:
    """A dispute."""
    currency = str(shown["currency"]).upper()
    return SeenDispute(
        ref=shown["id"],
        status=_DISPUTE[shown["status"]],
        payment_ref=ref_of(shown.get("payment_intent")),
        amount=whole(shown["amount"], currency),
        currency=currency,
        reason=str(shown.get("reason") or "general"),
        opened_at=datetime.fromtimestamp(shown["created"], UTC),
    )
