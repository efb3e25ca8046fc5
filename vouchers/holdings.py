"""What a member holds: lots with cups left, and their sums."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select

from kernel.db import db
from vouchers.models import Lot, Offer, OfferVersion


@dataclass(frozen=True, slots=True)
class Holding:
    """One lot, as its member sees it."""

    id: UUID
    offer: str
    name: str
    cups: int
    left: int
    sold_at: datetime
    ends_at: datetime | None
    is_frozen: bool


@dataclass(frozen=True, slots=True)
class Balance:
    """Cups of one offer that end together."""

    offer: str
    name: str
    left: int
    ends_at: datetime | None


def list_holdings(
    *, member_id: UUID, limit: int, before_id: UUID | None, now: datetime
) -> Sequence[Holding]:
    """Answer the lots that still have cups, the newest first; `before_id` continues a listing."""
    mine = (
        select(
            Lot.id,
            Offer.code,
            OfferVersion.name,
            Lot.units,
            Lot.units - Lot.used,
            Lot.sold_at,
            Lot.ends_at,
            Lot.frozen_at.is_not(None),
        )
        .join(OfferVersion, OfferVersion.id == Lot.offer_version_id)
        .join(Offer, Offer.id == Lot.offer_id)
        .where(_held(member_id, now))
    )
    if before_id is not None:
        mine = mine.where(Lot.id < before_id)
    rows = db.session.execute(mine.order_by(Lot.id.desc()).limit(limit))
    return [Holding(*row) for row in rows]


def list_balances(*, member_id: UUID, now: datetime) -> Sequence[Balance]:
    """Answer what is left by offer and end, the soonest to end first."""
    left = func.sum(Lot.units - Lot.used)
    sums = (
        select(Offer.code, func.max(OfferVersion.name), left, Lot.ends_at)
        .join(OfferVersion, OfferVersion.id == Lot.offer_version_id)
        .join(Offer, Offer.id == Lot.offer_id)
        .where(_held(member_id, now))
        .group_by(Offer.code, Lot.ends_at)
        .order_by(Lot.ends_at.asc().nulls_last(), Offer.code)
    )
    return [
        Balance(code, name, int(cups), ends_at)
        for code, name, cups, ends_at in db.session.execute(sums)
    ]


def _held(member_id: UUID, now: datetime) -> ColumnElement[bool]:
    is_running = or_(Lot.ends_at.is_(None), Lot.ends_at > now)
    return and_(Lot.member_id == member_id, Lot.is_open, is_running)
