"""The hand of the cardholder's bank, for tests: open and decide disputes, settle refunds."""

from sandbox import dispute_course, refund_outcomes
from sandbox.call import Call
from sandbox.cards import Complaint
from sandbox.errors import StripeError
from sandbox.store import Document

_REASONS = (
    "bank_cannot_process",
    "credit_not_processed",
    "customer_initiated",
    "debit_not_authorized",
    "duplicate",
    "fraudulent",
    "general",
    "incorrect_account_details",
    "insufficient_funds",
    "noncompliant",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
)


def open_dispute(call: Call) -> Document:
    """POST …/disputes with `charge` or `payment_intent`; may have `amount`, `reason`, `is_inquiry`.

    Without an amount it is about what has not been refunded, or about all where nothing is left.
    """
    params = call.params
    charge_id, intent_id = params.find_text("charge"), params.find_text("payment_intent")
    amount = params.find_integer("amount")
    complaint = Complaint(
        params.find_choice("reason", _REASONS) or "fraudulent", params.flag("is_inquiry")
    )
    if (charge_id is None) == (intent_id is None):
        raise StripeError(
            "Give exactly one of charge and payment_intent.", code="parameter_missing"
        )
    params.finish()
    if charge_id is None:
        assert intent_id is not None
        intent = call.get("payment_intent", intent_id, param="payment_intent")
        charge_id = str(intent["latest_charge"])
    charge = call.get("charge", charge_id, param="charge")
    if amount is None:
        amount = (charge["amount"] - charge["amount_refunded"]) or charge["amount"]
    dispute_course.check_disputable(call, charge, amount)
    return dispute_course.open_dispute(call, charge, complaint, amount=amount)


def decide_dispute(call: Call) -> Document:
    """POST …/disputes/{id}/decide with `outcome=won|lost`.

    An inquiry that is won is closed; one that is lost becomes a dispute.
    """
    outcome = call.params.find_choice("outcome", ("won", "lost")) or "won"
    call.params.finish()
    dispute = call.get_from_path("dispute", param="dispute")
    return dispute_course.decide(call, dispute, is_won=outcome == "won")


def settle_refund(call: Call) -> Document:
    """POST …/refunds/{id}/settle with `outcome=succeeded|failed`, and `failure_reason` if wished.

    A refund that has succeeded can still fail, as at Stripe.
    """
    outcome = call.params.find_choice("outcome", ("succeeded", "failed")) or "succeeded"
    reason = call.params.find_choice("failure_reason", refund_outcomes.FAILURES)
    call.params.finish()
    refund = call.get_from_path("refund", param="refund")
    if refund["status"] in {"failed", outcome}:
        raise StripeError(
            f"This refund's status is {refund['status']}, so it cannot become {outcome}.",
            param="outcome",
        )
    failure = (reason or refund_outcomes.USUAL_FAILURE) if outcome == "failed" else None
    return refund_outcomes.settle(call, refund, failure=failure)
