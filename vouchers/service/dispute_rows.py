"""What was bought with a disputed payment: all its cups, wherever they are, under their locks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import Select, select, tuple_

import chain
import ledger
import payments
from kernel.db import db
from kernel.errors import TryAgain
from ledger import Event, Pair
from ledger.models import Entry, Line
from payments import Dispute, Payment
from vouchers.models import Gift, GiftItem, Lot, Order, OrderItem
from vouchers.policy import PURPOSE
from vouchers.refund_origin import CHANGE, purposes_of
from vouchers.service.earning import earn_until
from vouchers.wallet import change_wallet


@dataclass(frozen=True, slots=True)
class Purchase:
    """All cups of a disputed payment, locked: lots of any wallet, and gifts that are open."""

    payment: Payment
    store_id: UUID
    lots: Sequence[Lot]
    gifts: Sequence[Gift]

    def freeze(self, at: datetime) -> None:
        for lot in self.lots:
            lot.frozen_at = lot.frozen_at or at
        for gift in self.gifts:
            gift.frozen_at = gift.frozen_at or at

    def thaw(self) -> None:
        """Let go of the cups that no payment holds back, and of gifts that have no others."""
        held = _held_back(self.lots, self.payment)
        for lot in self.lots:
            if lot.id not in held:
                lot.frozen_at = None
        db.session.flush()
        still_held = _holding_frozen(self.gifts)
        for gift in self.gifts:
            if gift.id not in still_held:
                gift.frozen_at = None


def lock_purchase(payment: Payment, *, now: datetime) -> Purchase:
    """Lock every wallet that holds cups of the payment, and its open gifts.

    What has been earned by the day is earned first: it is not held back.

    Raises:
        TryAgain: cups got into one more wallet meanwhile.
    """
    lots = _lots_of(payment)
    locked = {lot.member_id for lot in lots} | {payment.member_id}
    for member_id in sorted(locked):
        change_wallet(member_id)
    earn_until(locked, now=now)
    gifts = _open_gifts(_lots_of(payment))
    lots = _lots_of(payment)
    if not locked.issuperset(lot.member_id for lot in lots):
        raise TryAgain
    return Purchase(payment, _store_of(payment, lots), lots, gifts)


def _store_of(payment: Payment, lots: Sequence[Lot]) -> UUID:
    if payment.purpose == PURPOSE:
        return db.session.get_one(Order, payment.purpose_id).store_id
    return lots[0].store_id if lots else chain.online_store().id


def _lots_of(payment: Payment) -> list[Lot]:
    """The lots of what was paid for, as they are now, the buyer's own first.

    A surplus has paid for nothing: what was bought was paid by another payment, or had ended.
    """
    if payment.status == "surplus":
        return []
    if payment.purpose == PURPOSE:
        items = select(OrderItem.id).where(OrderItem.order_id == payment.purpose_id)
        found = _read(select(Lot).where(Lot.order_item_id.in_(items)))
    else:
        found = _with_given(payment)
    return sorted(found, key=lambda lot: (lot.member_id != payment.member_id, lot.sold_at, lot.id))


def _with_given(payment: Payment) -> list[Lot]:
    """The lot that was paid for, those that its cups were given on to, or a changed plan took."""
    paid_for = (
        Lot.member_id == payment.member_id,
        Lot.source == (CHANGE if payment.purpose == CHANGE else "period"),
        Lot.source_id == payment.purpose_id,
    )
    newest = found = _read(select(Lot).where(*paid_for))
    while newest:
        claimed = (
            _items_of(newest)
            .add_columns(Gift.claimed_by_id)
            .join(Gift, Gift.id == GiftItem.gift_id)
            .where(Gift.status == "claimed")
        )
        places = [
            (taker, "gift", item.gift_id, item.ordinal)
            for item, taker in db.session.execute(claimed)
        ]
        place = tuple_(Lot.member_id, Lot.source, Lot.source_id, Lot.ordinal)
        newest = [*_read(select(Lot).where(place.in_(places))), *_taken_over_from(newest)]
        found = [*found, *newest]
    return found


def _taken_over_from(lots: Sequence[Lot]) -> list[Lot]:
    """The lots of changed plans that took over what these had left."""
    out_of = (
        select(Entry.source_id)
        .join(
            Line,
            (Line.member_id == Entry.member_id)
            & (Line.book_date == Entry.book_date)
            & (Line.entry_id == Entry.id),
        )
        .where(
            Entry.member_id.in_({lot.member_id for lot in lots}),
            Entry.kind == "transfer",
            Line.lot_id.in_([lot.id for lot in lots]),
            Line.lot_id != Entry.source_id,
        )
    )
    holders = {lot.member_id for lot in lots}
    return _read(
        select(Lot).where(Lot.member_id.in_(holders), Lot.source == CHANGE, Lot.id.in_(out_of))
    )


def _read(lots: Select[Lot]) -> list[Lot]:
    return list(db.session.scalars(lots.execution_options(populate_existing=True)))


def _items_of(lots: Sequence[Lot]) -> Select[GiftItem]:
    places = [(lot.member_id, lot.id) for lot in lots]
    return select(GiftItem).where(tuple_(GiftItem.member_id, GiftItem.lot_id).in_(places))


def _open_gifts(lots: Sequence[Lot]) -> list[Gift]:
    ids = [item.gift_id for item in db.session.scalars(_items_of(lots))]
    found = select(Gift).where(Gift.id.in_(ids), Gift.status == "open").order_by(Gift.id)
    locked = found.with_for_update().execution_options(populate_existing=True)
    return list(db.session.scalars(locked))


def _holding_frozen(gifts: Sequence[Gift]) -> set[UUID]:
    """Which of these gifts have cups of a lot that is frozen."""
    frozen = (
        select(GiftItem.gift_id)
        .join(Lot, (Lot.member_id == GiftItem.member_id) & (Lot.id == GiftItem.lot_id))
        .where(GiftItem.gift_id.in_([gift.id for gift in gifts]), Lot.frozen_at.is_not(None))
    )
    return set(db.session.scalars(frozen))


def _held_back(lots: Sequence[Lot], payment: Payment) -> set[UUID]:
    """Those of a payment's lots that a bank holds back.

    An open dispute does, of whichever payment is in them. Of what several have paid for, one that
    was lost has taken its part along: the rest is good, while something of another is left.
    """
    behind = {
        key: {(payment.purpose, payment.purpose_id), *purposes}
        for key, purposes in purposes_of(lots).items()
    }
    states = {each: _state_of(*each) for each in set().union(*behind.values())}
    return {
        key for key, purposes in behind.items() if _is_held({states[each] for each in purposes})
    }


_State = Literal["disputed", "lost", "given_back", "good"]


def _is_held(states: set[_State]) -> bool:
    return "disputed" in states or ("lost" in states and "good" not in states)


def _state_of(purpose: str, purpose_id: UUID) -> _State:
    """How it stands with what was paid for a purpose, if anything was."""
    paid = payments.find_paid(purpose=purpose, purpose_id=purpose_id)
    if paid is None:
        return "given_back"
    disputes = db.session.scalars(select(Dispute).where(Dispute.payment_id == paid.id)).all()
    if any(one.status == "open" for one in disputes):
        return "disputed"
    lost = sum(one.amount for one in disputes if one.status == "lost")
    if lost + paid.repaid < paid.amount:
        return "good"
    return "lost" if lost else "given_back"


def post_event(
    dispute: Dispute,
    purchase: Purchase,
    kind: str,
    pairs: Sequence[Pair],
    *,
    at: datetime,
    now: datetime,
    member_id: UUID | None = None,
) -> UUID:
    """Book what a dispute moves, at the store that sold; answer the entry's id."""
    return ledger.post(
        Event(
            member_id=member_id or purchase.payment.member_id,
            kind=kind,
            source_id=dispute.id,
            pairs=pairs,
            event_at=at,
            occurred_on=chain.local_date(purchase.store_id, at),
            known_on=chain.local_date(purchase.store_id, now),
            currency=dispute.currency,
        )
    )
