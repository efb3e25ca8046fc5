"""An attempt to pay: from a payment intent with a card to a charge, or to a reason why not."""

from sandbox import authentication, charges, dispute_course, intents, payment_methods
from sandbox.call import Call
from sandbox.cards import AUTHENTICATION_REQUIRED, Decline
from sandbox.errors import DeclinedError
from sandbox.events import emit
from sandbox.ownership import check_usable, settle_owner
from sandbox.store import Document


def attempt(call: Call, intent: Document, *, off_session: bool, return_url: str | None) -> Document:
    """Charge the intent's card, or ask for the cardholder.

    Raises:
        DeclinedError: the issuer said no, or wants a cardholder who is off session; the failed
            charge stays on record.
    """
    method = call.get("payment_method", intent["payment_method"], param="payment_method")
    check_usable(call, method, customer_id=intent["customer"], needs_attached=off_session)
    card = payment_methods.card_of(call, method)
    is_set_up = bool(call.session.facts(method["id"]).get("is_set_up"))
    if not authentication.is_needed(card, is_set_up=is_set_up, off_session=off_session):
        return _charge_or_raise(call, intent, method)
    if off_session:
        raise _refuse(call, intent, method, AUTHENTICATION_REQUIRED)
    intent["status"] = "requires_action"
    intent["last_payment_error"] = None
    intent["next_action"] = authentication.next_action(call, intent, return_url=return_url)
    call.session.save(intent)
    emit(call, "payment_intent.requires_action", intent)
    return intent


def finish_authentication(call: Call, intent: Document, *, passed: bool) -> Document:
    """The cardholder came back. A decline that follows is told by the intent, not raised."""
    method = call.get("payment_method", intent["payment_method"], param="payment_method")
    if not passed:
        return _fail(call, intent, intents.failed_authentication(intent, method))
    try:
        return _charge_or_raise(call, intent, method, authenticated=True)
    except DeclinedError:
        return intent


def _charge_or_raise(
    call: Call, intent: Document, method: Document, *, authenticated: bool = False
) -> Document:
    decline = payment_methods.card_of(call, method).decline
    if decline is not None:
        raise _refuse(call, intent, method, decline)
    usage = intent["setup_future_usage"]
    method = settle_owner(
        call, method, customer_id=intent["customer"], for_future=usage is not None
    )
    if usage == "off_session":
        call.session.note(method["id"], is_set_up=True)
    charge = charges.record_success(call, intent, method, authenticated=authenticated)
    complaint = payment_methods.card_of(call, method).complaint
    if complaint is not None:
        dispute_course.open_dispute(call, charge, complaint, amount=charge["amount"])
    intent |= {
        "amount_received": charge["amount"],
        "last_payment_error": None,
        "latest_charge": charge["id"],
        "next_action": None,
        "status": "succeeded",
    }
    call.session.save(intent)
    emit(call, "payment_intent.succeeded", intent)
    return intent


def _refuse(call: Call, intent: Document, method: Document, decline: Decline) -> DeclinedError:
    charge = charges.record_failure(call, intent, method, decline)
    if method["customer"] is None:
        call.session.note(method["id"], is_spent=True)
    intent["latest_charge"] = charge["id"]
    error = intents.declined(decline, intent, method, charge=charge["id"])
    _fail(call, intent, intents.remembered(error, intent))
    return error


def _fail(call: Call, intent: Document, reason: Document) -> Document:
    intent |= {
        "last_payment_error": reason,
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    call.session.save(intent)
    emit(call, "payment_intent.payment_failed", intent)
    return intent
