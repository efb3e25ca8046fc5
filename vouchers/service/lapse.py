"""Some cups lapse before their lots end: what is over the cap of what a plan carries over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import chain
import ledger
from chain.policy import local_day
from ledger.month import Month
from ledger.service.estimating import estimated_offers
from vouchers.models import Lot
from vouchers.slices import take_out


@dataclass(frozen=True, slots=True)
class Lapsing:
    """So many cups of a locked lot that lapse at a moment."""

    lot: Lot
    cups: int
    at: datetime


def lapse_cups(lapsing: Sequence[Lapsing], *, now: datetime) -> None:
    """Let cups lapse (E5), in the caller's transaction, under their wallets' locks.

    An entry for each lot, dated when they lapsed. The number of statements does not grow with the
    number of lots.
    """
    if not lapsing:
        return
    stores = chain.find_stores({one.lot.store_id for one in lapsing})
    zones = {store_id: store.time_zone for store_id, store in stores.items()}
    days = [local_day(one.at, time_zone=zones[one.lot.store_id]) for one in lapsing]
    months = {month: estimated_offers(month.first_on) for month in set(map(Month.of, days))}
    ledger.post_all(
        [
            _event(one, day, local_day(now, time_zone=zones[one.lot.store_id]),
                   is_estimated=one.lot.offer_id in months[Month.of(day)])
            for one, day in zip(lapsing, days, strict=True)
        ]
    )  # fmt: skip


def _event(one: Lapsing, day: date, known_on: date, *, is_estimated: bool) -> ledger.Event:
    lot = one.lot
    gone = take_out(lot, one.cups)
    pairs = ledger.policy.lapse(
        store_id=lot.store_id,
        account=lot.account,
        amount=gone.net,
        cups=gone.cups,
        offer_id=lot.offer_id,
        lot_id=lot.id,
        is_estimated=is_estimated,
    )
    return ledger.Event(
        member_id=lot.member_id,
        kind="lapse",
        source_id=lot.id,
        pairs=pairs,
        event_at=one.at,
        occurred_on=day,
        known_on=max(day, known_on),
        currency=lot.currency,
    )
