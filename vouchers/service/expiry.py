"""Cups that were not collected in time lapse, in sets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, select, update

from chain.models import Store
from chain.policy import local_day
from kernel.db import db
from ledger import Event, post_all
from ledger import policy as books
from ledger.month import Month
from ledger.service.estimating import estimated_offers
from vouchers.models import Lot, OfferVersion, Wallet

_WORKERS = 4


@dataclass(frozen=True, slots=True)
class _Ended:
    """A lot with the local days on which it ended and on which that is booked."""

    lot: Lot
    ended_on: date
    known_on: date


def lots_due(now: datetime) -> Select[UUID]:
    """The lots that are past their end."""
    return select(Lot.id).where(_is_due(now))


def lapse_some(*, limit: int, now: datetime) -> int:
    """Lapse what is due in up to `limit` wallets, in the caller's transaction.

    Takes the wallets in id order and leaves those that somebody holds: another worker is at
    them, or comes back. Each lot is one entry, dated with its end however late this runs.
    Answers the number of wallets taken; 0 says that there is nothing left to take.
    """
    members = _take_wallets(limit, now)
    if not members:
        return 0
    due = and_(Lot.member_id.in_(members), _is_due(now))
    with_zone = select(Lot, Store.time_zone).join(Store, Store.id == Lot.store_id).where(due)
    found = db.session.execute(with_zone.order_by(Lot.member_id, Lot.id)).all()
    post_all(_lapses([_ended(lot, time_zone, now) for lot, time_zone in found]))
    # What lapsed has left: used up, and all of its money recognised.
    lapsed = update(Lot).where(due).values(used=Lot.units, net_recognised=Lot.net, is_open=False)
    db.session.execute(lapsed, execution_options={"synchronize_session": False})
    # A wallet may have been emptied just before it was taken: that one does not change again.
    changed = update(Wallet).where(Wallet.member_id.in_({lot.member_id for lot, _ in found}))
    db.session.execute(
        changed.values(version=Wallet.version + 1),
        execution_options={"synchronize_session": False},
    )
    return len(members)


def _is_due(now: datetime) -> ColumnElement[bool]:
    """A frozen lot waits for what froze it."""
    lapses = exists().where(
        OfferVersion.id == Lot.offer_version_id, OfferVersion.expiry_mode == "lapse"
    )
    return and_(Lot.is_open, Lot.ends_at <= now, Lot.frozen_at.is_(None), lapses)


def _take_wallets(limit: int, now: datetime) -> Sequence[UUID]:
    """Lock wallets with something due. Enough is looked at for some workers side by side."""
    due = select(Lot.member_id).where(_is_due(now)).order_by(Lot.ends_at).limit(_WORKERS * limit)
    free = select(Wallet.member_id).where(Wallet.member_id.in_(due)).order_by(Wallet.member_id)
    return db.session.scalars(free.limit(limit).with_for_update(skip_locked=True)).all()


def _ended(lot: Lot, time_zone: str, now: datetime) -> _Ended:
    assert lot.ends_at is not None  # it is due
    ended_on = local_day(lot.ends_at, time_zone=time_zone)
    return _Ended(lot, ended_on, known_on=local_day(now, time_zone=time_zone))


def _lapses(ended: Sequence[_Ended]) -> list[Event]:
    """An entry each. Whether an offer's breakage is estimated is asked once for each month."""
    months = {Month.of(one.ended_on) for one in ended}
    estimated = {month: estimated_offers(month.first_on) for month in months}
    return [
        _lapse(one, is_estimated=one.lot.offer_id in estimated[Month.of(one.ended_on)])
        for one in ended
    ]


def _lapse(one: _Ended, *, is_estimated: bool) -> Event:
    lot = one.lot
    assert lot.ends_at is not None  # it is due
    return Event(
        member_id=lot.member_id,
        kind="lapse",
        source_id=lot.id,
        pairs=books.lapse(
            store_id=lot.store_id,
            account=lot.account,
            amount=lot.net - lot.net_recognised,
            cups=lot.units - lot.used,
            offer_id=lot.offer_id,
            lot_id=lot.id,
            is_estimated=is_estimated,
        ),
        event_at=lot.ends_at,
        occurred_on=one.ended_on,
        known_on=one.known_on,
        currency=lot.currency,
    )
