"""Refunds as they are shown: each with its lines, and why so much came back."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, select

from kernel.db import db
from kernel.errors import NotFound
from vouchers.models import Lot, OfferVersion, Refund, RefundLine
from vouchers.service.refund_preview import Decision


@dataclass(frozen=True, slots=True)
class ShownLine:
    """What comes back of one lot, and the terms that its reason is told by."""

    lot_id: UUID
    gift_id: UUID | None
    name: str
    unit: str
    cups: int
    gross: int
    kept: int
    fee: int
    reason: str
    basis: str
    list_price: int | None
    withdrawal_days: int
    currency: str

    @property
    def payable(self) -> int:
        return self.gross - self.kept - self.fee


@dataclass(frozen=True, slots=True)
class Shown:
    """A refund, or one that would be: then it has no `refund`."""

    refund: Refund | None
    purpose: str
    purpose_id: UUID
    reason: str
    basis: str
    currency: str
    lines: Sequence[ShownLine]

    @property
    def gross(self) -> int:
        return sum(line.gross for line in self.lines)

    @property
    def kept(self) -> int:
        return sum(line.kept for line in self.lines)

    @property
    def fee(self) -> int:
        return sum(line.fee for line in self.lines)

    @property
    def payable(self) -> int:
        return sum(line.payable for line in self.lines)


def shown_decision(decision: Decision) -> Shown:
    """What would come back."""
    return Shown(
        refund=None,
        purpose=decision.paid_for.purpose,
        purpose_id=decision.paid_for.purpose_id,
        reason=decision.reason,
        basis=decision.basis,
        currency=decision.currency,
        lines=[
            ShownLine(
                lot_id=line.part.lot.id,
                gift_id=line.part.gift_id,
                name=line.terms.name,
                unit=_unit(line.part.lot, line.terms),
                cups=line.returned.cups,
                gross=line.returned.net + line.returned.vat,
                kept=line.returned.kept_net + line.returned.kept_vat,
                fee=line.returned.fee_net + line.returned.fee_vat,
                reason=decision.reason,
                basis=decision.basis,
                list_price=line.terms.list_price,
                withdrawal_days=line.terms.withdrawal_days,
                currency=decision.currency,
            )
            for line in decision.lines
        ],
    )


def show(refunds: Sequence[Refund]) -> list[Shown]:
    """Refunds with their lines, in two statements whatever their number."""
    lines = _lines_of(refunds)
    return [
        Shown(
            refund=refund,
            purpose=refund.purpose,
            purpose_id=refund.purpose_id,
            reason=refund.reason,
            basis=refund.basis,
            currency=refund.currency,
            lines=lines[refund.id],
        )
        for refund in refunds
    ]


def get_refund(refund_id: UUID, *, member_id: UUID | None = None) -> Shown:
    """Answer a refund; a member sees what they were paid, or what they asked for.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    refund = db.session.get(Refund, refund_id)
    if refund is None or member_id not in (None, refund.payer_id, refund.asked_by_id):
        raise NotFound
    return show([refund])[0]


def list_refunds(
    *, member_id: UUID | None, status: str | None, before: UUID | None, limit: int
) -> list[Shown]:
    """Refunds to a member, or all, the newest first."""
    return show(db.session.scalars(refunds_of(member_id, status, before, limit)).all())


def refunds_of(
    member_id: UUID | None, status: str | None, before: UUID | None, limit: int
) -> Select[Refund]:
    """The SELECT of a page; what is owed and what failed is found by an index of its own."""
    page = select(Refund).order_by(Refund.id.desc()).limit(limit)
    if member_id is not None:
        page = page.where(Refund.payer_id == member_id)
    if status is not None:
        page = page.where(Refund.status == status)
    if status in ("owed", "failed"):
        page = page.where(Refund.status != "paid")
    return page if before is None else page.where(Refund.id < before)


def _lines_of(refunds: Sequence[Refund]) -> Mapping[UUID, list[ShownLine]]:
    of = {refund.id: refund for refund in refunds}
    rows = db.session.execute(
        select(RefundLine, Lot, OfferVersion)
        .join(Lot, (Lot.member_id == RefundLine.member_id) & (Lot.id == RefundLine.lot_id))
        .join(OfferVersion, OfferVersion.id == Lot.offer_version_id)
        .where(RefundLine.refund_id.in_(of))
        .order_by(RefundLine.refund_id, RefundLine.ordinal)
    )
    lines: dict[UUID, list[ShownLine]] = defaultdict(list)
    for line, lot, terms in rows:
        refund = of[line.refund_id]
        lines[refund.id].append(
            ShownLine(
                lot_id=line.lot_id,
                gift_id=line.gift_id,
                name=terms.name,
                unit=_unit(lot, terms),
                cups=line.cups,
                gross=line.net + line.vat,
                kept=line.kept_net + line.kept_vat,
                fee=line.fee_net + line.fee_vat,
                reason=refund.reason,
                basis=refund.basis,
                list_price=terms.list_price,
                withdrawal_days=terms.withdrawal_days,
                currency=refund.currency,
            )
        )
    return lines


def _unit(lot: Lot, terms: OfferVersion) -> str:
    """What a lot holds: cups, or prepaid periods of a plan."""
    return "period" if lot.prepays_plan else terms.unit
