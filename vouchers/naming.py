"""Offers and lots as others name them."""

from collections.abc import Iterable
from typing import NamedTuple, cast
from uuid import UUID

from sqlalchemy import case, select

from kernel.db import db
from kernel.errors import NotFound
from kernel.wording import Unit
from vouchers.models import Lot, Offer, OfferVersion


def unit_of(lot: Lot, version: OfferVersion) -> Unit:
    """What a lot counts: periods of a plan that are prepaid, or what the offer's cups are."""
    return "period" if lot.prepays_plan else cast("Unit", version.unit)


def check_offers(offer_ids: Iterable[UUID]) -> None:
    """Raises: NotFound: one of these is no offer."""
    named = set(offer_ids)
    known = set(db.session.scalars(select(Offer.id).where(Offer.id.in_(named))))
    if named - known:
        raise NotFound


_UNIT = case((Lot.prepays_plan, "period"), else_=OfferVersion.unit)


class LotName(NamedTuple):
    """What a lot is of: an offer, by the name that it was sold under, and what it counts."""

    offer_id: UUID
    offer: str
    name: str
    unit: Unit


def names_of_lots(*, member_id: UUID, lot_ids: Iterable[UUID | None]) -> dict[UUID, LotName]:
    """What some lots of a member are of."""
    named = (
        select(Lot.id, Lot.offer_id, Offer.code, OfferVersion.name, _UNIT)
        .join(Offer, Offer.id == Lot.offer_id)
        .join(OfferVersion, OfferVersion.id == Lot.offer_version_id)
        .where(Lot.member_id == member_id, Lot.id.in_(lot_ids))
    )
    return {row[0]: LotName(*row[1:]) for row in db.session.execute(named)}
