"""Movements whose verbs are not there yet, booked by the ledger's own pairs, with their lots.

Each takes the wallet's lock first and leaves books and lots agreeing, as its verb will.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypedDict
from uuid import UUID

from sqlalchemy import select

from bench.trade.chain import TIME_ZONE
from chain.policy import local_day
from kernel.db import db
from kernel.ids import new_id
from kernel.money import without_vat
from kernel.transaction import transaction
from ledger import Event, Pair, policy, post, post_all
from ledger.policy import Returned
from vouchers import change_wallet
from vouchers.models import Lot

_FEE_PERCENT = 3
_VAT_BASIS_POINTS = 500


class _Of(TypedDict):
    """What every rule must know of a lot."""

    store_id: UUID
    account: str
    offer_id: UUID
    lot_id: UUID


class _Moving(Protocol):
    """A rule by which cups leave a lot or arrive in one."""

    def __call__(
        self, *, store_id: UUID, account: str, amount: int, cups: int, offer_id: UUID, lot_id: UUID
    ) -> list[Pair]: ...


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Cups that have left one wallet and are not yet in another."""

    lot: Lot
    cups: int
    net: int
    vat: int


def open_lots(member_id: UUID) -> list[Lot]:
    """The packs that somebody holds and may give away or back, the oldest first."""
    mine = select(Lot).where(
        Lot.member_id == member_id,
        Lot.is_open,
        Lot.frozen_at.is_(None),
        Lot.account == policy.VOUCHERS,
        Lot.ends_at.is_(None),
    )
    return list(db.session.scalars(mine.order_by(Lot.sold_at, Lot.id)))


def refund(*, member_id: UUID, now: datetime) -> tuple[UUID, UUID, int] | None:
    """Give the oldest pack back, less a fee; answers refund, store and what is to be paid (E3)."""
    with transaction():
        change_wallet(member_id)
        lot = next(iter(open_lots(member_id)), None)
        if lot is None:
            return None
        refund_id, back = new_id(), _left(lot)
        pairs = policy.refund(back, **_of(lot))
        _empty(lot)
        _post(lot.member_id, "refund", refund_id, pairs, now)
        return refund_id, lot.store_id, back.payable


def pay_out(
    *, member_id: UUID, refund_id: UUID, store_id: UUID, amount: int, now: datetime
) -> None:
    """The money of a refund leaves (E3)."""
    with transaction():
        pairs = policy.payout(store_id=store_id, amount=amount)
        _post(member_id, "payout", refund_id, pairs, now)


def give(*, member_id: UUID, cups: int, now: datetime) -> UnderWay | None:
    """Send cups of the oldest pack to somebody."""
    with transaction():
        change_wallet(member_id)
        lot = next(iter(open_lots(member_id)), None)
        if lot is None:
            return None
        cups = min(cups, lot.units - lot.used)
        sent = _leave(lot, cups)
        _post(member_id, "gift", new_id(), _moved(policy.give, lot, sent), now)
        return sent


def arrive(sent: UnderWay, *, member_id: UUID, kind: str, now: datetime) -> None:
    """Cups that were sent get into a wallet: `claim` by the other, `gift_return` by the giver."""
    with transaction():
        change_wallet(member_id)
        lot = _child(sent, member_id, units=sent.cups, net=sent.net, vat=sent.vat)
        _post(member_id, kind, lot.id, _moved(policy.take, lot, sent), now)


def change_plan(*, member_id: UUID, cups: int, price: int, now: datetime) -> bool:
    """Move what is left of a plan to a bigger one, with `cups` more for a price (E6)."""
    with transaction():
        change_wallet(member_id)
        old = _open_plan(member_id)
        if old is None:
            return False
        sent = _leave(old, old.units - old.used)
        extra = without_vat(price, basis_points=_VAT_BASIS_POINTS)
        new = _child(
            sent,
            member_id,
            units=sent.cups + cups,
            net=sent.net + extra.net,
            vat=sent.vat + extra.vat,
        )
        sold = policy.sale(net=extra.net, vat=extra.vat, cups=cups, **_of(new))
        _post(member_id, "sale", new.id, sold, now)
        moved = [*_moved(policy.give, old, sent), *_moved(policy.take, new, sent)]
        _post(member_id, "transfer", new_id(), moved, now)
        return True


def dispute(*, member_id: UUID, now: datetime) -> UUID | None:
    """The bank takes the money of the oldest pack back: freeze it (E7). Answers the lot."""
    with transaction():
        change_wallet(member_id)
        lot = next(iter(open_lots(member_id)), None)
        if lot is None:
            return None
        lot.frozen_at = now
        pairs = policy.dispute_opened(store_id=lot.store_id, gross=lot.net + lot.vat)
        _post(member_id, "dispute_opened", lot.id, pairs, now)
        return lot.id


def decide(*, member_id: UUID, lot_id: UUID, is_lost: bool, now: datetime) -> None:
    """The bank has decided: the pack works again, or is gone with what it carries (E7)."""
    with transaction():
        change_wallet(member_id)
        lot = db.session.get_one(Lot, (member_id, lot_id))
        gross = lot.net + lot.vat
        if not is_lost:
            lot.frozen_at = None
            pairs = policy.dispute_won(store_id=lot.store_id, gross=gross)
            _post(member_id, "dispute_won", lot.id, pairs, now)
            return
        left = _left(lot)
        pairs = policy.dispute_lost(
            gross=gross, net=left.net, vat=left.vat, cups=left.cups, **_of(lot)
        )
        _empty(lot)
        _post(member_id, "dispute_lost", lot.id, pairs, now)


def earn(*, offers: dict[UUID, bool], now: datetime) -> int:
    """Earn what the days until tonight have (E9); `offers` says which are memberships."""
    with transaction():
        mine = select(Lot).where(Lot.is_open, Lot.offer_id.in_(offers))
        lots = db.session.scalars(mine.order_by(Lot.sold_at, Lot.id)).all()
        events = [event for lot in lots if (event := _day(lot, offers[lot.offer_id], now))]
        post_all(events)
        return len(events)


def top_up(*, member_id: UUID, store_id: UUID, gross: int, at: datetime, now: datetime) -> None:
    """A dearer drink was paid for at a till, which may tell it later (`now`) than it was (`at`)."""
    with transaction():
        price = without_vat(gross, basis_points=_VAT_BASIS_POINTS)
        pairs = policy.top_up(store_id=store_id, net=price.net, vat=price.vat)
        post(
            Event(
                member_id=member_id,
                kind="top_up",
                source_id=new_id(),
                pairs=pairs,
                event_at=at,
                occurred_on=local_day(at, time_zone=TIME_ZONE),
                known_on=local_day(now, time_zone=TIME_ZONE),
                currency="TWD",
            )
        )


def _day(lot: Lot, is_membership: bool, now: datetime) -> Event | None:
    assert lot.ends_at is not None  # what is earned by the day has days
    today_on = local_day(now, time_zone=TIME_ZONE)
    sold_on = local_day(lot.sold_at, time_zone=TIME_ZONE)
    days = (local_day(lot.ends_at, time_zone=TIME_ZONE) - sold_on).days
    earned = policy.earned(net=lot.net, days=days, passed=(today_on - sold_on).days + 1)
    amount = earned - lot.net_recognised
    if amount == 0:
        return None
    lot.net_recognised = earned
    return Event(
        member_id=lot.member_id,
        kind="earning",
        source_id=lot.id,
        pairs=policy.earning(
            store_id=lot.store_id,
            amount=amount,
            offer_id=lot.offer_id,
            lot_id=lot.id,
            is_membership=is_membership,
        ),
        event_at=now,
        occurred_on=today_on,
        currency=lot.currency,
    )


def _left(lot: Lot) -> Returned:
    """What a lot still carries, and the fee on it."""
    net = lot.net - lot.net_recognised
    vat = lot.vat - policy.recognised(net=lot.vat, units=lot.units, used=lot.used)
    fee = without_vat((net + vat) * _FEE_PERCENT // 100, basis_points=_VAT_BASIS_POINTS)
    return Returned(net, vat, lot.units - lot.used, fee.net, fee.vat)


def _leave(lot: Lot, cups: int) -> UnderWay:
    net = policy.carried(
        net=lot.net,
        units=lot.units,
        used=lot.used,
        net_recognised=lot.net_recognised,
        cups=cups,
    )
    vat = policy.carried(
        net=lot.vat,
        units=lot.units,
        used=lot.used,
        net_recognised=policy.recognised(net=lot.vat, units=lot.units, used=lot.used),
        cups=cups,
    )
    lot.used += cups
    lot.net_recognised += net
    lot.is_open = lot.used < lot.units
    return UnderWay(lot, cups, net, vat)


def _empty(lot: Lot) -> None:
    lot.used, lot.net_recognised, lot.is_open = lot.units, lot.net, False


def _child(sent: UnderWay, member_id: UUID, *, units: int, net: int, vat: int) -> Lot:
    """A lot on its parent's terms, sold when and where the parent was."""
    parent = sent.lot
    lot = Lot(
        member_id=member_id,
        id=new_id(),
        offer_version_id=parent.offer_version_id,
        offer_id=parent.offer_id,
        store_id=parent.store_id,
        source=parent.source,
        source_id=new_id(),
        account=parent.account,
        currency=parent.currency,
        units=units,
        net=net,
        vat=vat,
        sold_at=parent.sold_at,
        ends_at=parent.ends_at,
    )
    db.session.add(lot)
    db.session.flush()
    return lot


def _open_plan(member_id: UUID) -> Lot | None:
    mine = select(Lot).where(
        Lot.member_id == member_id, Lot.is_open, Lot.account == policy.PLANS, Lot.units > 1
    )
    return db.session.scalars(mine.order_by(Lot.sold_at, Lot.id).limit(1)).first()


def _moved(rule: _Moving, lot: Lot, sent: UnderWay) -> list[Pair]:
    return rule(amount=sent.net, cups=sent.cups, **_of(lot))


def _of(lot: Lot) -> _Of:
    return _Of(store_id=lot.store_id, account=lot.account, offer_id=lot.offer_id, lot_id=lot.id)


def _post(member_id: UUID, kind: str, source_id: UUID, pairs: list[Pair], now: datetime) -> None:
    post(
        Event(
            member_id=member_id,
            kind=kind,
            source_id=source_id,
            pairs=pairs,
            event_at=now,
            occurred_on=local_day(now, time_zone=TIME_ZONE),
            currency="TWD",
        )
    )
