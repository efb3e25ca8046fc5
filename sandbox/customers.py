"""Customers, who own payment methods."""

from typing import Any

from sandbox import payment_methods
from sandbox.call import Call
from sandbox.errors import StripeError
from sandbox.events import emit
from sandbox.ids import new_id
from sandbox.lists import Page, read_created, show_page
from sandbox.params import Params
from sandbox.store import Document, Filter

_TEXTS = ("description", "email", "name", "phone")
_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def create(call: Call) -> Document:
    """Make a customer; a payment method given at once is attached."""
    method_id = call.params.find_text("payment_method")
    default_id = _read_default(call.params)
    customer = _blank(call) | _read_changes(call.params, before={})
    call.params.finish()
    call.session.insert(customer)
    emit(call, "customer.created", customer)
    if method_id is not None:
        method = payment_methods.find_or_make(call, method_id)
        payment_methods.attach_to(call, method, customer["id"])
    return _set_default(call, customer, default_id)


def retrieve(call: Call) -> Document:
    call.params.finish()
    return call.get_from_path("customer")


def update(call: Call) -> Document:
    """Change what is given; the default payment method must be the customer's own."""
    before = call.session.find("customer", call.path_id)
    default_id = _read_default(call.params)
    changes = _read_changes(call.params, before=before or {})
    call.params.finish()
    customer = call.get_from_path("customer") | changes
    customer = _set_default(call, customer, default_id)
    call.session.save(customer)
    emit(call, "customer.updated", customer)
    return customer


def list_customers(call: Call) -> Document:
    page, created = Page(call.params), read_created(call.params)
    call.params.finish()
    return show_page(call, page, Filter("customer", created=created), url="/v1/customers")


def list_payment_methods(call: Call) -> Document:
    """GET /v1/customers/{id}/payment_methods."""
    page = Page(call.params)
    type_ = call.params.find_text("type")
    call.params.finish()
    customer_id = call.get_from_path("customer")["id"]
    return show_page(
        call,
        page,
        Filter("payment_method", customer=customer_id, type=type_),
        url=f"/v1/customers/{customer_id}/payment_methods",
    )


def _read_changes(params: Params, *, before: Document) -> Document:
    changes: Document = {key: params.find_clearable(key, before=before.get(key)) for key in _TEXTS}
    changes["metadata"] = params.metadata(before=before.get("metadata"))
    if "preferred_locales" in params:
        changes["preferred_locales"] = params.texts("preferred_locales")
    group = params.find_group("address")
    if group is not None:
        known = before.get("address") or dict.fromkeys(_ADDRESS)
        changes["address"] = {key: group.find_clearable(key, before=known[key]) for key in _ADDRESS}
    return changes


def _read_default(params: Params) -> str | None:
    group = params.find_group("invoice_settings")
    return None if group is None else group.find_text("default_payment_method")


def _set_default(call: Call, customer: Document, method_id: str | None) -> Document:
    if method_id is None:
        return customer
    param = "invoice_settings[default_payment_method]"
    method = call.get("payment_method", method_id, param=param)
    if method["customer"] != customer["id"]:
        raise StripeError(
            "The customer does not have a payment method with the ID "
            f"{method_id}: it must be attached first.",
            code="resource_missing",
            param=param,
        )
    settings: dict[str, Any] = customer["invoice_settings"]
    changed = customer | {"invoice_settings": settings | {"default_payment_method": method_id}}
    call.session.save(changed)
    return changed


def _blank(call: Call) -> Document:
    return {
        "id": new_id("cus_", length=14),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": call.created,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": new_id("", length=8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
