"""Disputes as Stripe shows them."""

from sandbox.balance import DAY_S
from sandbox.call import Call
from sandbox.cards import Complaint
from sandbox.ids import new_id
from sandbox.store import Document

_DAYS_TO_RESPOND = 10
_NETWORK_REASONS = {"fraudulent": "10.4", "product_not_received": "13.1", "duplicate": "12.6.1"}
EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)


def new_dispute(call: Call, charge: Document, complaint: Complaint, *, amount: int) -> Document:
    """A dispute as it begins, without the movements of its money."""
    last_day = call.created - call.created % DAY_S + _DAYS_TO_RESPOND * DAY_S
    brand = charge["payment_method_details"]["card"]["brand"]
    return {
        "id": new_id("dp_1"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": call.created,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": last_day + DAY_S - 1,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": complaint.is_inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": brand,
                "case_type": "inquiry" if complaint.is_inquiry else "chargeback",
                "network": brand,
                "network_reason_code": _NETWORK_REASONS.get(complaint.reason, "10.5"),
            },
            "type": "card",
        },
        "reason": complaint.reason,
        "status": "warning_needs_response" if complaint.is_inquiry else "needs_response",
    }
