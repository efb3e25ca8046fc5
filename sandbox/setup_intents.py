"""Setup intents: a card prepared for charges to come, without one now."""

from sandbox import authentication, intents, payment_methods
from sandbox.call import Call
from sandbox.cards import Decline
from sandbox.errors import StripeError
from sandbox.events import emit
from sandbox.ids import new_client_secret, new_id
from sandbox.lists import Page, read_created, show_page
from sandbox.ownership import check_usable, settle_owner
from sandbox.store import Document, Filter

_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


def create(call: Call) -> Document:
    """Make a setup intent; with `confirm=true` set the card up at once."""
    params = call.params
    intent = _read_intent(call)
    named = intents.read_method(call)
    wants_confirm, return_url = params.flag("confirm"), params.find_text("return_url")
    params.ignore("use_stripe_sdk", "mandate_data", "payment_method_options", "single_use")
    params.finish()
    if intent["customer"] is not None:
        call.get("customer", intent["customer"], param="customer")
    method = intents.resolve_method(call, named)
    if method is not None:
        check_usable(call, method, customer_id=intent["customer"])
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    if wants_confirm:
        _check_can_attempt(intent, return_url=return_url)
    call.session.insert(intent)
    emit(call, "setup_intent.created", intent)
    return _attempt(call, intent, return_url=return_url) if wants_confirm else intent


def retrieve(call: Call) -> Document:
    client_secret = call.params.find_text("client_secret")
    call.params.finish()
    intent = call.get_from_path("setup_intent", param="intent")
    call.check_client_secret(intent, client_secret)
    return intent


def confirm(call: Call) -> Document:
    params = call.params
    client_secret = params.find_text("client_secret")
    named, return_url = intents.read_method(call), params.find_text("return_url")
    params.ignore("use_stripe_sdk", "mandate_data", "payment_method_options")
    params.finish()
    intent = call.get_from_path("setup_intent", param="intent")
    call.check_client_secret(intent, client_secret)
    if intent["status"] not in _OPEN:
        raise intents.unexpected_state(intent, "be confirmed")
    method = intents.resolve_method(call, named)
    if method is not None:
        intent["payment_method"] = method["id"]
    _check_can_attempt(intent, return_url=return_url)
    return _attempt(call, intent, return_url=return_url)


def list_intents(call: Call) -> Document:
    page, created = Page(call.params), read_created(call.params)
    customer_id = call.params.find_text("customer")
    call.params.finish()
    shown = Filter("setup_intent", customer=customer_id, created=created)
    return show_page(call, page, shown, url="/v1/setup_intents")


def finish_authentication(call: Call, intent: Document, *, passed: bool) -> Document:
    """The cardholder came back."""
    method = call.get("payment_method", intent["payment_method"], param="payment_method")
    if passed:
        return _succeed(call, intent, method)
    return _fail(call, intent, intents.failed_authentication(intent, method))


def _check_can_attempt(intent: Document, *, return_url: str | None) -> None:
    if intent["payment_method"] is None:
        raise intents.unexpected_state(intent, "be confirmed without a payment method")
    intents.check_return_url(intent, return_url)


def _attempt(call: Call, intent: Document, *, return_url: str | None) -> Document:
    method = call.get("payment_method", intent["payment_method"], param="payment_method")
    check_usable(call, method, customer_id=intent["customer"])
    card = payment_methods.card_of(call, method)
    if card.decline is not None and not card.can_be_attached:
        raise _refuse(call, intent, method, card.decline)
    if not authentication.is_needed(card, is_set_up=False, off_session=False):
        return _succeed(call, intent, method)
    intent["status"] = "requires_action"
    intent["next_action"] = authentication.next_action(call, intent, return_url=return_url)
    call.session.save(intent)
    emit(call, "setup_intent.requires_action", intent)
    return intent


def _succeed(call: Call, intent: Document, method: Document) -> Document:
    method = settle_owner(call, method, customer_id=intent["customer"], for_future=True)
    if intent["usage"] == "off_session":
        call.session.note(method["id"], is_set_up=True)
    intent |= {"last_setup_error": None, "next_action": None, "status": "succeeded"}
    call.session.save(intent)
    emit(call, "setup_intent.succeeded", intent)
    return intent


def _refuse(call: Call, intent: Document, method: Document, decline: Decline) -> StripeError:
    error = intents.declined(decline, intent, method)
    _fail(call, intent, intents.remembered(error, intent))
    return error


def _fail(call: Call, intent: Document, reason: Document) -> Document:
    intent |= {
        "last_setup_error": reason,
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    call.session.save(intent)
    emit(call, "setup_intent.setup_failed", intent)
    return intent


def _read_intent(call: Call) -> Document:
    params = call.params
    types, automatic = intents.read_automatic(params)
    intent_id = new_id("seti_1")
    return {
        "id": intent_id,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": automatic,
        "cancellation_reason": None,
        "client_secret": new_client_secret(intent_id),
        "created": call.created,
        "customer": params.find_text("customer"),
        "description": params.find_text("description"),
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": params.metadata(),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": types,
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": params.find_choice("usage", ("off_session", "on_session")) or "off_session",
    }
