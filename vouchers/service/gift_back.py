"""A gift goes back: taken back by its giver, or declined by whom it was for."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

import ledger
from chain.policy import local_day
from kernel.db import db
from vouchers import gift_guesses, gift_notices
from vouchers.gift_errors import GiftClaimed, GiftEnded, GiftNotFound, GivenCupsFrozen
from vouchers.models import Gift, GiftBlock
from vouchers.service.gift_rows import (
    Wrapped,
    close,
    giver_of,
    is_blocked,
    lock_gift,
    wrapped_in,
)
from vouchers.slices import put_back
from vouchers.wallet import change_wallet

_BACK = ("withdrawn", "returned", "refunded")


def withdraw(*, giver_id: UUID, gift_id: UUID, now: datetime) -> Gift:
    """Take a gift back before somebody claims it: its cups return to the very lots they left.

    One that is back already is answered as it is.

    Raises:
        GiftNotFound: the member has given no such gift.
        GiftClaimed: it was claimed.
        GiftEnded: its time is over, and what becomes of it is about to be done; or it is lost.
        GivenCupsFrozen: its payment is disputed.
    """
    if giver_of(gift_id) != giver_id:
        raise GiftNotFound
    change_wallet(giver_id)
    gift = lock_gift(gift_id)
    if gift.status not in _BACK:
        refuse_closed(gift, now=now)
        bring_back([gift], wrapped_in([gift.id]), now=now)
        close(gift, "withdrawn", now=now)
    return gift


def decline(*, member_id: UUID, token: str, block: bool, now: datetime) -> Gift:
    """Send a gift back at once, and with `block` neither take from nor give to this giver again.

    For the giver it is a withdrawal, without a block.

    Raises:
        GiftNotFound, GiftClaimed, GiftEnded, GivenCupsFrozen: as for `claim`.
        RateLimited: too many tokens of nothing came from this member.
    """
    gift_id = gift_guesses.opened(token, member_id=member_id, now=now)
    giver_id = giver_of(gift_id)
    if giver_id == member_id:
        return withdraw(giver_id=giver_id, gift_id=gift_id, now=now)
    if is_blocked(member_id, giver_id):
        raise GiftNotFound
    change_wallet(giver_id)
    gift = lock_gift(gift_id)
    refuse_closed(gift, now=now)
    wrapped = wrapped_in([gift.id])
    bring_back([gift], wrapped, now=now)
    close(gift, "returned", now=now)
    if block:
        row = insert(GiftBlock).values(member_id=member_id, blocked_id=giver_id, blocked_at=now)
        db.session.execute(row.on_conflict_do_nothing())
    gift_notices.tell_declined(gift, wrapped, now=now)
    return gift


def refuse_closed(gift: Gift, *, now: datetime) -> None:
    """Refuse what is no longer to be had, whether or not a job has looked at it since.

    Raises:
        GiftClaimed, GiftEnded, GivenCupsFrozen: as they say.
    """
    if gift.status == "claimed":
        raise GiftClaimed
    if gift.status != "open" or gift.ends_at <= now:
        # What ran out may be brought back a while later, by a job that was not there.
        ended_at = min(gift.closed_at or gift.ends_at, gift.ends_at)
        raise GiftEnded(ended_at=ended_at.isoformat())
    if gift.frozen_at is not None:
        raise GivenCupsFrozen


def bring_back(gifts: Iterable[Gift], wrapped: Sequence[Wrapped], *, now: datetime) -> None:
    """Put what is in these gifts back into the lots it left, under the givers' wallet locks.

    An entry for each gift, dated with its end where that is over, however late this runs.
    """
    parts = defaultdict(list)
    for one in wrapped:
        put_back(one.lot, one.slice)
        parts[one.item.gift_id].append(one)
    db.session.flush()
    ledger.post_all([_return(gift, parts[gift.id], now) for gift in gifts if parts[gift.id]])


def _return(gift: Gift, parts: Sequence[Wrapped], now: datetime) -> ledger.Event:
    at, zone = min(now, gift.ends_at), parts[0].time_zone
    return ledger.Event(
        member_id=gift.giver_id,
        kind="gift_return",
        source_id=gift.id,
        pairs=[
            pair
            for one in parts
            for pair in ledger.policy.take(
                store_id=one.lot.store_id,
                account=one.lot.account,
                amount=one.item.net,
                cups=one.item.cups,
                offer_id=one.lot.offer_id,
                lot_id=one.lot.id,
            )
        ],
        event_at=at,
        occurred_on=local_day(at, time_zone=zone),
        known_on=local_day(now, time_zone=zone),
        currency=parts[0].lot.currency,
    )
