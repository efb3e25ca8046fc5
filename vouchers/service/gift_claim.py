"""A gift is claimed: by one member, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

import ledger
from chain.policy import local_day
from kernel.db import db
from kernel.ids import new_id
from vouchers import expiry_policy, gift_guesses, gift_notices
from vouchers.gift_errors import GiftNotFound
from vouchers.models import Gift, Lot
from vouchers.service.gift_back import refuse_closed, withdraw
from vouchers.service.gift_rows import Wrapped, close, is_blocked, lock_gift, wrapped_in
from vouchers.wallet import change_wallet


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a claim brought. The giver's own brought the cups back into the lots they left."""

    gift: Gift
    lots: Sequence[Lot]

    @property
    def is_taken_back(self) -> bool:
        return self.gift.status != "claimed"


def claim(*, member_id: UUID, token: str, now: datetime) -> Claimed:
    """Take the cups of a gift: lots of one's own, each with the slice of money that left with it.

    In the caller's transaction, under the claimer's wallet lock and then the gift's. Their buyer,
    their store and their end stay. Who has claimed it is answered the same once more.

    Raises:
        GiftNotFound: the token is of no gift, or of one between two who are blocked.
        GiftClaimed: somebody else was first.
        GiftEnded: its time is over, or it went back.
        GivenCupsFrozen: its payment is disputed.
        RateLimited: too many tokens of nothing came from this member.
    """
    gift_id = gift_guesses.opened(token, member_id=member_id, now=now)
    change_wallet(member_id)
    gift = lock_gift(gift_id)
    if gift.giver_id == member_id:
        if gift.status != "withdrawn":
            refuse_closed(gift, now=now)
        return Claimed(withdraw(giver_id=member_id, gift_id=gift_id, now=now), ())
    if is_blocked(member_id, gift.giver_id):
        raise GiftNotFound
    if gift.claimed_by_id == member_id:
        return Claimed(gift, _lots_of(gift))
    refuse_closed(gift, now=now)
    gift.claimed_by_id = member_id
    close(gift, "claimed", now=now)
    wrapped = wrapped_in([gift.id])
    lots = _unwrap(gift, wrapped, now=now)
    gift_notices.tell_claimed(gift, wrapped, now=now)
    return Claimed(gift, lots)


def _lots_of(gift: Gift) -> Sequence[Lot]:
    theirs = select(Lot).where(
        Lot.member_id == gift.claimed_by_id, Lot.source == "gift", Lot.source_id == gift.id
    )
    return db.session.scalars(theirs.order_by(Lot.ordinal)).all()


def _unwrap(gift: Gift, wrapped: Sequence[Wrapped], *, now: datetime) -> Sequence[Lot]:
    lots = [_lot(gift, one, now) for one in wrapped]
    db.session.add_all(lots)
    db.session.flush()
    first = lots[0]
    ledger.post(
        ledger.Event(
            member_id=first.member_id,
            kind="claim",
            source_id=gift.id,
            pairs=[pair for lot in lots for pair in _taking(lot)],
            event_at=now,
            occurred_on=local_day(now, time_zone=wrapped[0].time_zone),
            currency=first.currency,
        )
    )
    return lots


def _taking(lot: Lot) -> list[ledger.Pair]:
    return ledger.policy.take(
        store_id=lot.store_id,
        account=lot.account,
        amount=lot.net,
        cups=lot.units,
        offer_id=lot.offer_id,
        lot_id=lot.id,
    )


def _lot(gift: Gift, one: Wrapped, now: datetime) -> Lot:
    """The slice of a lot, on the terms of the whole."""
    assert gift.claimed_by_id is not None  # it is being claimed
    came_from, item = one.lot, one.item
    return Lot(
        member_id=gift.claimed_by_id,
        id=new_id(),
        offer_version_id=came_from.offer_version_id,
        offer_id=came_from.offer_id,
        store_id=came_from.store_id,
        source="gift",
        source_id=gift.id,
        ordinal=item.ordinal,
        buyer_id=came_from.buyer_id,
        order_item_id=came_from.order_item_id,
        is_bonus=came_from.is_bonus,
        prepays_plan=came_from.prepays_plan,
        account=came_from.account,
        currency=came_from.currency,
        units=item.cups,
        used=0,
        net=item.net,
        vat=item.vat,
        net_recognised=0,
        vat_gone=0,
        sold_at=came_from.sold_at,
        expiry_mode=came_from.expiry_mode,
        ends_at=came_from.ends_at,
        due_at=_due_at(one, now),
        is_open=True,
    )


def _due_at(one: Wrapped, now: datetime) -> datetime | None:
    """The first of the lot's announcements that is still to come, or its end."""
    lot = one.lot
    if lot.ends_at is None:
        return None
    told_at = expiry_policy.announcements(
        sold_at=lot.sold_at, ends_at=lot.ends_at, time_zone=one.time_zone
    )
    return next((at for at in told_at if at > now), lot.ends_at)
