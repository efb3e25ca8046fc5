"""What this room holds about a member."""

from uuid import UUID

from sqlalchemy import func, select

from invoicing.models import Invoice, InvoicedLine, InvoiceDocument
from members.holding import Rows, holds, rows_of


@holds("invoices", tables=("invoice", "invoice_line"))
def invoices(member_id: UUID) -> Rows:
    """Their invoices, with what they are for and to whom they were made out."""
    line = func.jsonb_build_object(
        "description",
        InvoicedLine.description,
        "quantity",
        InvoicedLine.quantity,
        "gross",
        InvoicedLine.gross,
        "net",
        InvoicedLine.net,
        "vat",
        InvoicedLine.vat,
    )
    lines = select(func.jsonb_agg(line)).where(InvoicedLine.invoice_id == Invoice.id)
    return rows_of(
        select(
            Invoice.id,
            Invoice.number,
            Invoice.random_code,
            Invoice.status,
            Invoice.source,
            Invoice.source_id,
            Invoice.seller_name,
            Invoice.seller_tax_id,
            Invoice.buyer_tax_id,
            Invoice.buyer_carrier,
            Invoice.buyer_donation_code,
            Invoice.currency,
            Invoice.gross,
            Invoice.net,
            Invoice.vat,
            Invoice.taken_back_gross,
            Invoice.sold_at,
            Invoice.issued_at,
            lines.scalar_subquery().label("lines"),
        )
        .where(Invoice.member_id == member_id)
        .order_by(Invoice.id)
    )


@holds("invoice_documents", tables=("invoice_document",))
def documents(member_id: UUID) -> Rows:
    """What the tax office was told of them."""
    return rows_of(
        select(
            InvoiceDocument.id,
            InvoiceDocument.invoice_id,
            InvoiceDocument.kind,
            InvoiceDocument.description,
            InvoiceDocument.gross,
            InvoiceDocument.net,
            InvoiceDocument.vat,
            InvoiceDocument.status,
            InvoiceDocument.made_at,
            InvoiceDocument.sent_at,
        )
        .join(Invoice, Invoice.id == InvoiceDocument.invoice_id)
        .where(Invoice.member_id == member_id)
        .order_by(Invoice.id, InvoiceDocument.ordinal)
    )
