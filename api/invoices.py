"""E-invoices as finance sees them, and the numbers that they get."""

from datetime import date
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields, validate

import chain
import invoicing
from api.auth import OfficeCaller, office
from api.fields import Id, Integer, MoneyField, Name, Schema, Text, Timestamp
from api.known import refuse_unknown_stores
from api.paging import Page, Position, page_of, paged
from api.routing import Resource
from invoicing import Filter, Invoice, InvoiceRange, RangeInvalid, RangeOverlaps
from invoicing.models import DOCUMENT_STATUSES, KINDS, SOURCES, STATUSES
from kernel import clock
from kernel.errors import NotFound

invoices = Resource(
    "invoices", "/v1/invoices", "Invoices: e-invoices, and what the tax office knows of them."
)
invoice_ranges = Resource(
    "invoice_ranges", "/v1/invoice-ranges", "Invoice ranges: numbers that e-invoices get."
)

_FINANCE = office("finance", "admin")
_TWO_MONTHS = "^20[0-9]{2}-(01|03|05|07|09|11)$"
_AS_TWO_MONTHS = {"pattern": _TWO_MONTHS, "example": "2026-01"}
_MOST_NUMBER = 99_999_999


def _two_months(about: str, **options: Any) -> Text:
    """Declare the two months that are filed together, by the first of them."""
    return Text(
        validate=validate.Regexp(rf"{_TWO_MONTHS[:-1]}(?!\n)$"),
        metadata={"description": about, **_AS_TWO_MONTHS},
        **options,
    )


class InvoicesQuery(Page):
    """Which invoices."""

    store_id = Id(load_default=None, metadata={"description": "Only those of this store's sales."})
    period = _two_months(
        "Only those filed with the two months that begin with this one.", load_default=None
    )
    status = Text(
        load_default=None,
        validate=validate.OneOf(STATUSES),
        metadata={"description": "`due` has no number yet; `void` was undone whole."},
    )
    late = Text(
        load_default="false",
        validate=validate.OneOf(("false", "true")),
        metadata={
            "description": "`true`: only those of which the tax office should know something by"
            " now, and does not (48 hours; to a company seven days)."
        },
    )


class BuyerView(Schema):
    """To whom an invoice is made out: nothing (on paper), or one of these."""

    tax_id = Text(
        required=True, allow_none=True, metadata={"description": "A company's tax id (統一編號)."}
    )
    carrier = Text(
        required=True,
        allow_none=True,
        metadata={"description": "Where a person collects invoices: a barcode or certificate."},
    )
    donation_code = Text(
        required=True, allow_none=True, metadata={"description": "Who is given the invoice."}
    )


class InvoiceView(Schema):
    """An e-invoice for one sale."""

    id = Id(required=True, metadata={"description": "Opaque."})
    number = Text(
        required=True,
        allow_none=True,
        metadata={"description": "Two letters and eight digits; null while `due`."},
    )
    random_code = Text(required=True, metadata={"description": "Four digits that go with it."})
    status = Text(
        required=True,
        validate=validate.OneOf(STATUSES),
        metadata={"description": "`due` has no number yet; `void` was undone whole."},
    )
    period = Text(
        required=True,
        metadata={"description": "The first of the two months it is filed with.", **_AS_TWO_MONTHS},
    )
    store_id = Id(required=True, metadata={"description": "Where it was sold."})
    legal_entity_id = Id(required=True, metadata={"description": "Who sold it."})
    member_id = Id(required=True, metadata={"description": "Who bought it."})
    source = Text(
        required=True,
        validate=validate.OneOf(SOURCES),
        metadata={"description": "What it is for, as a kind."},
    )
    source_id = Id(required=True, metadata={"description": "Which one of that kind."})
    buyer = fields.Nested(
        BuyerView, required=True, metadata={"description": "To whom it is made out."}
    )
    gross = MoneyField(required=True, metadata={"description": "What was paid."})
    net = MoneyField(required=True, metadata={"description": "Without VAT."})
    vat = MoneyField(required=True, metadata={"description": "The VAT in it."})
    taken_back = MoneyField(
        required=True, metadata={"description": "What of `gross` was given back since."}
    )
    sold_at = Timestamp(required=True, metadata={"description": "When it was sold."})
    issued_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When it got its number."}
    )


class InvoiceLineView(Schema):
    """A line of an invoice."""

    description = Text(required=True, metadata={"description": "What was sold."})
    quantity = Integer(required=True, metadata={"description": "How many."})
    gross = MoneyField(required=True, metadata={"description": "Of the whole line, with VAT."})
    net = MoneyField(required=True, metadata={"description": "Without VAT."})
    vat = MoneyField(required=True, metadata={"description": "The VAT in it."})
    vat_code = Text(required=True, metadata={"description": "By which rate."})
    tax_type = Text(
        required=True,
        validate=validate.OneOf(("taxable", "zero", "exempt")),
        metadata={"description": "What the tax office calls it."},
    )


class InvoiceDocumentView(Schema):
    """Something that the tax office is told of an invoice."""

    id = Id(required=True, metadata={"description": "Opaque."})
    kind = Text(
        required=True,
        validate=validate.OneOf(KINDS),
        metadata={"description": "`allowance` gives part back, `void` undoes the invoice."},
    )
    status = Text(
        required=True,
        validate=validate.OneOf(DOCUMENT_STATUSES),
        metadata={"description": "`waiting` for the one before it; `due` until it has arrived."},
    )
    gross = MoneyField(required=True, metadata={"description": "Of which amount."})
    vat = MoneyField(required=True, metadata={"description": "The VAT in it."})
    description = Text(required=True, metadata={"description": "What for."})
    made_at = Timestamp(required=True, metadata={"description": "When it became necessary."})
    sent_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When it arrived."}
    )
    tries = Integer(required=True, metadata={"description": "How often it could not be sent."})
    last_error = Text(
        required=True, allow_none=True, metadata={"description": "Why not, the last time."}
    )


class InvoiceDetailView(InvoiceView):
    """An e-invoice with its lines, and all that the tax office is told of it."""

    lines = fields.List(
        fields.Nested(InvoiceLineView), required=True, metadata={"description": "What was sold."}
    )
    documents = fields.List(
        fields.Nested(InvoiceDocumentView),
        required=True,
        metadata={"description": "In the order in which they are sent."},
    )


class InvoiceRangeBody(Schema):
    """Numbers as the tax office has assigned them."""

    legal_entity_id = Id(required=True, metadata={"description": "To whom."})
    seller_tax_id = Text(
        required=True,
        validate=validate.Regexp(r"^[0-9]{8}(?!\n)$"),
        metadata={"description": "Its tax id (統一編號).", "example": "04595257"},
    )
    seller_address = Name(
        required=True, metadata={"description": "As it is registered.", "example": "臺北市中正區"}
    )
    period = _two_months("For the two months that begin with this one.", required=True)
    prefix = Text(
        required=True,
        validate=validate.Regexp(r"^[A-Z]{2}(?!\n)$"),
        metadata={"description": "The two letters (字軌).", "example": "AB"},
    )
    first_number = Integer(
        required=True,
        least=0,
        most=_MOST_NUMBER,
        metadata={"description": "The first number behind them.", "example": 12_345_000},
    )
    last_number = Integer(
        required=True,
        least=0,
        most=_MOST_NUMBER,
        metadata={"description": "The last one.", "example": 12_345_049},
    )


class InvoiceRangeView(Schema):
    """Numbers of a seller for two months."""

    id = Id(required=True, metadata={"description": "Opaque."})
    legal_entity_id = Id(required=True, metadata={"description": "Whose."})
    seller_tax_id = Text(required=True, metadata={"description": "Its tax id."})
    seller_address = Text(required=True, metadata={"description": "As it is registered."})
    period = Text(
        required=True, metadata={"description": "The first of the two months.", **_AS_TWO_MONTHS}
    )
    prefix = Text(required=True, metadata={"description": "The two letters."})
    first_number = Integer(required=True, metadata={"description": "The first number."})
    last_number = Integer(required=True, metadata={"description": "The last one."})
    left = Integer(required=True, metadata={"description": "How many were not given yet."})
    added_by_id = Id(required=True, metadata={"description": "Who of the staff added it."})
    added_at = Timestamp(required=True, metadata={"description": "When."})


@invoices.get("", guard=_FINANCE, query=InvoicesQuery, answer=paged(InvoiceView))
def list_invoices(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List e-invoices, in the order in which they were owed."""
    del caller
    refuse_unknown_stores({"store_id": query["store_id"]})
    wanted = Filter(
        store_id=query["store_id"],
        first_on=_first_on(query["period"]) if query["period"] else None,
        status=query["status"],
        late_at=clock.now() if query["late"] == "true" else None,
    )

    def read(limit: int, after: Position | None) -> list[dict[str, Any]]:
        rows = invoicing.list_invoices(wanted, after=after[0] if after else None, limit=limit)
        return [_told(row) for row in rows]

    return page_of(read, query=query, position=lambda told: (told["id"],))


@invoices.get(
    "/<uuid:invoice_id>",
    guard=_FINANCE,
    answer=InvoiceDetailView,
    transaction="snapshot",
    refusals=(NotFound,),
)
def get_invoice(*, caller: OfficeCaller, invoice_id: UUID) -> dict[str, Any]:
    """Read an e-invoice, with its lines and all that the tax office is told of it."""
    del caller
    invoice = invoicing.get_invoice(invoice_id)
    currency = {"currency": invoice.currency}
    lines = [
        {name: getattr(line, name) for name in InvoiceLineView().fields} | currency
        for line in invoicing.lines_of(invoice.id)
    ]
    documents = [
        {name: getattr(document, name) for name in InvoiceDocumentView().fields} | currency
        for document in invoicing.documents_of(invoice.id)
    ]
    return {**_told(invoice), "lines": lines, "documents": documents}


@invoice_ranges.get("", guard=_FINANCE, query=Page, answer=paged(InvoiceRangeView))
def list_invoice_ranges(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List the numbers that were assigned, and how many of them are left."""
    del caller

    def read(limit: int, after: Position | None) -> list[dict[str, Any]]:
        rows = invoicing.list_ranges(after=after[0] if after else None, limit=limit)
        return [_assigned(row) for row in rows]

    return page_of(read, query=query, position=lambda told: (told["id"],))


@invoice_ranges.post(
    "",
    guard=_FINANCE,
    body=InvoiceRangeBody,
    answer=InvoiceRangeView,
    status=201,
    idempotency="answer",
    refusals=(RangeInvalid, RangeOverlaps),
)
def add_invoice_range(*, caller: OfficeCaller, body: dict[str, Any]) -> dict[str, Any]:
    """Let a seller's invoices of two months get numbers that the tax office has assigned.

    Invoices that wait for a number get theirs at once. A range is never taken back.
    """
    if body["legal_entity_id"] not in chain.names_of_entities():
        raise ValidationError({"legal_entity_id": ["Is not there."]})
    first_on = _first_on(body.pop("period"))
    added = invoicing.add_range(**body, first_on=first_on, by_id=caller.staff_id, now=clock.now())
    return _assigned(added)


def _first_on(period: str) -> date:
    return date.fromisoformat(f"{period}-01")


def _told(invoice: Invoice) -> dict[str, Any]:
    return {
        "id": invoice.id,
        "number": invoice.number,
        "random_code": invoice.random_code,
        "status": invoice.status,
        "period": f"{invoice.first_on:%Y-%m}",
        "store_id": invoice.store_id,
        "legal_entity_id": invoice.legal_entity_id,
        "member_id": invoice.member_id,
        "source": invoice.source,
        "source_id": invoice.source_id,
        "buyer": {
            "tax_id": invoice.buyer_tax_id,
            "carrier": invoice.buyer_carrier,
            "donation_code": invoice.buyer_donation_code,
        },
        "currency": invoice.currency,
        "gross": invoice.gross,
        "net": invoice.net,
        "vat": invoice.vat,
        "taken_back": invoice.taken_back_gross,
        "sold_at": invoice.sold_at,
        "issued_at": invoice.issued_at,
    }


def _assigned(row: InvoiceRange) -> dict[str, Any]:
    return {
        "id": row.id,
        "legal_entity_id": row.legal_entity_id,
        "seller_tax_id": row.seller_tax_id,
        "seller_address": row.seller_address,
        "period": f"{row.first_on:%Y-%m}",
        "prefix": row.prefix,
        "first_number": row.first_number,
        "last_number": row.last_number,
        "left": row.last_number + 1 - row.next_number,
        "added_by_id": row.added_by_id,
        "added_at": row.added_at,
    }
