"""Sending what is due: claim it with a lease, send it outside of any transaction, keep the outcome.

A number is given before a document is sent, and committed: whoever dies in between sends the
same again. A document waits until the one before it, of the same invoice, has been sent.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert

import chain
from invoicing import policy, ports
from invoicing.buyer import Buyer
from invoicing.document import Document, DocumentLine, Kind, Seller
from invoicing.errors import OutOfNumbers
from invoicing.models import Invoice, InvoicedLine, InvoiceDocument, InvoiceShortage
from invoicing.ports.place import place
from invoicing.sending import SENDING, due_documents
from invoicing.service.ranges import give_number
from kernel import clock, queue
from kernel.alerts import alert
from kernel.db import db
from kernel.reasons import reason_of
from kernel.transaction import after_commit, again, transaction

log = structlog.get_logger()

_BATCH = 20
_LEASE = timedelta(minutes=2)


def claim() -> Sequence[UUID]:
    """Take some documents that are due; others may, should this worker die with them.

    None where invoices go nowhere: they wait until this installation knows where.
    """
    now = clock.now()
    if place() is None:
        return []
    with transaction():
        due = due_documents(now).limit(_BATCH).with_for_update(skip_locked=True)
        if (whose := clock.whose()) is not None:
            due = due.where(InvoiceDocument.invoice_id.in_(_of(whose)))
        rows = db.session.scalars(due).all()
        for row in rows:
            row.leased_until = now + _LEASE
        return [row.id for row in rows]


def _of(member_id: UUID) -> Select[UUID]:
    return select(Invoice.id).where(Invoice.member_id == member_id)


def send(document_id: UUID) -> None:
    """Send one document that was claimed; what goes wrong is kept, and tried again later."""
    try:
        document = again(lambda: prepare(document_id))
        if document is None:
            return
        ports.send(document)
    except Exception as problem:  # noqa: BLE001  one document must not stop the others
        why = problem
        again(lambda: _postpone(document_id, why))
    else:
        again(lambda: _keep_sent(document_id))


def prepare(document_id: UUID) -> Document | None:
    """What is to be sent, with its number; None if somebody else has sent it meanwhile.

    Raises:
        OutOfNumbers: its seller has none left.
    """
    now = clock.now()
    with transaction():
        invoice, row = _lock(document_id)
        if row.status != "due":
            return None
        if invoice.number is None:
            give_number(invoice, now=now)
        return _document(invoice, row)


def _lock(document_id: UUID) -> tuple[Invoice, InvoiceDocument]:
    """Lock the invoice, then read its document as it is now: the order in which verbs do it."""
    of = select(InvoiceDocument.invoice_id).where(InvoiceDocument.id == document_id)
    mine = select(Invoice).where(Invoice.id == of.scalar_subquery()).with_for_update()
    invoice = db.session.scalars(mine).one()
    return invoice, db.session.get_one(InvoiceDocument, document_id, with_for_update=True)


def _document(invoice: Invoice, row: InvoiceDocument) -> Document:
    zone = ZoneInfo(chain.get_store(invoice.store_id).time_zone)
    lines = db.session.scalars(
        select(InvoicedLine)
        .where(InvoicedLine.invoice_id == invoice.id)
        .order_by(InvoicedLine.ordinal)
    )
    number = invoice.number or ""
    kind: Kind = row.kind  # type: ignore[assignment]  # the table knows no other
    return Document(
        kind=kind,
        number=f"{number}{row.ordinal:04d}" if kind == "allowance" else number,
        invoice_number=number,
        random_code=invoice.random_code,
        buyer_name=invoice.buyer_tax_id or f"M{invoice.id.hex[-3:]}",
        seller=Seller(
            invoice.seller_tax_id or "", invoice.seller_name or "", invoice.seller_address or ""
        ),
        buyer=Buyer(invoice.buyer_tax_id, invoice.buyer_carrier, invoice.buyer_donation_code),
        sold_at=invoice.sold_at.astimezone(zone),
        made_at=row.made_at.astimezone(zone),
        gross=row.gross,
        net=row.net,
        vat=row.vat,
        reason=row.description,
        lines=tuple(_line(line) for line in lines),
    )


def _line(line: InvoicedLine) -> DocumentLine:
    return DocumentLine(
        ordinal=line.ordinal,
        description=line.description,
        quantity=line.quantity,
        gross=line.gross,
        net=line.net,
        vat=line.vat,
        rate=Decimal(line.basis_points) / 10_000,
        tax_type=line.tax_type,  # type: ignore[arg-type]  # the table knows no other
    )


def _keep_sent(document_id: UUID) -> None:
    """It has arrived: the next one of the same invoice is due."""
    now = clock.now()
    with transaction():
        invoice, row = _lock(document_id)
        if row.status != "due":
            return
        row.status, row.sent_at = "sent", now
        row.leased_until = row.last_error = None
        db.session.flush()  # before the next one: one document of an invoice is due at a time
        following = db.session.scalar(
            select(InvoiceDocument).where(
                InvoiceDocument.invoice_id == invoice.id,
                InvoiceDocument.ordinal == row.ordinal + 1,
            )
        )
        if following is not None:
            following.status, following.due_at = "due", now
            after_commit(lambda: queue.ring(SENDING))


def _postpone(document_id: UUID, problem: Exception) -> None:
    """Try again later, ever more seldom, for ever: an invoice is owed until it is sent."""
    now = clock.now()
    with transaction():
        invoice, row = _lock(document_id)
        if row.status != "due":
            return
        row.tries += 1
        row.leased_until = None
        row.due_at = policy.next_try_at(tries=row.tries, now=now)
        is_out = isinstance(problem, OutOfNumbers)
        row.last_error = str(problem)[:500] if is_out else reason_of(problem)
        log.warning("invoice.not_sent", document_id=str(row.id), tries=row.tries)
        if now > policy.must_arrive_by(row.made_at, is_to_company=invoice.buyer_tax_id is not None):
            log.error("invoice.late", document_id=str(row.id), tries=row.tries)
        if is_out:
            _tell_shortage(invoice, now=now)
        elif row.tries == policy.ALARMING_TRIES:
            _tell_stuck(row, now=now)


def _tell_shortage(invoice: Invoice, *, now: datetime) -> None:
    """Once for all invoices that wait for a number of the same seller and period."""
    row = {
        "legal_entity_id": invoice.legal_entity_id,
        "first_on": invoice.first_on,
        "told_at": now,
    }
    told = insert(InvoiceShortage).values(row).on_conflict_do_nothing()
    if db.session.scalar(told.returning(InvoiceShortage.told_at)) is None:
        return
    named = chain.get_legal_entity(invoice.legal_entity_id)
    log.error("invoice.no_numbers", legal_entity=named.code, first_on=str(invoice.first_on))
    alert(
        f"Jibei: {named.name} has no invoice numbers left for the two months from"
        f" {invoice.first_on:%Y-%m}. Add a range; what waits is issued then.",
        now=now,
    )


def _tell_stuck(row: InvoiceDocument, *, now: datetime) -> None:
    """The first of those that are stuck together speaks for all."""
    log.error("invoice.stuck", document_id=str(row.id), error=row.last_error)
    others = select(InvoiceDocument.id).where(
        InvoiceDocument.status == "due",
        InvoiceDocument.tries >= policy.ALARMING_TRIES,
        InvoiceDocument.id != row.id,
    )
    if db.session.scalar(others.limit(1)) is None:
        alert(
            f"Jibei: an invoice could not be sent {row.tries} times ({row.last_error})."
            " It is tried again every hour.",
            now=now,
        )
