"""Cards as payment methods, and whose they are."""

from typing import Any

from sandbox import cards
from sandbox.call import Call
from sandbox.cards import Card
from sandbox.errors import DeclinedError, StripeError, missing_resource
from sandbox.events import emit
from sandbox.ids import new_id
from sandbox.lists import Page, show_page
from sandbox.params import Params
from sandbox.presented import Presented, find_presented, read_card
from sandbox.store import Document, Filter

_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def create(call: Call) -> Document:
    """Make a payment method from a test number or token. It belongs to nobody yet."""
    method, presented = read(call, call.params)
    call.params.finish()
    return keep(call, method, presented)


def retrieve(call: Call) -> Document:
    call.params.finish()
    return call.get_from_path("payment_method", param="payment_method")


def attach(call: Call) -> Document:
    """Give a payment method to a customer; a card that declines says so here already."""
    customer_id = call.params.get_text("customer")
    call.params.finish()
    call.get("customer", customer_id, param="customer")
    method = find_or_make(call, call.path_id, status=404)
    if method["customer"] == customer_id:
        return method
    return attach_to(call, method, customer_id)


def detach(call: Call) -> Document:
    """Take a payment method from its customer. It can never be used again."""
    call.params.finish()
    method = call.get_from_path("payment_method", param="payment_method")
    if method["customer"] is None:
        raise StripeError(
            "This payment method is attached to no customer, so it cannot be detached.",
            param="payment_method",
        )
    _forget_default(call, method)
    method["customer"] = None
    call.session.save(method)
    call.session.note(method["id"], is_spent=True)
    emit(call, "payment_method.detached", method)
    return method


def list_methods(call: Call) -> Document:
    page = Page(call.params)
    customer_id, type_ = call.params.get_text("customer"), call.params.find_text("type")
    call.params.finish()
    call.get("customer", customer_id, param="customer")
    shown = Filter("payment_method", customer=customer_id, type=type_)
    return show_page(call, page, shown, url="/v1/payment_methods")


def read(call: Call, params: Params) -> tuple[Document, Presented]:
    """A payment method as described in `params`, not yet kept."""
    if params.get_text("type") != "card":
        raise StripeError("Invalid type: the sandbox knows cards only.", param=params.name("type"))
    presented = read_card(params.get_group("card"), year=call.now.year, month=call.now.month)
    params.ignore("allow_redisplay")
    method = _method(call, presented)
    method["billing_details"] = _read_billing(params)
    method["metadata"] = params.metadata()
    return method, presented


def keep(call: Call, method: Document, presented: Presented) -> Document:
    call.session.insert(method, facts={"number": presented.card.number})
    return method


def find_or_make(
    call: Call, method_id: str, *, param: str = "payment_method", status: int = 400
) -> Document:
    """A payment method by its id; a test token such as `pm_card_visa` makes a new one."""
    is_token = method_id.startswith("pm_card_")
    presented = find_presented(method_id, year=call.now.year) if is_token else None
    if presented is not None:
        return keep(call, _method(call, presented), presented)
    method = call.session.find("payment_method", method_id)
    if method is None:
        raise missing_resource("payment_method", method_id, param=param, status=status)
    return method


def attach_to(call: Call, method: Document, customer_id: str) -> Document:
    """Make a payment method the customer's.

    Raises:
        StripeError: it is another customer's, or has been used without belonging to one.
        DeclinedError: the issuer refuses the card.
    """
    if method["customer"] is not None:
        raise StripeError(
            "This payment method is already attached to a customer.",
            code="payment_method_unexpected_state",
            param="payment_method",
        )
    refuse_spent(call, method)
    card = card_of(call, method)
    if card.decline is not None and not card.can_be_attached:
        raise DeclinedError(
            card.decline.message,
            code=card.decline.code,
            decline_code=card.decline.decline_code,
            param=card.decline.param,
        )
    method["customer"] = customer_id
    call.session.save(method)
    emit(call, "payment_method.attached", method)
    return method


def refuse_spent(call: Call, method: Document) -> None:
    if call.session.facts(method["id"]).get("is_spent"):
        raise StripeError(
            "This payment method was used without belonging to a customer, or was detached "
            "from one, and cannot be used again. To use it more than once, attach it to a "
            "customer first."
        )


def card_of(call: Call, method: Document) -> Card:
    return cards.by_number(call.session.facts(method["id"])["number"])


def _forget_default(call: Call, method: Document) -> None:
    customer = call.get("customer", method["customer"], param="customer")
    settings: dict[str, Any] = customer["invoice_settings"]
    if settings["default_payment_method"] == method["id"]:
        settings["default_payment_method"] = None
        call.session.save(customer)


def _read_billing(params: Params) -> Document:
    billing: Document = dict.fromkeys(("email", "name", "phone", "tax_id"))
    billing["address"] = dict.fromkeys(_ADDRESS)
    group = params.find_group("billing_details")
    if group is None:
        return billing
    for key in ("email", "name", "phone", "tax_id"):
        billing[key] = group.find_clearable(key, before=None)
    address = group.find_group("address")
    if address is not None:
        billing["address"] = {key: address.find_clearable(key, before=None) for key in _ADDRESS}
    return billing


def _method(call: Call, presented: Presented) -> Document:
    card = presented.card
    return {
        "id": new_id("pm_1"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": dict.fromkeys(_ADDRESS),
            **dict.fromkeys(("email", "name", "phone", "tax_id")),
        },
        "card": {
            "brand": card.brand,
            "checks": {
                "address_line1_check": None,
                "address_postal_code_check": None,
                "cvc_check": "unchecked" if presented.gave_cvc else None,
            },
            "country": card.country,
            "display_brand": card.brand,
            "exp_month": presented.exp_month,
            "exp_year": presented.exp_year,
            "fingerprint": card.fingerprint,
            "funding": card.funding,
            "generated_from": None,
            "last4": card.number[-4:],
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": _wallet(presented),
        },
        "created": call.created,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }


def _wallet(presented: Presented) -> Document | None:
    """Out of which wallet the card came; the device shows a number of its own."""
    if presented.wallet is None:
        return None
    return {
        presented.wallet: {},
        "dynamic_last4": presented.card.number[-4:],
        "type": presented.wallet,
    }
