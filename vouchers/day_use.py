"""Which days of a lot that earns by the day are gone: those that are over or were used.

A day on which cups were collected is used, however much of it is left: whoever gives the rest back
does not get that day.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import chain
from ledger.policy import earned
from vouchers.models import Lot
from vouchers.slices import Slice

Collected = Callable[[Collection[tuple[UUID, UUID]], datetime], Mapping[UUID, datetime]]
"""When cups were last collected out of lots (member and id) since a moment, by lot id."""

_collected: list[Collected] = []

_LONGEST_DAY = timedelta(days=2)


def knows_what_was_collected(collected: Collected) -> Collected:
    """Let a room above say when cups were last collected; what was undone is not collected."""
    _collected.append(collected)
    return collected


def days_gone(lots: Iterable[Lot], *, now: datetime) -> Mapping[UUID, int]:
    """How many days are gone of each of the lots that earn by the day, by lot id."""
    by_day = [lot for lot in lots if lot.earns_days is not None]
    used = used_today(by_day, now=now)
    return {lot.id: _gone(lot, now) + (lot.id in used) for lot in by_day}


def used_today(lots: Iterable[Lot], *, now: datetime) -> set[UUID]:
    """Out of which lots that earn by the day cups were collected on this day of their store.

    A lot whose days begin later uses none of them: this day was paid for with what was before it.
    """
    running = [lot for lot in lots if lot.earns_from_on is not None and not begins_later(lot, now)]
    keys = [(lot.member_id, lot.id) for lot in running]
    if not keys:
        return set()
    last: dict[UUID, datetime] = {}
    for collected in _collected:
        last |= collected(keys, now - _LONGEST_DAY)
    return {lot.id for lot in running if lot.id in last and _is_today(lot, last[lot.id], now)}


def begins_later(lot: Lot, now: datetime) -> bool:
    """Whether the first day of a lot is still to come."""
    today = chain.local_date(lot.store_id, now)
    return lot.earns_from_on is not None and lot.earns_from_on > today


def unearned(lot: Lot, gone: int) -> Slice:
    """What a lot carries for the days that are left, once so many are gone."""
    assert lot.earns_days is not None  # it was asked for its days
    net = earned(net=lot.net, days=lot.earns_days, passed=gone)
    vat = earned(net=lot.vat, days=lot.earns_days, passed=gone)
    return Slice(0, lot.net - max(net, lot.net_recognised), lot.vat - max(vat, lot.vat_gone))


def _gone(lot: Lot, now: datetime) -> int:
    assert lot.earns_from_on is not None  # it earns by the day
    return max(0, (chain.local_date(lot.store_id, now) - lot.earns_from_on).days)


def _is_today(lot: Lot, at: datetime, now: datetime) -> bool:
    return chain.local_date(lot.store_id, at) == chain.local_date(lot.store_id, now)
