"""Refunds: money back to the card, never more than was taken."""

from sandbox import balance, dispute_course, refund_outcomes
from sandbox.call import Call
from sandbox.currencies import check_amount, spoken
from sandbox.errors import StripeError
from sandbox.events import emit
from sandbox.ids import new_id
from sandbox.lists import Page, read_created, show_page
from sandbox.store import Document, Filter

_REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create(call: Call) -> Document:
    """Return all that is left of a charge, or an amount of it.

    Raises:
        StripeError: nothing was taken, all has been returned, the cardholder's bank has taken it
            back already, or more is asked than is left.
    """
    params = call.params
    charge_id, intent_id = params.find_text("charge"), params.find_text("payment_intent")
    amount = params.find_integer("amount")
    reason = params.find_choice("reason", _REASONS)
    metadata = params.metadata()
    if (charge_id is None) == (intent_id is None):
        raise StripeError(
            "Give exactly one of charge and payment_intent.", code="parameter_missing"
        )
    if amount is not None:
        check_amount(amount)
    params.finish()
    charge = _find_charge(call, charge_id=charge_id, intent_id=intent_id)
    _refuse_disputed(call, charge)
    refund = _refund(call, charge, _refundable(charge, amount))
    refund |= {"reason": reason, "metadata": metadata}
    refund["balance_transaction"] = balance.record_refund(call, refund)
    refund_outcomes.begin(call, refund)
    call.session.insert(refund)
    _take_from(call, charge, refund)
    return refund


def retrieve(call: Call) -> Document:
    call.params.finish()
    return call.get_from_path("refund")


def update(call: Call) -> Document:
    """Change the notes on a refund, the only thing that can be changed."""
    before = call.session.find("refund", call.path_id) or {}
    metadata = call.params.metadata(before=before.get("metadata"))
    call.params.finish()
    refund = call.get_from_path("refund") | {"metadata": metadata}
    refund_outcomes.keep_update(call, refund)
    return refund


def list_refunds(call: Call) -> Document:
    page, created = Page(call.params), read_created(call.params)
    charge_id = call.params.find_text("charge")
    intent_id = call.params.find_text("payment_intent")
    call.params.finish()
    shown = Filter("refund", charge=charge_id, payment_intent=intent_id, created=created)
    return show_page(call, page, shown, url="/v1/refunds")


def _find_charge(call: Call, *, charge_id: str | None, intent_id: str | None) -> Document:
    if charge_id is not None:
        return call.get("charge", charge_id, param="charge")
    assert intent_id is not None
    intent = call.get("payment_intent", intent_id, param="payment_intent")
    if intent["latest_charge"] is None:
        raise StripeError(
            f"The payment intent {intent_id} has no successful charge to refund.",
            param="payment_intent",
        )
    return call.get("charge", intent["latest_charge"], param="payment_intent")


def _refuse_disputed(call: Call, charge: Document) -> None:
    disputes = dispute_course.disputes_about(call, charge)
    if not all(dispute["is_charge_refundable"] for dispute in disputes):
        raise StripeError(
            f"Charge {charge['id']} has been charged back, so it cannot be refunded.",
            code="charge_disputed",
        )


def _refundable(charge: Document, amount: int | None) -> int:
    """The amount to return, within the ceiling."""
    if charge["status"] != "succeeded":
        raise StripeError(
            f"The charge {charge['id']} did not succeed, so there is nothing to refund.",
            code="charge_not_refundable",
        )
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise StripeError(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    if amount is None:
        return int(left)
    if amount > left:
        currency = charge["currency"]
        raise StripeError(
            f"Refund amount ({spoken(amount, currency)}) is greater than unrefunded amount on "
            f"charge ({spoken(left, currency)})",
            param="amount",
        )
    return amount


def _take_from(call: Call, charge: Document, refund: Document) -> None:
    charge["amount_refunded"] += refund["amount"]
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    charge["refunds"]["data"].insert(0, refund)
    call.session.save(charge)
    emit(call, "refund.created", refund)
    emit(call, "charge.refunded", charge)
    if charge["refunded"]:
        dispute_course.end_inquiries(call, charge)


def _refund(call: Call, charge: Document, amount: int) -> Document:
    return {
        "id": new_id("re_3"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": call.created,
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": {
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
