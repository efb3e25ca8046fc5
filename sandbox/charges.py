"""Charges: one per attempt to take money from a card, whether it worked or not."""

from copy import deepcopy
from typing import Any

from sandbox import balance
from sandbox.call import Call
from sandbox.cards import Decline
from sandbox.events import emit
from sandbox.ids import new_id
from sandbox.lists import Page, list_object, read_created, show_page
from sandbox.store import Document, Filter


def retrieve(call: Call) -> Document:
    call.params.finish()
    return call.get_from_path("charge")


def list_charges(call: Call) -> Document:
    page, created = Page(call.params), read_created(call.params)
    customer_id = call.params.find_text("customer")
    intent_id = call.params.find_text("payment_intent")
    call.params.finish()
    shown = Filter("charge", customer=customer_id, payment_intent=intent_id, created=created)
    return show_page(call, page, shown, url="/v1/charges")


def record_success(
    call: Call, intent: Document, method: Document, *, authenticated: bool
) -> Document:
    """The card was charged in full."""
    charge = _charge(call, intent, method, authenticated=authenticated)
    charge |= {"amount_captured": charge["amount"], "captured": True, "paid": True}
    charge["status"] = "succeeded"
    charge["outcome"] |= {
        "network_status": "approved_by_network",
        "seller_message": "Payment complete.",
        "type": "authorized",
    }
    charge["balance_transaction"] = balance.record_charge(call, charge)
    call.session.insert(charge)
    emit(call, "charge.succeeded", charge)
    return charge


def record_failure(call: Call, intent: Document, method: Document, decline: Decline) -> Document:
    """The issuer said no."""
    charge = _charge(call, intent, method, authenticated=False)
    charge |= {
        "failure_code": decline.code,
        "failure_message": decline.message,
        "status": "failed",
    }
    charge["outcome"] |= {
        "network_status": "declined_by_network",
        "reason": decline.decline_code or decline.code,
        "seller_message": "The bank did not approve this payment.",
        "type": "issuer_declined",
    }
    call.session.insert(charge)
    emit(call, "charge.failed", charge)
    return charge


def _charge(call: Call, intent: Document, method: Document, *, authenticated: bool) -> Document:
    charge_id = new_id("ch_3")
    return {
        "id": charge_id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": deepcopy(method["billing_details"]),
        "calculated_statement_descriptor": intent["statement_descriptor"],
        "captured": False,
        "created": call.created,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": dict.fromkeys(_OUTCOME),
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {
            "card": _card_details(intent, method["card"], authenticated=authenticated),
            "type": "card",
        },
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "refunds": list_object([], url=f"/v1/charges/{charge_id}/refunds"),
        "review": None,
        "shipping": intent["shipping"],
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "pending",
        "transfer_data": None,
        "transfer_group": None,
    }


_OUTCOME = (
    "advice_code",
    "network_advice_code",
    "network_decline_code",
    "network_status",
    "reason",
    "seller_message",
    "type",
)


def _card_details(intent: Document, card: Document, *, authenticated: bool) -> dict[str, Any]:
    secured = {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": new_id("", length=32),
        "version": "2.2.0",
    }
    shared = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    return {key: card[key] for key in shared} | {
        "amount_authorized": intent["amount"],
        "authorization_code": None,
        "checks": dict(card["checks"]),
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": new_id("", length=15).upper(),
        "overcapture": {
            "maximum_amount_capturable": intent["amount"],
            "status": "unavailable",
        },
        "regulated_status": card["regulated_status"],
        "three_d_secure": secured if authenticated else None,
        "transaction_link_id": None,
        "wallet": deepcopy(card["wallet"]),
    }
