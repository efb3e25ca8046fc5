"""Where a lot came from: what a sale, a lapse or a refund in the books was about."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from kernel.db import db
from vouchers.models import Lot, Offer, OfferVersion, OrderItem


@dataclass(frozen=True, slots=True)
class LotOrigin:
    """A lot as it was issued. `source` is what it was issued for: an order's item or a period.

    `order_id` is the order of that item, None where it is a period's.
    """

    id: UUID
    store_id: UUID
    offer_id: UUID
    offer_code: str
    offer_version: int
    source: str
    source_id: UUID
    order_id: UUID | None
    cups: int
    net: int
    vat: int
    currency: str
    sold_at: datetime
    ends_at: datetime | None


def find_lot(*, member_id: UUID, lot_id: UUID) -> LotOrigin | None:
    """Find a lot of a wallet, with what it was sold as."""
    row = db.session.execute(
        select(
            Lot.id,
            Lot.store_id,
            Lot.offer_id,
            Offer.code,
            OfferVersion.version,
            Lot.source,
            Lot.source_id,
            OrderItem.order_id,
            Lot.units,
            Lot.net,
            Lot.vat,
            Lot.currency,
            Lot.sold_at,
            Lot.ends_at,
        )
        .join(Offer, Offer.id == Lot.offer_id)
        .join(OfferVersion, OfferVersion.id == Lot.offer_version_id)
        .join(OrderItem, OrderItem.id == Lot.source_id, isouter=True)
        .where(Lot.member_id == member_id, Lot.id == lot_id)
    ).one_or_none()
    return None if row is None else LotOrigin(*tuple(row))
