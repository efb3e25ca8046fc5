"""An invoice is owed for a sale."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

import chain
from invoicing import policy
from invoicing.buyer import Buyer, check_buyer
from invoicing.models import Invoice, InvoicedLine, InvoiceDocument
from kernel.db import db, table_of
from kernel.errors import NotFound
from kernel.ids import new_id
from ledger.models import VatRate

_CURRENCY = "TWD"
_JURISDICTION = "TW"
_NOTHING_ASKED = Buyer()

_WRITE = (
    insert(table_of(Invoice))
    .on_conflict_do_nothing(constraint="uq_invoice_source")
    .returning(Invoice.id)
)
_WRITE_LINES = insert(table_of(InvoicedLine))
_WRITE_DOCUMENT = insert(table_of(InvoiceDocument))
_RATE_ON = (
    select(VatRate.basis_points)
    .where(VatRate.code == bindparam("code"), VatRate.starts_on <= bindparam("on"))
    .order_by(VatRate.starts_on.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """What was sold, as the buyer reads it: amounts are of the whole line, `gross = net + vat`."""

    description: str
    quantity: int
    gross: int
    net: int
    vat: int
    vat_code: str = "standard"


def issue(
    *,
    member_id: UUID,
    store_id: UUID,
    source: str,
    source_id: UUID,
    currency: str,
    lines: Sequence[InvoiceLine],
    buyer: Buyer | None,
    sold_at: datetime,
    now: datetime,
) -> UUID | None:
    """Owe an invoice for a sale; answers its id, or None where no invoice is owed.

    In the caller's transaction, once per source: again answers the first. The number is given by
    the job that sends it, for which the tick rings: no sale waits for one, or fails for want of
    one. None is owed for nothing, in other currencies, or by a seller outside of Taiwan.

    Raises:
        BuyerInvalid: the buyer is none.
        NotFound: nobody owns the store, or a VAT code has no rate on that day.
    """
    check_buyer(buyer or _NOTHING_ASKED)
    sold_on = chain.local_date(store_id, sold_at)
    seller = chain.owner_on(store_id, sold_on)
    gross = sum(line.gross for line in lines)
    if currency != _CURRENCY or seller.jurisdiction != _JURISDICTION or gross == 0:
        return None
    asked = buyer or _NOTHING_ASKED
    invoice_id = new_id()
    row: dict[str, Any] = {
        "id": invoice_id,
        "member_id": member_id,
        "store_id": store_id,
        "legal_entity_id": seller.id,
        "source": source,
        "source_id": source_id,
        "buyer_tax_id": asked.tax_id,
        "buyer_carrier": asked.carrier,
        "buyer_donation_code": asked.donation_code,
        "currency": currency,
        "gross": gross,
        "net": sum(line.net for line in lines),
        "vat": sum(line.vat for line in lines),
        "taken_back_gross": 0,
        "taken_back_net": 0,
        "taken_back_vat": 0,
        "first_on": policy.filing_period(sold_on),
        "status": "due",
        "random_code": f"{secrets.randbelow(10_000):04d}",
        "sold_at": sold_at,
    }
    return _kept(row, list(_lines(invoice_id, lines, sold_on)), now=now)


def _kept(row: dict[str, Any], lines: list[dict[str, Any]], *, now: datetime) -> UUID:
    """Write it, unless somebody else has; whoever is second waits for the first to commit."""
    invoice_id: UUID | None = db.session.scalar(_WRITE, row)
    if invoice_id is None:
        same = select(Invoice.id).where(
            Invoice.source == row["source"], Invoice.source_id == row["source_id"]
        )
        return db.session.scalars(same).one()
    first = {
        "id": new_id(),
        "invoice_id": invoice_id,
        "ordinal": 1,
        "kind": "issue",
        "gross": row["gross"],
        "net": row["net"],
        "vat": row["vat"],
        "description": lines[0]["description"],
        "made_at": row["sold_at"],
        "status": "due",
        "due_at": now,
    }
    db.session.execute(_WRITE_LINES, lines)
    db.session.execute(_WRITE_DOCUMENT, first)
    return invoice_id


def _lines(
    invoice_id: UUID, lines: Sequence[InvoiceLine], sold_on: date
) -> Iterator[dict[str, Any]]:
    rates = {code: _basis_points(code, sold_on) for code in {line.vat_code for line in lines}}
    for ordinal, line in enumerate(lines, 1):
        rate = rates[line.vat_code]
        yield {
            "invoice_id": invoice_id,
            "ordinal": ordinal,
            "description": line.description,
            "quantity": line.quantity,
            "gross": line.gross,
            "net": line.net,
            "vat": line.vat,
            "vat_code": line.vat_code,
            "basis_points": rate,
            "tax_type": policy.tax_type(vat_code=line.vat_code, basis_points=rate, vat=line.vat),
        }


def _basis_points(vat_code: str, on: date) -> int:
    found = db.session.scalar(_RATE_ON, {"code": vat_code, "on": on})
    if found is None:
        raise NotFound
    return found
