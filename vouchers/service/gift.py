"""Cups are given: they leave the giver's lots, and are under way until somebody claims them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select

import chain
import ledger
import members
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from vouchers import gift_policy as policy
from vouchers.gift_errors import GiftLimit, GiverBlocked
from vouchers.gift_policy import Giveable, Pick
from vouchers.models import Gift, GiftItem, Lot, OfferVersion
from vouchers.slices import Slice, take_out
from vouchers.wallet import change_wallet


def give(
    *,
    giver_id: UUID,
    offer_id: UUID | None = None,
    lot_id: UUID | None = None,
    cups: int,
    message: str | None = None,
    days: int = policy.DAYS,
    now: datetime,
) -> Gift:
    """Let cups of one offer leave the giver's lots, the soonest to end first, for whoever claims.

    In the caller's transaction, under the giver's wallet lock. They are of the offer or the lot
    that is named; of neither, of the one offer that the giver holds. Bonus cups with an end of
    their own, and prepaid periods of a plan (which may always be given), leave only if their lot is
    named.

    Raises:
        GiverBlocked: the wallet is blocked.
        GiftLimit: 20 gifts are open, or 50 were made within a day.
        NotFound: the giver has no such lot.
        OfferNotNamed, TooFewToGive, NotGiftable, GivenCupsFrozen: see `gift_policy.picks`.
    """
    if change_wallet(giver_id).blocked_at is not None:
        raise GiverBlocked
    _refuse_too_many(giver_id, now)
    lots = _lots_of(giver_id, offer_id, lot_id, now)
    if lot_id is not None and not lots:
        raise NotFound
    picked = policy.picks([_giveable(lot, version) for lot, version in lots], cups)
    by_id = {lot.id: lot for lot, _ in lots}
    ends_at = policy.ends_at(
        given_at=now, days=days, lots_end_at=[by_id[pick.lot_id].ends_at for pick in picked]
    )
    gift = Gift(
        id=new_id(),
        giver_id=giver_id,
        cups=cups,
        message_sealed=members.seal_text(member_id=giver_id, text=message) if message else None,
        given_at=now,
        ends_at=ends_at,
        due_at=policy.first_due_at(given_at=now, ends_at=ends_at),
    )
    db.session.add(gift)
    db.session.flush()
    _wrap(gift, [(by_id[pick.lot_id], pick) for pick in picked])
    return gift


def _refuse_too_many(giver_id: UUID, now: datetime) -> None:
    mine = select(func.count()).where(Gift.giver_id == giver_id)
    if db.session.scalars(mine.where(Gift.status == "open")).one() >= policy.MOST_OPEN:
        raise GiftLimit(limit="open", most=policy.MOST_OPEN)
    of_today = mine.where(Gift.given_at > now - timedelta(days=1))
    if db.session.scalars(of_today).one() >= policy.MOST_A_DAY:
        raise GiftLimit(limit="day", most=policy.MOST_A_DAY)


def _lots_of(
    giver_id: UUID, offer_id: UUID | None, lot_id: UUID | None, now: datetime
) -> Sequence[tuple[Lot, OfferVersion]]:
    """The alive lots that may be meant."""
    alive = (
        select(Lot, OfferVersion)
        .join(OfferVersion, OfferVersion.id == Lot.offer_version_id)
        .where(
            Lot.member_id == giver_id, Lot.is_open, or_(Lot.ends_at.is_(None), Lot.ends_at > now)
        )
    )
    if offer_id is not None:
        alive = alive.where(Lot.offer_id == offer_id)
    by_themselves = and_(Lot.is_bonus.is_(False), Lot.prepays_plan.is_(False))
    wanted = by_themselves if lot_id is None else Lot.id == lot_id
    rows = db.session.execute(
        alive.where(wanted), execution_options={"populate_existing": True}
    ).all()
    return [(lot, version) for lot, version in rows]


def _giveable(lot: Lot, version: OfferVersion) -> Giveable:
    return Giveable(
        lot_id=lot.id,
        offer_id=lot.offer_id,
        left=lot.units - lot.used,
        sold_at=lot.sold_at,
        ends_at=lot.ends_at,
        is_frozen=lot.frozen_at is not None,
        is_giftable=lot.prepays_plan or (version.is_giftable and lot.units > 0),
    )


def _wrap(gift: Gift, chosen: Sequence[tuple[Lot, Pick]]) -> None:
    """Let the cups leave their lots, and book each as under way."""
    pairs = []
    for ordinal, (lot, pick) in enumerate(chosen, 1):
        leaving = take_out(lot, pick.cups)
        db.session.add(_item(gift, ordinal, lot, leaving))
        pairs += ledger.policy.give(
            store_id=lot.store_id,
            account=lot.account,
            amount=leaving.net,
            cups=leaving.cups,
            offer_id=lot.offer_id,
            lot_id=lot.id,
        )
    first = chosen[0][0]
    db.session.flush()
    ledger.post(
        ledger.Event(
            member_id=gift.giver_id,
            kind="gift",
            source_id=gift.id,
            pairs=pairs,
            event_at=gift.given_at,
            occurred_on=chain.local_date(first.store_id, gift.given_at),
            currency=first.currency,
        )
    )


def _item(gift: Gift, ordinal: int, lot: Lot, leaving: Slice) -> GiftItem:
    return GiftItem(
        gift_id=gift.id,
        ordinal=ordinal,
        member_id=lot.member_id,
        lot_id=lot.id,
        cups=leaving.cups,
        net=leaving.net,
        vat=leaving.vat,
    )
