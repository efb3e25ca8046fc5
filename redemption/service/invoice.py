"""What was taxed at the till is invoiced, and taken back when the redemption is undone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

import invoicing
from chain.models import Product
from invoicing import InvoiceLine
from kernel.db import db
from ledger import policy
from ledger.models import Entry, Line
from redemption.models import Redemption, RedemptionLine
from redemption.queries import currency_of
from vouchers.models import Lot, OfferVersion

_TOP_UP = "補差價"
_VOIDED = "取消取杯"


@dataclass(frozen=True, slots=True)
class _Sale:
    """Cups of a cash-value voucher: their sale is the redemption."""

    name: str
    vat_code: str
    cups: int
    gross: int
    vat: int


def invoice(*, member_id: UUID, redemption_id: UUID, vat_code: str | None, now: datetime) -> None:
    """Owe the invoices of one redemption: for the top-up, and for cups taxed at the till.

    Holds the redemption's row, so that a void waits and then finds them, or came first: then
    nothing was sold, and nothing is invoiced.
    """
    mine = select(Redemption).where(
        Redemption.member_id == member_id, Redemption.id == redemption_id
    )
    redemption = db.session.scalars(mine.with_for_update()).one()
    if redemption.voided_at is not None:
        return
    if redemption.top_up and vat_code is not None:
        _issue(redemption, "top_up", [_top_up(redemption, vat_code)], now)
    sales = _sales(redemption)
    if sales:
        _issue(redemption, "redemption", [_line(sale) for sale in sales], now)


def take_back(redemption: Redemption, *, now: datetime) -> None:
    """Take back what was invoiced for a redemption that is undone; its row is locked.

    Where nothing was invoiced yet, nothing will be.
    """
    sales = _sales(redemption)
    parts = {
        "top_up": (redemption.top_up, redemption.top_up_vat),
        "redemption": (sum(sale.gross for sale in sales), sum(sale.vat for sale in sales)),
    }
    for source, (gross, vat) in parts.items():
        if gross:
            invoicing.take_back(
                source=source,
                source_id=redemption.id,
                cause_id=redemption.id,
                gross=gross,
                net=gross - vat,
                vat=vat,
                description=_VOIDED,
                now=now,
            )


def _issue(
    redemption: Redemption, source: str, lines: Sequence[InvoiceLine], now: datetime
) -> None:
    invoicing.issue(
        member_id=redemption.member_id,
        store_id=redemption.store_id,
        source=source,
        source_id=redemption.id,
        currency=currency_of(redemption),
        lines=lines,
        buyer=None,
        sold_at=redemption.redeemed_at,
        now=now,
    )


def _top_up(redemption: Redemption, vat_code: str) -> InvoiceLine:
    drink = db.session.get_one(Product, redemption.product_id)
    return InvoiceLine(
        description=f"{_TOP_UP} {drink.name}",
        quantity=1,
        gross=redemption.top_up,
        net=redemption.top_up - redemption.top_up_vat,
        vat=redemption.top_up_vat,
        vat_code=vat_code,
    )


def _line(sale: _Sale) -> InvoiceLine:
    return InvoiceLine(
        description=sale.name,
        quantity=sale.cups,
        gross=sale.gross,
        net=sale.gross - sale.vat,
        vat=sale.vat,
        vat_code=sale.vat_code,
    )


def _sales(redemption: Redemption) -> list[_Sale]:
    """The cups that are taxed at the till, lot by lot, with the VAT as it was booked."""
    lines, terms = RedemptionLine, OfferVersion
    mine = (
        select(lines.lot_id, lines.cups, lines.amount, terms.name, terms.vat_code)
        .join(Lot, (Lot.member_id == lines.member_id) & (Lot.id == lines.lot_id))
        .join(terms, terms.id == Lot.offer_version_id)
        .where(
            lines.member_id == redemption.member_id,
            lines.redemption_id == redemption.id,
            terms.vat_timing == "redemption",
        )
        .order_by(lines.lot_id)
    )
    found = db.session.execute(mine).all()
    booked = _vat_by_lot(redemption) if found else {}
    return [
        _Sale(row.name, row.vat_code, row.cups, row.amount, booked.get(row.lot_id, 0))
        for row in found
    ]


def _vat_by_lot(redemption: Redemption) -> dict[UUID, int]:
    entry = db.session.get_one(Entry, (redemption.member_id, redemption.entry_id))
    mine = select(Line).where(
        Line.member_id == entry.member_id,
        Line.book_date == entry.book_date,
        Line.entry_id == entry.id,
        Line.credit == policy.OUTPUT_VAT,
        Line.lot_id.is_not(None),
    )
    return {line.lot_id: line.amount for line in db.session.scalars(mine) if line.lot_id}
