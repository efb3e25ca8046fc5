"""Receipts of orders: as JSON, and as a page to print."""

from typing import Any
from uuid import UUID

from flask import Response, request
from marshmallow import fields, validate

import vouchers
from api import receipt_page
from api.auth import MemberCaller, member
from api.fields import Day, Id, Integer, MoneyField, Schema, Text, Timestamp
from api.language import language
from api.routing import Resource
from invoicing import Invoice
from kernel.errors import NotFound
from vouchers import NoReceiptYet, Receipt

receipts = Resource("receipts", "/v1/orders", "Receipts: what was sold by whom, on which terms.")

_FORMATS = ("json", "html")
_JSON, _HTML = "application/json", "text/html"


class ReceiptQuery(Schema):
    """In which form."""

    format = fields.String(
        validate=validate.OneOf(_FORMATS),
        metadata={"description": "A page to print, or JSON; else what Accept asks for."},
    )


class SellerView(Schema):
    """Who sold it."""

    name = Text(required=True, metadata={"description": "The legal entity."})
    code = Text(required=True, metadata={"description": "The chain's own name for it."})
    tax_id = Text(
        required=True, allow_none=True, metadata={"description": "As its e-invoices say it."}
    )
    store = Text(required=True, metadata={"description": "The name of the store."})
    store_id = Id(required=True, metadata={"description": "Its id."})


class GuaranteeView(Schema):
    """The days on which performance is guaranteed."""

    from_on = Day(required=True, data_key="from", metadata={"description": "The day of the sale."})
    until_on = Day(required=True, data_key="until", metadata={"description": "The last day."})


class ReceiptLineView(Schema):
    """What was bought."""

    name = Text(required=True, attribute="ordered.version.name", metadata={"description": "What."})
    version = Integer(
        required=True,
        attribute="ordered.version.version",
        metadata={"description": "Of its terms, which stay as they were sold."},
    )
    quantity = Integer(
        required=True, attribute="ordered.item.quantity", metadata={"description": "How many."}
    )
    gift_periods = Integer(
        required=True,
        allow_none=True,
        attribute="ordered.item.gift_periods",
        metadata={"description": "So many periods of a plan each, to be given; null: none are."},
    )
    cups = Integer(
        required=True, attribute="ordered.version.cups", metadata={"description": "In each one."}
    )
    gross = MoneyField(
        required=True,
        attribute="ordered.item.gross",
        currency="ordered.version.currency",
        metadata={"description": "Paid for all of them, VAT included."},
    )
    net = MoneyField(
        required=True,
        attribute="ordered.item.net",
        currency="ordered.version.currency",
        metadata={"description": "Without VAT."},
    )
    vat = MoneyField(
        required=True,
        attribute="ordered.item.vat",
        currency="ordered.version.currency",
        metadata={"description": "The VAT that was included."},
    )
    terms = fields.List(
        Text(), required=True, metadata={"description": "What they are good for, in words."}
    )
    refunds = fields.List(
        Text(), required=True, metadata={"description": "What comes back of unused ones, in words."}
    )
    guarantee = fields.Nested(
        GuaranteeView,
        required=True,
        allow_none=True,
        metadata={"description": "Until when performance is guaranteed; null if it is not."},
    )


class ReceiptInvoiceView(Schema):
    """An e-invoice of the order."""

    number = Text(
        required=True, allow_none=True, metadata={"description": "Null until it has been given."}
    )
    random_code = Text(required=True, metadata={"description": "Four digits that go with it."})
    gross = MoneyField(required=True, metadata={"description": "VAT included."})
    issued_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When it got its number."}
    )


class ReceiptView(Schema):
    """The receipt of an order."""

    order_id = Id(required=True, metadata={"description": "What it is of."})
    language = Text(
        required=True,
        validate=validate.OneOf(("zh-TW", "en")),
        metadata={"description": "Of its words."},
    )
    seller = fields.Nested(SellerView, required=True, metadata={"description": "Who sold it."})
    channel = Text(
        required=True,
        validate=validate.OneOf(("web", "app", "counter")),
        metadata={"description": "Where it was sold."},
    )
    paid_at = Timestamp(required=True, metadata={"description": "When its money came."})
    lines = fields.List(
        fields.Nested(ReceiptLineView), required=True, metadata={"description": "What was bought."}
    )
    total = MoneyField(required=True, metadata={"description": "VAT included."})
    net = MoneyField(required=True, metadata={"description": "Without VAT."})
    vat = MoneyField(required=True, metadata={"description": "The VAT that was included."})
    invoices = fields.List(
        fields.Nested(ReceiptInvoiceView),
        required=True,
        metadata={"description": "The e-invoices that are owed for it so far."},
    )


@receipts.get(
    "/<uuid:order_id>/receipt",
    guard=member,
    query=ReceiptQuery,
    answer=ReceiptView,
    produces=(_JSON, _HTML),
    refusals=(NotFound, NoReceiptYet),
)
def show_receipt(*, caller: MemberCaller, order_id: UUID, query: dict[str, Any]) -> Any:
    """Show the receipt of one of your orders, in the language that Accept-Language asks for.

    As JSON; or as a page to print, with `format=html` or for whoever accepts only that.
    """
    receipt = vouchers.get_receipt(
        member_id=caller.member_id, order_id=order_id, language=language()
    )
    if _wants_page(query.get("format")):
        page = Response(receipt_page.page(receipt), content_type=f"{_HTML}; charset=utf-8")
        page.headers["Content-Language"] = receipt.language
        page.headers["Content-Security-Policy"] = receipt_page.POLICY
        return page
    return _shown(receipt)


def _wants_page(asked: str | None) -> bool:
    if asked is not None:
        return asked == "html"
    return request.accept_mimetypes.best_match((_JSON, _HTML)) == _HTML


def _shown(receipt: Receipt) -> dict[str, Any]:
    order = receipt.order
    return {
        "order_id": order.id,
        "language": receipt.language,
        "seller": {
            "name": receipt.seller.name,
            "code": receipt.seller.code,
            "tax_id": receipt.seller_tax_id,
            "store": receipt.store.name,
            "store_id": receipt.store.id,
        },
        "channel": order.channel,
        "paid_at": receipt.paid_at,
        "lines": receipt.lines,
        "total": order.total,
        "net": receipt.net,
        "vat": receipt.vat,
        "currency": order.currency,
        "invoices": [_invoice(invoice) for invoice in receipt.invoices],
    }


def _invoice(invoice: Invoice) -> dict[str, Any]:
    shown = ("number", "random_code", "gross", "currency", "issued_at")
    return {name: getattr(invoice, name) for name in shown}
