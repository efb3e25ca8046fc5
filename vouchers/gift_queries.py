"""Gifts as their giver, their claimer and whoever has the link see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import and_, select

import members
from kernel.db import db
from vouchers import gift_guesses, gift_token
from vouchers.gift_errors import GiftNotFound
from vouchers.models import Gift, GiftItem, Lot, Offer, OfferVersion
from vouchers.service.gift_rows import is_blocked

Side = Literal["given", "received", "offered"]


@dataclass(frozen=True, slots=True)
class GiftSeen:
    """A gift as somebody sees it: `given` or `received` by them, or `offered` to them.

    `token` is shown to its giver while it can be claimed; `message` and `token` are left out of
    lists.
    """

    id: UUID
    side: Side
    status: str
    is_frozen: bool
    offer_id: UUID
    offer: str
    name: str
    cups: int
    given_at: datetime
    ends_at: datetime
    closed_at: datetime | None
    message: str | None = None
    token: str | None = None


def find_gift(gift_id: UUID) -> Gift | None:
    """Find a gift, whoever's it is: what an entry of the books was about."""
    return db.session.get(Gift, gift_id)


def see_gift(*, member_id: UUID, gift_id: UUID) -> GiftSeen:
    """A gift that the member has given or received.

    Raises:
        GiftNotFound: there is none of theirs.
    """
    gift = db.session.get(Gift, gift_id)
    if gift is None or member_id not in {gift.giver_id, gift.claimed_by_id}:
        raise GiftNotFound
    return _whole(gift, member_id)


def see_link(*, member_id: UUID, token: str, now: datetime) -> GiftSeen:
    """What a link offers. Closed, it is shown to its two members only.

    Raises:
        GiftNotFound: nothing that this member could claim, or has claimed or given.
        RateLimited: too many tokens of nothing came from this member.
    """
    gift_id = gift_guesses.opened(token, member_id=member_id, now=now)
    gift = db.session.get(Gift, gift_id)
    if gift is None:
        raise GiftNotFound
    if member_id not in {gift.giver_id, gift.claimed_by_id}:
        is_over = gift.status != "open" or gift.ends_at <= now
        if is_over or is_blocked(member_id, gift.giver_id):
            raise GiftNotFound
    return _whole(gift, member_id)


def list_gifts(*, member_id: UUID, before: UUID | None, limit: int) -> Sequence[GiftSeen]:
    """What a member has given and received, the newest gift first."""
    given = select(Gift.id).where(Gift.giver_id == member_id)
    received = select(Gift.id).where(Gift.claimed_by_id == member_id, Gift.status == "claimed")
    if before is not None:
        given, received = given.where(Gift.id < before), received.where(Gift.id < before)
    newest = [part.order_by(Gift.id.desc()).limit(limit).subquery() for part in (given, received)]
    theirs = select(newest[0].c.id).union_all(select(newest[1].c.id)).subquery()
    page = select(Gift).where(Gift.id.in_(select(theirs.c.id)))
    gifts = db.session.scalars(page.order_by(Gift.id.desc()).limit(limit)).all()
    return _seen(gifts, member_id)


def _whole(gift: Gift, member_id: UUID) -> GiftSeen:
    (seen,) = _seen([gift], member_id)
    message = members.open_text(member_id=gift.giver_id, sealed=gift.message_sealed)
    can_be_shared = seen.side == "given" and gift.status == "open"
    token = gift_token.make(gift.id) if can_be_shared else None
    return GiftSeen(
        **{name: getattr(seen, name) for name in _IN_LISTS}, message=message, token=token
    )


_IN_LISTS = tuple(name for name in GiftSeen.__slots__ if name not in {"message", "token"})


def _seen(gifts: Sequence[Gift], member_id: UUID) -> list[GiftSeen]:
    offers = _offers_of([gift.id for gift in gifts])
    return [
        GiftSeen(
            id=gift.id,
            side=_side(gift, member_id),
            status=gift.status,
            is_frozen=gift.frozen_at is not None,
            offer_id=offers[gift.id][0],
            offer=offers[gift.id][1],
            name=offers[gift.id][2],
            cups=gift.cups,
            given_at=gift.given_at,
            ends_at=gift.ends_at,
            closed_at=gift.closed_at,
        )
        for gift in gifts
    ]


def _side(gift: Gift, member_id: UUID) -> Side:
    if gift.giver_id == member_id:
        return "given"
    return "received" if gift.claimed_by_id == member_id else "offered"


def _offers_of(gift_ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, str, str]]:
    """Of which offer the cups of gifts are: its id, its code, its name when they were sold."""
    rows = db.session.execute(
        select(GiftItem.gift_id, Offer.id, Offer.code, OfferVersion.name)
        .join(Lot, and_(Lot.member_id == GiftItem.member_id, Lot.id == GiftItem.lot_id))
        .join(Offer, Offer.id == Lot.offer_id)
        .join(OfferVersion, OfferVersion.id == Lot.offer_version_id)
        .where(GiftItem.gift_id.in_(gift_ids), GiftItem.ordinal == 1)
    )
    return {gift_id: (offer_id, code, name) for gift_id, offer_id, code, name in rows}
