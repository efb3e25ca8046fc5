"""What a member holds, lot by lot: where each came from, what is left of it, when it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from kernel.db import db
from vouchers.models import Lot, Offer, OfferVersion

_SOURCES = {"order_item": "bought", "period": "plan", "plan_change": "plan", "gift": "gift"}
_BENEFIT = case(
    (Lot.prepays_plan, "periods"),
    (Lot.units > 0, "cups"),
    (OfferVersion.is_unlimited, "unlimited"),
    else_="membership",
)


@dataclass(frozen=True, slots=True)
class Holding:
    """One lot, as its member sees it.

    `source` says whether they bought it, it came with a period of a plan, or as a gift, `benefit`
    what it is (see `vouchers.balances`); `cups` and `left` are None where nothing is counted.
    `price` is what was paid for it, VAT included, where they paid it themselves. `is_late` where a
    `top_up` lot is past its end, so that each cup costs a difference now. What is given back of it
    goes by `refund_basis`.
    """

    id: UUID
    offer_id: UUID
    offer: str
    name: str
    benefit: str
    unit: str
    source: str
    is_bonus: bool
    cups: int | None
    left: int | None
    price: int | None
    currency: str
    sold_at: datetime
    ends_at: datetime | None
    expiry_mode: str
    is_late: bool
    is_frozen: bool
    refund_basis: str


def list_holdings(
    *,
    member_id: UUID,
    limit: int,
    before_id: UUID | None,
    with_past: bool = False,
    now: datetime,
) -> Sequence[Holding]:
    """Answer a member's lots, the newest first; `before_id` continues a listing.

    Those whose cups can still be collected, or will be again when they are no longer frozen; and
    `with_past` those that are empty or have ended too.
    """
    mine = _seen(now).where(Lot.member_id == member_id)
    if not with_past:
        mine = mine.where(_is_held(now))
    if before_id is not None:
        mine = mine.where(Lot.id < before_id)
    rows = db.session.execute(mine.order_by(Lot.id.desc()).limit(limit))
    return [Holding(*row) for row in rows]


def count_cups(member_id: UUID) -> int:
    """Count the cups in a member's lots: spendable, frozen, or ended and not settled.

    It is what those of the events of their history add up to. Prepaid periods are no cups.
    """
    mine = (Lot.member_id == member_id, Lot.is_open, Lot.prepays_plan.is_(False))
    left = select(func.sum(Lot.units - Lot.used)).where(*mine)
    return int(db.session.scalar(left) or 0)


def _seen(now: datetime) -> Select[Any]:
    """The columns of a `Holding`, in its order."""
    is_own = Lot.buyer_id == Lot.member_id
    seen: Select[Any] = (
        select(
            Lot.id,
            Lot.offer_id,
            Offer.code,
            OfferVersion.name,
            _BENEFIT,
            case((Lot.prepays_plan, "period"), else_=OfferVersion.unit),
            case(_SOURCES, value=Lot.source),
            Lot.is_bonus,
            func.nullif(Lot.units, 0),
            case((Lot.units > 0, Lot.units - Lot.used)),
            case((is_own, Lot.net + Lot.vat)),
            Lot.currency,
            Lot.sold_at,
            Lot.ends_at,
            Lot.expiry_mode,
            func.coalesce(and_(Lot.expiry_mode == "top_up", Lot.ends_at <= now), False),
            Lot.frozen_at.is_not(None),
            OfferVersion.refund_basis,
        )
        .join(OfferVersion, OfferVersion.id == Lot.offer_version_id)
        .join(Offer, Offer.id == Lot.offer_id)
    )
    return seen


def _is_held(now: datetime) -> ColumnElement[bool]:
    is_good = or_(
        Lot.ends_at.is_(None),
        Lot.ends_at > now,
        Lot.expiry_mode == "top_up",
        Lot.frozen_at.is_not(None),
    )
    return and_(Lot.is_open, is_good)
