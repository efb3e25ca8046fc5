"""Payment intents: one wish to be paid, over as many attempts as it takes."""

from sandbox import intents
from sandbox.call import Call
from sandbox.currencies import check_amount, read_currency
from sandbox.errors import StripeError
from sandbox.events import emit
from sandbox.ids import new_client_secret, new_id
from sandbox.lists import Page, read_created, show_page
from sandbox.ownership import check_usable
from sandbox.params import Params
from sandbox.payment_attempts import attempt
from sandbox.store import Document, Filter

_TEXTS = ("description", "receipt_email", "statement_descriptor", "statement_descriptor_suffix")
_USAGES = ("off_session", "on_session")
_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
_REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")


def create(call: Call) -> Document:
    """Make an intent; with `confirm=true` attempt the payment at once.

    A declined attempt leaves the intent behind, and the refusal shows it.
    """
    params = call.params
    intent = _read_intent(call)
    named = intents.read_method(call)
    confirm, off_session = params.flag("confirm"), params.flag("off_session")
    return_url = params.find_text("return_url")
    params.ignore("use_stripe_sdk", "mandate_data", "payment_method_options", "capture_method")
    _check_create(intent, params, confirm=confirm)
    params.finish()
    if intent["customer"] is not None:
        call.get("customer", intent["customer"], param="customer")
    method = intents.resolve_method(call, named)
    if method is not None:
        check_usable(call, method, customer_id=intent["customer"], needs_attached=off_session)
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    if confirm:
        _check_can_attempt(intent, off_session=off_session, return_url=return_url)
    call.session.insert(intent)
    emit(call, "payment_intent.created", intent)
    if not confirm:
        return intent
    return attempt(call, intent, off_session=off_session, return_url=return_url)


def retrieve(call: Call) -> Document:
    client_secret = call.params.find_text("client_secret")
    call.params.finish()
    intent = call.get_from_path("payment_intent", param="intent")
    call.check_client_secret(intent, client_secret)
    return intent


def confirm(call: Call) -> Document:
    """Attempt the payment, with another card where one is given."""
    params = call.params
    client_secret = params.find_text("client_secret")
    named = intents.read_method(call)
    off_session = params.flag("off_session")
    return_url = params.find_text("return_url")
    usage = params.find_choice("setup_future_usage", _USAGES)
    params.ignore("use_stripe_sdk", "mandate_data", "payment_method_options", "receipt_email")
    params.finish()
    intent = call.get_from_path("payment_intent", param="intent")
    call.check_client_secret(intent, client_secret)
    if off_session and call.is_publishable:
        raise StripeError("off_session needs a secret key.", param="off_session")
    if intent["status"] not in _OPEN:
        raise intents.unexpected_state(intent, "be confirmed")
    method = intents.resolve_method(call, named)
    if method is not None:
        intent["payment_method"] = method["id"]
    intent["setup_future_usage"] = usage or intent["setup_future_usage"]
    _check_can_attempt(intent, off_session=off_session, return_url=return_url)
    return attempt(call, intent, off_session=off_session, return_url=return_url)


def cancel(call: Call) -> Document:
    """Give the intent up. What has succeeded can only be refunded."""
    reason = call.params.find_choice("cancellation_reason", _REASONS)
    call.params.finish()
    intent = call.get_from_path("payment_intent", param="intent")
    if intent["status"] not in _OPEN:
        raise intents.unexpected_state(intent, "be canceled")
    intent |= {
        "canceled_at": call.created,
        "cancellation_reason": reason,
        "next_action": None,
        "status": "canceled",
    }
    call.session.save(intent)
    emit(call, "payment_intent.canceled", intent)
    return intent


def list_intents(call: Call) -> Document:
    page, created = Page(call.params), read_created(call.params)
    customer_id = call.params.find_text("customer")
    call.params.finish()
    shown = Filter("payment_intent", customer=customer_id, created=created)
    return show_page(call, page, shown, url="/v1/payment_intents")


def _check_create(intent: Document, params: Params, *, confirm: bool) -> None:
    check_amount(intent["amount"])
    if confirm:
        return
    for key in ("off_session", "return_url"):
        if key in params:
            raise StripeError(f"{key} is only for confirm=true.", param=key)


def _check_can_attempt(intent: Document, *, off_session: bool, return_url: str | None) -> None:
    if intent["payment_method"] is None:
        raise intents.unexpected_state(intent, "be confirmed without a payment method")
    if not off_session:
        intents.check_return_url(intent, return_url)


def _read_intent(call: Call) -> Document:
    params = call.params
    intent = _blank(call) | {"amount": params.get_integer("amount")}
    intent["currency"] = read_currency(params)
    intent["customer"] = params.find_text("customer")
    intent |= {key: params.find_text(key) for key in _TEXTS}
    intent["metadata"] = params.metadata()
    intent["setup_future_usage"] = params.find_choice("setup_future_usage", _USAGES)
    capture = params.find_choice("capture_method", ("automatic", "automatic_async", "manual"))
    if capture == "manual":
        raise StripeError(
            "The sandbox captures at once: manual capture is not built.", param="capture_method"
        )
    intent["capture_method"] = capture or "automatic_async"
    types, automatic = intents.read_automatic(params)
    return intent | {"payment_method_types": types, "automatic_payment_methods": automatic}


def _blank(call: Call) -> Document:
    intent_id = new_id("pi_3")
    return {
        "id": intent_id,
        "object": "payment_intent",
        "amount": 0,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": new_client_secret(intent_id),
        "confirmation_method": "automatic",
        "created": call.created,
        "currency": None,
        "customer": None,
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }
