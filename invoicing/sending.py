"""What is due to be sent: the SELECT of the duty, apart from the work, so that verbs can ring."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, Select, bindparam, false, select

from invoicing.models import Invoice, InvoiceDocument
from invoicing.ports.place import place
from kernel.queue import Duty


def due_documents(now: datetime) -> Select[InvoiceDocument]:
    """Documents that somebody may take now, those first that have waited longest."""
    is_free = (InvoiceDocument.leased_until.is_(None)) | (InvoiceDocument.leased_until < now)
    due = select(InvoiceDocument).where(
        InvoiceDocument.status == "due", InvoiceDocument.due_at <= now, is_free
    )
    return due.order_by(InvoiceDocument.due_at)


def _due_ids(now: datetime) -> Select[UUID]:
    """Nothing is due where invoices go nowhere."""
    due = due_documents(now).with_only_columns(InvoiceDocument.id)
    return due if place() else due.where(false())


def _moments(member_id: ColumnElement[UUID]) -> Select[Any]:
    due = select(InvoiceDocument.due_at).join(Invoice, Invoice.id == InvoiceDocument.invoice_id)
    return due.where(
        Invoice.member_id == member_id,
        InvoiceDocument.status == "due",
        bindparam("is_sent", type_=Boolean, callable_=lambda: place() is not None, unique=True),
    )


SENDING = Duty("invoicing.jobs.send", "events", _due_ids, _moments)
