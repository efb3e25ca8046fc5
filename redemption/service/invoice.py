"""What was taxed at the till is invoiced, and taken back when it is undone."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

import invoicing
from chain.models import Product
from invoicing import InvoiceLine
from kernel.db import db
from redemption.models import Redemption, RedemptionLine
from redemption.queries import currency_of, lines_of
from redemption.service.booked import Booked, Charged, booked_of, total
from vouchers.models import Lot, OfferVersion

_TOP_UP = "補差價"
_VOIDED = "取消取杯"


def invoice(*, member_id: UUID, redemption_id: UUID, now: datetime) -> None:
    """Owe the invoices of one redemption: for the top-up, and for cups taxed at the till.

    Holds the redemption's row, so that a void waits and then finds them, or came first: of what was
    undone nothing was sold, and nothing is invoiced.
    """
    mine = select(Redemption).where(
        Redemption.member_id == member_id, Redemption.id == redemption_id
    )
    redemption = db.session.scalars(mine.with_for_update()).one()
    if redemption.voided_at is not None:
        return
    booked = booked_of(redemption)
    if booked.top_ups:
        _issue(redemption, "top_up", _top_ups(redemption, booked), now)
    sales = _sales(redemption, booked)
    if sales:
        _issue(redemption, "redemption", sales, now)


def take_back(redemption: Redemption, *, void_id: UUID, going: Booked, now: datetime) -> None:
    """Take back what was invoiced for cups that are undone; their redemption's row is locked.

    Where nothing was invoiced yet, nothing of them will be.
    """
    parts = {"top_up": going.top_up, "redemption": total(going.sales.values())}
    for source, part in parts.items():
        if part.gross:
            invoicing.take_back(
                source=source,
                source_id=redemption.id,
                cause_id=void_id,
                gross=part.gross,
                net=part.gross - part.vat,
                vat=part.vat,
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


def _top_ups(redemption: Redemption, booked: Booked) -> list[InvoiceLine]:
    """A line for each drink that was topped up, by the tax code of what it came from.

    The last one of a code has what is left of its VAT.
    """
    due: dict[tuple[UUID, str], int] = defaultdict(int)
    for line in lines_of(redemption):
        due[line.product_id, booked.codes[line.lot_id]] += line.top_up - line.top_up_voided
    lines, rests = [], dict(booked.top_ups)
    for product_id, name in _names(product_id for (product_id, _), gross in due.items() if gross):
        for code in sorted(rests):
            part = rests[code].part(due[product_id, code])
            rests[code] = rests[code].less(part)
            if part.gross:
                lines.append(_line(f"{_TOP_UP} {name}", 1, part, code))
    return lines


def _names(product_ids: Iterable[UUID]) -> list[tuple[UUID, str]]:
    named = select(Product.id, Product.name).where(Product.id.in_(list(product_ids)))
    return [(row[0], row[1]) for row in db.session.execute(named.order_by(Product.code))]


def _sales(redemption: Redemption, booked: Booked) -> list[InvoiceLine]:
    """The cups that are taxed at the till, lot by lot, with the VAT as it was booked."""
    lines, terms = RedemptionLine, OfferVersion
    mine = (
        select(
            lines.lot_id,
            func.sum(lines.cups - lines.cups_voided).label("cups"),
            terms.name,
            terms.vat_code,
        )
        .join(Lot, (Lot.member_id == lines.member_id) & (Lot.id == lines.lot_id))
        .join(terms, terms.id == Lot.offer_version_id)
        .where(
            lines.member_id == redemption.member_id,
            lines.redemption_id == redemption.id,
            lines.lot_id.in_(booked.sales),
        )
        .group_by(lines.lot_id, terms.name, terms.vat_code)
        .order_by(lines.lot_id)
    )
    return [
        _line(row.name, int(row.cups), booked.sales[row.lot_id], row.vat_code)
        for row in db.session.execute(mine)
        if row.cups
    ]


def _line(description: str, quantity: int, taxed: Charged, vat_code: str) -> InvoiceLine:
    return InvoiceLine(
        description=description,
        quantity=quantity,
        gross=taxed.gross,
        net=taxed.gross - taxed.vat,
        vat=taxed.vat,
        vat_code=vat_code,
    )
