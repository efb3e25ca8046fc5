"""What is rare: refunds, gifts, disputes by the rooms' verbs, the provider's part played as well.

Movements whose verbs are not there yet are booked by the ledger's own pairs, with their lots: each
takes the wallet's lock first and leaves books and lots agreeing, as its verb will.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypedDict
from uuid import UUID

from sqlalchemy import select

import payments
import vouchers
from bench.trade.chain import TIME_ZONE
from chain.policy import local_day
from kernel.db import db
from kernel.ids import new_id
from kernel.money import without_vat
from kernel.transaction import transaction
from ledger import Event, Pair, policy, post, post_all
from payments.models import Dispute, Payment
from payments.service import surplus
from vouchers import AskedLot, Wish, change_wallet, gift_token
from vouchers.models import Lot, OrderItem
from vouchers.service.order import Wanted
from vouchers.service.payout import follow
from vouchers.slices import take_out

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


def pay(*, member_id: UUID, order_id: UUID, amount: int, now: datetime) -> None:
    """The provider has charged for an order: its payment, as if it had said so."""
    with transaction():
        db.session.add(
            Payment(
                id=new_id(),
                member_id=member_id,
                purpose="voucher_order",
                purpose_id=order_id,
                attempt=1,
                amount=amount,
                currency="TWD",
                method_ref="pm_of_the_play",
                status="succeeded",
                created_at=now,
                asked_at=now,
                settled_at=now,
            )
        )


def refund(*, member_id: UUID, now: datetime) -> list[UUID]:
    """Give the oldest pack back; answers the refunds whose money is on its way (E3)."""
    with transaction():
        lot = next(iter(open_lots(member_id)), None)
        if lot is None:
            return []
        asked = AskedLot(lot_id=lot.id, cups=lot.units - lot.used)
        made = vouchers.refund(Wish(member_id, lots=[asked]), asked_by_id=member_id, now=now)
        return [one.id for one in made if one.payable]


def pay_out(*, refund_id: UUID, now: datetime) -> None:
    """The money of a refund has arrived (E3): the provider has said so."""
    with transaction():
        repayment = payments.find_repayment(purpose="refund", purpose_id=refund_id)
        if repayment is None:
            raise RuntimeError("a refund with something to pay has begun to repay it")
        repayment.status, repayment.settled_at, repayment.due_at = "succeeded", now, None
        db.session.flush()
        follow(refund_id=refund_id, now=now)


def pay_late(*, member_id: UUID, offer_id: UUID, now: datetime) -> UUID:
    """An order has ended when its money comes: it goes back. Answers the payment."""
    with transaction():
        wanted = Wanted(offer_id=offer_id, quantity=1)
        order = vouchers.place_order(member_id=member_id, items=[wanted], now=now).order
        order.status = "ended"
    pay(member_id=member_id, order_id=order.id, amount=order.total, now=now)
    with transaction():
        paid = payments.find_paid(purpose="voucher_order", purpose_id=order.id)
        if paid is None:
            raise RuntimeError("the order was paid for just now")
        payments.return_surplus(payment_id=paid.id, now=now)
        return paid.id


def surplus_arrived(*, payment_id: UUID, now: datetime) -> None:
    """What was paid too late is with its payer again: the provider has said so."""
    with transaction():
        repayment = payments.find_repayment(purpose="surplus", purpose_id=payment_id)
        if repayment is None:
            raise RuntimeError("a surplus goes back by itself")
        repayment.status, repayment.settled_at, repayment.due_at = "succeeded", now, None
        db.session.flush()
        surplus.follow(repayment, is_after_success=False, now=now)


def give(*, member_id: UUID, cups: int, now: datetime) -> UUID | None:
    """Send cups of the oldest pack to somebody, and answer the gift."""
    with transaction():
        lot = next(iter(open_lots(member_id)), None)
        if lot is None:
            return None
        cups = min(cups, lot.units - lot.used)
        return vouchers.give(giver_id=member_id, lot_id=lot.id, cups=cups, now=now).id


def claim(*, gift_id: UUID, member_id: UUID, now: datetime) -> None:
    """Somebody has opened the link."""
    with transaction():
        vouchers.claim(member_id=member_id, token=gift_token.make(gift_id), now=now)


def take_back(*, gift_id: UUID, giver_id: UUID, now: datetime) -> None:
    """The giver has thought again."""
    with transaction():
        vouchers.withdraw(giver_id=giver_id, gift_id=gift_id, now=now)


def dispute(*, member_id: UUID, now: datetime) -> UUID | None:
    """The bank takes the money of the oldest pack back (E7). Answers the dispute."""
    with transaction():
        paid = next((paid for lot in open_lots(member_id) if (paid := _undisputed(lot))), None)
        if paid is None:
            return None
        opened = Dispute(
            id=new_id(),
            provider_ref=f"dp_{new_id().hex}",
            payment_id=paid.id,
            amount=paid.amount,
            currency=paid.currency,
            reason="fraudulent",
            status="open",
            opened_at=now,
        )
        db.session.add(opened)
        db.session.flush()
        vouchers.follow_dispute(dispute_id=opened.id, now=now)
        return opened.id


def decide(*, dispute_id: UUID, is_lost: bool, now: datetime) -> None:
    """The bank has decided: the pack works again, or is gone with what it carries (E7)."""
    with transaction():
        dispute = payments.lock_dispute(dispute_id)
        dispute.status, dispute.closed_at = "lost" if is_lost else "won", now
        db.session.flush()
        vouchers.follow_dispute(dispute_id=dispute_id, now=now)


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


def _undisputed(lot: Lot) -> Payment | None:
    """The payment that a lot was bought with, if all of it is still the chain's."""
    of_order = select(OrderItem.order_id).where(OrderItem.id == lot.order_item_id)
    order_id = db.session.scalar(of_order)
    paid = order_id and payments.find_paid(purpose="voucher_order", purpose_id=order_id)
    if not paid or paid.repaid or payments.list_disputes(payment_id=paid.id):
        return None
    return paid


def _leave(lot: Lot, cups: int) -> UnderWay:
    sent = take_out(lot, cups)
    return UnderWay(lot, sent.cups, sent.net, sent.vat)


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
        buyer_id=parent.buyer_id,
        order_item_id=parent.order_item_id,
        sold_at=parent.sold_at,
        expiry_mode=parent.expiry_mode,
        ends_at=parent.ends_at,
        due_at=parent.due_at,
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
