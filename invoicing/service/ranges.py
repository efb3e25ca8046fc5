"""Numbers that the tax office assigns to a seller for two months (字軌), and giving them out."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete, select, update

import chain
from invoicing import policy
from invoicing.buyer import is_tax_id
from invoicing.errors import OutOfNumbers, RangeInvalid
from invoicing.models import Invoice, InvoiceDocument, InvoiceRange, InvoiceShortage
from invoicing.sending import SENDING
from kernel import queue
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import after_commit

_PREFIX = re.compile(r"[A-Z]{2}")
_LAST = 99_999_999
_LONGEST_ADDRESS = 100


def add_range(
    *,
    legal_entity_id: UUID,
    seller_tax_id: str,
    seller_address: str,
    first_on: date,
    prefix: str,
    first_number: int,
    last_number: int,
    by_id: UUID,
    now: datetime,
) -> InvoiceRange:
    """Let a seller issue invoices with these numbers in the two months that begin on `first_on`.

    What waits for a number is tried at once.

    Raises:
        RangeInvalid: a field is none that the tax office could have said.
        RangeOverlaps: some of the numbers are in another range, as the database says.
        NotFound: there is no such legal entity.
    """
    _refuse_odd(
        seller_tax_id=is_tax_id(seller_tax_id),
        seller_address=0 < len(seller_address.strip()) <= _LONGEST_ADDRESS,
        first_on=first_on == policy.filing_period(first_on),
        prefix=_PREFIX.fullmatch(prefix) is not None,
        first_number=0 <= first_number <= _LAST,
        last_number=first_number <= last_number <= _LAST,
    )
    entity = chain.get_legal_entity(legal_entity_id)
    made = InvoiceRange(
        id=new_id(),
        legal_entity_id=entity.id,
        seller_tax_id=seller_tax_id,
        seller_address=seller_address,
        first_on=first_on,
        prefix=prefix,
        first_number=first_number,
        last_number=last_number,
        next_number=first_number,
        added_by_id=by_id,
        added_at=now,
    )
    db.session.add(made)
    db.session.flush()
    _wake_unnumbered(entity.id, first_on, now=now)
    return made


def list_ranges(*, after: UUID | None, limit: int) -> Sequence[InvoiceRange]:
    """All ranges, in the order in which they were added, from after one of them."""
    rows = select(InvoiceRange).order_by(InvoiceRange.id).limit(limit)
    if after is not None:
        rows = rows.where(InvoiceRange.id > after)
    return db.session.scalars(rows).all()


def give_number(invoice: Invoice, *, now: datetime) -> None:
    """Give an invoice the next number of its seller, with the seller's names as they are now.

    Locks the range: the invoices of one seller get their numbers one after the other.

    Raises:
        OutOfNumbers: there is none left for the two months that it was sold in.
    """
    seller = chain.get_legal_entity(invoice.legal_entity_id)
    taken = _next_range(seller.id, invoice.first_on)
    invoice.number = f"{taken.prefix}{taken.next_number:08d}"
    taken.next_number += 1
    invoice.seller_tax_id = taken.seller_tax_id
    invoice.seller_name = seller.name
    invoice.seller_address = taken.seller_address
    invoice.issued_at = now
    if invoice.status == "due":
        invoice.status = "issued"
    db.session.execute(
        delete(InvoiceShortage).where(
            InvoiceShortage.legal_entity_id == seller.id,
            InvoiceShortage.first_on == invoice.first_on,
        )
    )


def _next_range(legal_entity_id: UUID, first_on: date) -> InvoiceRange:
    """Lock the range that the next number comes from.

    Where somebody empties it while we wait for its lock, PostgreSQL goes on to the next one.
    """
    left = (
        select(InvoiceRange)
        .where(
            InvoiceRange.legal_entity_id == legal_entity_id,
            InvoiceRange.first_on == first_on,
            InvoiceRange.next_number <= InvoiceRange.last_number,
        )
        .order_by(InvoiceRange.prefix, InvoiceRange.first_number)
        .limit(1)
    )
    locked = db.session.scalar(left.with_for_update())
    if locked is None:
        raise OutOfNumbers(
            f"no invoice number is left for {first_on:%Y-%m} and the month after it"
            f" (legal entity {legal_entity_id})"
        )
    return locked


def _wake_unnumbered(legal_entity_id: UUID, first_on: date, *, now: datetime) -> None:
    unnumbered = select(Invoice.id).where(
        Invoice.number.is_(None),
        Invoice.legal_entity_id == legal_entity_id,
        Invoice.first_on == first_on,
    )
    db.session.execute(
        update(InvoiceDocument)
        .where(InvoiceDocument.status == "due", InvoiceDocument.invoice_id.in_(unnumbered))
        .values(due_at=now)
    )
    after_commit(lambda: queue.ring(SENDING))


def _refuse_odd(**is_right: bool) -> None:
    for field, is_so in is_right.items():
        if not is_so:
            raise RangeInvalid(field=field)
