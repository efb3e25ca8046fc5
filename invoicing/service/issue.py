"""An invoice is owed for a sale."""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert

import chain
from chain.models import LegalEntity
from chain.policy import local_day
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
_WRITE_DOCUMENTS = insert(table_of(InvoiceDocument))
_RATES = select(VatRate.code, VatRate.starts_on, VatRate.basis_points).order_by(VatRate.starts_on)


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """What was sold, as the buyer reads it: amounts are of the whole line, `gross = net + vat`."""

    description: str
    quantity: int
    gross: int
    net: int
    vat: int
    vat_code: str = "standard"


@dataclass(frozen=True, slots=True)
class Sale:
    """What an invoice may be owed for, and to whom. `source` names the kind of `source_id`."""

    member_id: UUID
    store_id: UUID
    source: str
    source_id: UUID
    currency: str
    lines: Sequence[InvoiceLine]
    buyer: Buyer | None
    sold_at: datetime


@dataclass(frozen=True, slots=True)
class _Owed:
    """A sale with what was true of its store on the day of it."""

    sale: Sale
    sold_on: date
    seller: LegalEntity

    @property
    def gross(self) -> int:
        return sum(line.gross for line in self.sale.lines)

    @property
    def is_invoiced(self) -> bool:
        is_ours = self.seller.jurisdiction == _JURISDICTION
        return is_ours and self.sale.currency == _CURRENCY and self.gross != 0


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
    """Owe the invoice of one sale, as `issue_all` does; answers its id, or None."""
    sale = Sale(
        member_id=member_id,
        store_id=store_id,
        source=source,
        source_id=source_id,
        currency=currency,
        lines=lines,
        buyer=buyer,
        sold_at=sold_at,
    )
    return issue_all([sale], now=now)[0]


def issue_all(sales: Sequence[Sale], *, now: datetime) -> list[UUID | None]:
    """Owe an invoice for each sale; answers their ids, None where no invoice is owed.

    In the caller's transaction, once per source: again answers the first. The number is given by
    the job that sends it, for which the tick rings: no sale waits for one, or fails for want of
    one. None is owed for nothing, in other currencies, or by a seller outside of Taiwan. The
    number of statements does not grow with the number of sales.

    Raises:
        BuyerInvalid: the buyer is none.
        NotFound: nobody owns the store, or a VAT code has no rate on that day.
    """
    for sale in sales:
        check_buyer(sale.buyer or _NOTHING_ASKED)
    owed = [one for one in _on_their_days(sales) if one.is_invoiced]
    ids = _kept(owed, now=now) if owed else {}
    return [ids.get((sale.source, sale.source_id)) for sale in sales]


def _on_their_days(sales: Sequence[Sale]) -> Iterator[_Owed]:
    stores = chain.find_stores({sale.store_id for sale in sales})
    zones = {store.id: store.time_zone for store in stores.values()}
    days = [local_day(sale.sold_at, time_zone=zones[sale.store_id]) for sale in sales]
    at = [(sale.store_id, day) for sale, day in zip(sales, days, strict=True)]
    sellers = chain.owners_on(at)
    for sale, (store_id, day) in zip(sales, at, strict=True):
        yield _Owed(sale, day, sellers[store_id, day])


def _kept(owed: Sequence[_Owed], *, now: datetime) -> dict[tuple[str, UUID], UUID]:
    """Write them, unless somebody else has; whoever is second waits for the first to commit."""
    basis_points = _basis_points(owed)
    rows = [_row(one) for one in owed]
    written = set(db.session.scalars(_WRITE, rows))
    fresh = [(one, row) for one, row in zip(owed, rows, strict=True) if row["id"] in written]
    if fresh:
        lines = [line for one, row in fresh for line in _lines(row["id"], one, basis_points)]
        db.session.execute(_WRITE_LINES, lines)
        db.session.execute(_WRITE_DOCUMENTS, [_document(one, row, now=now) for one, row in fresh])
    ids = {_source(row): row["id"] for _, row in fresh}
    return ids | _known({_source(row) for row in rows} - ids.keys())


def _source(row: dict[str, Any]) -> tuple[str, UUID]:
    return row["source"], row["source_id"]


def _known(sources: Collection[tuple[str, UUID]]) -> dict[tuple[str, UUID], UUID]:
    if not sources:
        return {}
    same = select(Invoice.source, Invoice.source_id, Invoice.id)
    rows = db.session.execute(same.where(tuple_(Invoice.source, Invoice.source_id).in_(sources)))
    return {(source, source_id): invoice_id for source, source_id, invoice_id in rows}


def _row(owed: _Owed) -> dict[str, Any]:
    sale, asked = owed.sale, owed.sale.buyer or _NOTHING_ASKED
    return {
        "id": new_id(),
        "member_id": sale.member_id,
        "store_id": sale.store_id,
        "legal_entity_id": owed.seller.id,
        "source": sale.source,
        "source_id": sale.source_id,
        "buyer_tax_id": asked.tax_id,
        "buyer_carrier": asked.carrier,
        "buyer_donation_code": asked.donation_code,
        "currency": sale.currency,
        "gross": owed.gross,
        "net": sum(line.net for line in sale.lines),
        "vat": sum(line.vat for line in sale.lines),
        "taken_back_gross": 0,
        "taken_back_net": 0,
        "taken_back_vat": 0,
        "first_on": policy.filing_period(owed.sold_on),
        "status": "due",
        "random_code": f"{secrets.randbelow(10_000):04d}",
        "sold_at": sale.sold_at,
    }


def _document(owed: _Owed, row: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "invoice_id": row["id"],
        "ordinal": 1,
        "kind": "issue",
        "gross": row["gross"],
        "net": row["net"],
        "vat": row["vat"],
        "description": owed.sale.lines[0].description,
        "made_at": row["sold_at"],
        "status": "due",
        "due_at": now,
    }


def _lines(
    invoice_id: UUID, owed: _Owed, basis_points: Mapping[tuple[str, date], int]
) -> Iterator[dict[str, Any]]:
    for ordinal, line in enumerate(owed.sale.lines, 1):
        rate = basis_points[line.vat_code, owed.sold_on]
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


def _basis_points(owed: Sequence[_Owed]) -> dict[tuple[str, date], int]:
    """The rates of the VAT codes on the days of their sales."""
    wanted = {(line.vat_code, one.sold_on) for one in owed for line in one.sale.lines}
    rates = db.session.execute(_RATES).all()
    found = {
        (code, on): rate  # of those that begin by that day, the last one stays
        for code, on in wanted
        for of, starts_on, rate in rates
        if of == code and starts_on <= on
    }
    if found.keys() != wanted:
        raise NotFound
    return found
