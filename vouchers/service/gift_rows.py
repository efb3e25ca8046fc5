"""The rows of gifts, locked, and the cups they hold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select

from chain.models import Store
from kernel.db import db
from vouchers.gift_errors import GiftNotFound
from vouchers.models import Gift, GiftBlock, GiftItem, Lot, OfferVersion
from vouchers.slices import Slice


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A part of a gift, with the lot it came from, the terms of that, and where it was sold."""

    item: GiftItem
    lot: Lot
    version: OfferVersion
    time_zone: str

    @property
    def slice(self) -> Slice:
        return Slice(self.item.cups, self.item.net, self.item.vat)


def giver_of(gift_id: UUID) -> UUID:
    """Who gives a gift, which never changes: whose wallet to lock before the gift.

    Raises:
        GiftNotFound: there is no such gift.
    """
    giver_id = db.session.scalar(select(Gift.giver_id).where(Gift.id == gift_id))
    if giver_id is None:
        raise GiftNotFound
    return giver_id


def lock_gift(gift_id: UUID) -> Gift:
    """Lock a gift until the transaction ends. Wallets are locked before.

    Raises:
        GiftNotFound: there is no such gift.
    """
    gift = db.session.get(Gift, gift_id, with_for_update=True, populate_existing=True)
    if gift is None:
        raise GiftNotFound
    return gift


def wrapped_in(gift_ids: Iterable[UUID]) -> Sequence[Wrapped]:
    """What is in gifts, gift by gift, in the order of their items."""
    rows = db.session.execute(
        select(GiftItem, Lot, OfferVersion, Store.time_zone)
        .join(Lot, and_(Lot.member_id == GiftItem.member_id, Lot.id == GiftItem.lot_id))
        .join(OfferVersion, OfferVersion.id == Lot.offer_version_id)
        .join(Store, Store.id == Lot.store_id)
        .where(GiftItem.gift_id.in_(gift_ids))
        .order_by(GiftItem.gift_id, GiftItem.ordinal),
        execution_options={"populate_existing": True},
    )
    return [Wrapped(*row) for row in rows]


def is_blocked(one_id: UUID, other_id: UUID) -> bool:
    """Whether one of two members has blocked the other."""
    return bool(
        db.session.scalar(
            select(exists().where(or_(_blocks(one_id, other_id), _blocks(other_id, one_id))))
        )
    )


def close(gift: Gift, status: str, *, now: datetime) -> None:
    """End an open gift: nothing is due about it any more."""
    gift.status, gift.due_at, gift.closed_at = status, None, now


def _blocks(member_id: UUID, blocked_id: UUID) -> ColumnElement[bool]:
    return and_(GiftBlock.member_id == member_id, GiftBlock.blocked_id == blocked_id)
