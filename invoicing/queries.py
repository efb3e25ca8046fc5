"""Reading invoices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, or_, select

from invoicing import policy
from invoicing.models import Invoice, InvoicedLine, InvoiceDocument
from kernel.db import db
from kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class Filter:
    """Which invoices: all, or those of a store, of the two months from `first_on`, in a status.

    `late_at` asks for those of which the tax office should know something by then, and does not.
    """

    store_id: UUID | None = None
    first_on: date | None = None
    status: str | None = None
    late_at: datetime | None = None


def get_invoice(invoice_id: UUID) -> Invoice:
    """Raises: NotFound: there is no such invoice."""
    found = db.session.get(Invoice, invoice_id)
    if found is None:
        raise NotFound
    return found


def find_invoice(*, source: str, source_id: UUID) -> Invoice | None:
    """What was invoiced for a source."""
    return db.session.scalar(
        select(Invoice).where(Invoice.source == source, Invoice.source_id == source_id)
    )


def find_by_number(number: str) -> Invoice | None:
    """The invoice of a number; the tax office uses its letters again after years: the newest."""
    return db.session.scalar(
        select(Invoice).where(Invoice.number == number).order_by(Invoice.first_on.desc()).limit(1)
    )


def invoices_of_member(member_id: UUID, *, after: UUID | None, limit: int) -> Sequence[Invoice]:
    """What a member was invoiced, in order, from after one of them."""
    return _page(select(Invoice).where(Invoice.member_id == member_id), after=after, limit=limit)


def list_invoices(wanted: Filter, *, after: UUID | None, limit: int) -> Sequence[Invoice]:
    """Invoices in the order in which they were owed, from after one of them."""
    rows = select(Invoice)
    if wanted.store_id is not None:
        rows = rows.where(Invoice.store_id == wanted.store_id)
    if wanted.first_on is not None:
        rows = rows.where(Invoice.first_on == wanted.first_on)
    if wanted.status is not None:
        rows = rows.where(Invoice.status == wanted.status)
    if wanted.late_at is not None:
        rows = rows.where(Invoice.id.in_(_late(wanted.late_at)))
    return _page(rows, after=after, limit=limit)


def lines_of(invoice_id: UUID) -> Sequence[InvoicedLine]:
    """What was sold with an invoice, in its order."""
    rows = select(InvoicedLine).where(InvoicedLine.invoice_id == invoice_id)
    return db.session.scalars(rows.order_by(InvoicedLine.ordinal)).all()


def documents_of(invoice_id: UUID) -> Sequence[InvoiceDocument]:
    """What the tax office was told, or is to be told, of an invoice, in order."""
    rows = select(InvoiceDocument).where(InvoiceDocument.invoice_id == invoice_id)
    return db.session.scalars(rows.order_by(InvoiceDocument.ordinal)).all()


def _late(now: datetime) -> Select[UUID]:
    """Invoices with a document that should have arrived: see `policy.must_arrive_by`."""
    return (
        select(InvoiceDocument.invoice_id)
        .join(Invoice, Invoice.id == InvoiceDocument.invoice_id)
        .where(
            InvoiceDocument.sent_at.is_(None),
            InvoiceDocument.made_at < now - policy.TO_PERSONS,
            or_(
                Invoice.buyer_tax_id.is_(None),
                InvoiceDocument.made_at < now - policy.TO_COMPANIES,
            ),
        )
    )


def _page(rows: Select[Invoice], *, after: UUID | None, limit: int) -> Sequence[Invoice]:
    if after is not None:
        rows = rows.where(Invoice.id > after)
    return db.session.scalars(rows.order_by(Invoice.id).limit(limit)).all()
