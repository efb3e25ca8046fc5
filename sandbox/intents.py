"""What payment intents and setup intents have in common."""

from typing import Any

from sandbox import payment_methods
from sandbox.call import Call
from sandbox.cards import Decline
from sandbox.errors import DeclinedError, StripeError
from sandbox.params import Params
from sandbox.presented import Presented
from sandbox.store import Document

Method = tuple[Document, Presented | None] | str | None
"""A payment method as a request names it: described in full, by id, or not at all."""


def read_method(call: Call) -> Method:
    """`payment_method_data` or `payment_method`; the caller finishes the parameters."""
    data = call.params.find_group("payment_method_data")
    method_id = call.params.find_text("payment_method")
    if data is None:
        return method_id
    if method_id is not None:
        raise StripeError(
            "Only one of payment_method and payment_method_data can be given.",
            code="parameters_exclusive",
            param="payment_method_data",
        )
    return payment_methods.read(call, data)


def resolve_method(call: Call, method: Method) -> Document | None:
    """The payment method itself, made now where the request described it."""
    if method is None:
        return None
    if isinstance(method, str):
        return payment_methods.find_or_make(call, method)
    described, presented = method
    assert presented is not None
    return payment_methods.keep(call, described, presented)


def read_automatic(params: Params) -> tuple[list[str], Document | None]:
    """`payment_method_types` and `automatic_payment_methods`.

    Without either, Stripe lets the dashboard choose the methods, some of which redirect.
    """
    types = params.texts("payment_method_types")
    group = params.find_group("automatic_payment_methods")
    redirects = None
    enabled = not types
    if group is not None:
        enabled = group.flag("enabled")
        redirects = group.find_choice("allow_redirects", ("always", "never"))
    if set(types) - {"card"}:
        raise StripeError(
            "Invalid payment_method_types: the sandbox knows card only.",
            param="payment_method_types",
        )
    if types and enabled:
        raise StripeError(
            "Only one of payment_method_types and automatic_payment_methods can be given.",
            code="parameters_exclusive",
        )
    if not enabled:
        return ["card"], None
    return ["card"], {"allow_redirects": redirects or "always", "enabled": True}


def check_return_url(intent: Document, return_url: str | None) -> None:
    """Confirming with the cardholder present needs an address to come back to, or card only."""
    automatic = intent["automatic_payment_methods"]
    if automatic is None or automatic["allow_redirects"] == "never" or return_url is not None:
        return
    raise StripeError(
        f"This {intent['object']} accepts automatic payment methods, some of which redirect: "
        "give a return_url, or create it with payment_method_types[]=card or "
        "automatic_payment_methods[allow_redirects]=never.",
        param="return_url",
    )


def unexpected_state(intent: Document, wish: str) -> StripeError:
    kind = intent["object"]
    refused: dict[str, Any] = {kind: intent}
    return StripeError(
        f"This {kind}'s status is {intent['status']}, so it cannot {wish}.",
        code=f"{kind}_unexpected_state",
        **refused,
    )


def declined(decline: Decline, intent: Document, method: Document, **facts: Any) -> DeclinedError:
    """The refusal of an attempt that stays on record, with the intent as it is now."""
    error = DeclinedError(
        decline.message,
        code=decline.code,
        decline_code=decline.decline_code,
        param=decline.param,
        payment_method=method,
        **facts,
    )
    error.facts[intent["object"]] = intent
    error.keeps_changes = True
    return error


def remembered(error: StripeError, intent: Document) -> Document:
    """A refusal as the intent remembers it: without the intent itself."""
    return {key: fact for key, fact in error.facts.items() if key != intent["object"]}


AUTHENTICATION_FAILED = (
    "The cardholder could not be authenticated. Try again with another payment method."
)


def failed_authentication(intent: Document, method: Document) -> Document:
    """What an intent remembers when the cardholder did not pass."""
    error = StripeError(
        AUTHENTICATION_FAILED,
        code=f"{intent['object']}_authentication_failure",
        payment_method=method,
    )
    return error.facts
