"""Part of an invoice, or all of it, is given back."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

import chain
from invoicing import policy
from invoicing.models import Invoice, InvoiceDocument
from invoicing.sending import SENDING
from kernel import alerts, queue
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import after_commit


def take_back(
    *,
    source: str,
    source_id: UUID,
    cause_id: UUID,
    gross: int,
    net: int,
    vat: int,
    description: str,
    now: datetime,
) -> UUID | None:
    """Give back part or all of what a source was invoiced; answers the void's or allowance's id.

    In the caller's transaction, once per cause; locks the invoice. None where there is no
    invoice, or nothing to give back. Whether it is void or an allowance is the law's choice, see
    `policy.taken_back_by`. Where less is left, since a lost dispute was won after all and finance
    invoiced it anew by hand, that much goes back, and finance is told to take back the rest there.
    """
    invoice = _lock(source, source_id)
    if invoice is None or gross == 0:
        return None
    documents = _documents(invoice)
    for document in documents:
        if document.cause_id == cause_id:
            return document.id
    if gross > invoice.gross - invoice.taken_back_gross:
        net = invoice.net - invoice.taken_back_net
        vat = invoice.vat - invoice.taken_back_vat
        alerts.alert(
            f"Invoice {invoice.number or invoice.id} cannot give {gross} back, {net + vat} is left",
            now=now,
        )
        gross = net + vat
        if gross == 0:
            return None
    before = documents[-1]
    made = InvoiceDocument(
        id=new_id(),
        invoice_id=invoice.id,
        ordinal=before.ordinal + 1,
        kind=_kind(invoice, gross, now),
        cause_id=cause_id,
        gross=gross,
        net=net,
        vat=vat,
        description=description,
        made_at=now,
        status="due" if before.status == "sent" else "waiting",
        due_at=now,
    )
    _count(invoice, made)
    db.session.add(made)
    db.session.flush()
    after_commit(lambda: queue.ring(SENDING))
    return made.id


def _lock(source: str, source_id: UUID) -> Invoice | None:
    mine = select(Invoice).where(Invoice.source == source, Invoice.source_id == source_id)
    return db.session.scalar(mine.with_for_update().execution_options(populate_existing=True))


def _documents(invoice: Invoice) -> Sequence[InvoiceDocument]:
    """As they are under the lock, whatever was read before."""
    rows = select(InvoiceDocument).where(InvoiceDocument.invoice_id == invoice.id)
    fresh = rows.order_by(InvoiceDocument.ordinal).execution_options(populate_existing=True)
    return db.session.scalars(fresh).all()


def _kind(invoice: Invoice, giving_back: int, now: datetime) -> policy.TakenBackBy:
    return policy.taken_back_by(
        gross=invoice.gross,
        taken_back=invoice.taken_back_gross,
        giving_back=giving_back,
        sold_on=chain.local_date(invoice.store_id, invoice.sold_at),
        today=chain.local_date(invoice.store_id, now),
    )


def _count(invoice: Invoice, document: InvoiceDocument) -> None:
    invoice.taken_back_gross += document.gross
    invoice.taken_back_net += document.net
    invoice.taken_back_vat += document.vat
    if document.kind == "void":
        invoice.status = "void"
