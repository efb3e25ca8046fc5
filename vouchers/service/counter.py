"""Packs are sold at a counter: for cash, or with the card terminal beside the till."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import payments
from chain.models import Staff
from invoicing import Buyer
from kernel import clock
from kernel.db import db
from kernel.errors import NotFound, TryAgain
from kernel.idempotency import Key, find_answer, keep_answer
from kernel.transaction import again, transaction
from payments import Payment, PaymentUnderWay
from vouchers.errors import AlreadyPaid, OrderEnded
from vouchers.introduction import refuse_second
from vouchers.models import Order
from vouchers.order_errors import OwnOrder
from vouchers.policy import PURPOSE
from vouchers.queries import Ordered, get_order, items_of
from vouchers.service.fulfil import fulfil
from vouchers.service.order import Wanted, place_order
from vouchers.wallet import change_wallet

Method = Literal["cash", "terminal"]


@dataclass(frozen=True, slots=True)
class AtTill:
    """Who stands at which till of which store, in which shift.

    The terminal beside a till is known to its provider by the till's device id.
    """

    shift_id: UUID
    device_id: UUID
    store_id: UUID
    staff_id: UUID


@dataclass(frozen=True, slots=True)
class CounterSale:
    """An order of a counter, and the last attempt to be paid for it.

    `is_replay` says that this key had asked before.
    """

    ordered: Ordered
    payment: Payment | None
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class _Taken:
    """What a transaction has left: an order, and the attempt to be paid for it, if it costs."""

    member_id: UUID
    order_id: UUID
    payment_id: UUID | None
    is_replay: bool = False


def sell_at_counter(
    *,
    till: AtTill,
    buyer_id: Callable[[], UUID],
    items: Sequence[Wanted],
    method: Method,
    invoice_to: Buyer | None,
    key: Key,
    now: datetime,
) -> CounterSale:
    """Sell to somebody at the counter. Opens its own transactions; nobody may hold one.

    For cash, the order, its payment and its cups are one transaction. The terminal is asked after
    the order and the attempt are committed, and what came of it is shown. A key that comes back
    finds its own order, so that nothing is sold twice. `buyer_id` says whose the cups will be; it
    is asked in the transaction, and only for a new key.

    Raises:
        OwnOrder: the clerk would sell to themselves.
        IntroductionUsed: a plan is at its first price, and was had by another order meanwhile.
        Refusal: what `place_order` and `payments` refuse.
    """

    def place() -> UUID:
        member_id = buyer_id()
        _refuse_own(till, member_id)
        placed = place_order(
            member_id=member_id,
            items=items,
            store_id=till.store_id,
            channel="counter",
            buyer=invoice_to,
            shift_id=till.shift_id,
            now=now,
        )
        return placed.order.id

    return _shown(again(lambda: _take(till, place, method, key, now)))


def pay_at_counter(
    *, till: AtTill, order_id: UUID, method: Method, key: Key, now: datetime
) -> CounterSale:
    """Have an order of this counter paid, or hear what became of that. Opens its own transactions.

    A terminal that is asked already is asked what became of it; for cash, what it waits for is
    given up first. After a refusal a new key tries again.

    Raises:
        NotFound: this store has no such order of a counter.
        AlreadyPaid, OrderEnded: it cannot be paid any more.
        PaymentUnderWay: the terminal was asked, and nobody knows yet what became of it.
    """
    in_the_way = again(lambda: _find_in_the_way(till, order_id, method, key))
    if in_the_way is not None:
        payments.cancel(payment_id=in_the_way)
    return _shown(again(lambda: _take(till, lambda: order_id, method, key, now)))


def get_counter_sale(*, till: AtTill, order_id: UUID) -> CounterSale:
    """Answer an order of this store's counters.

    Raises:
        NotFound: there is none.
    """
    order = _order_of(till, order_id)
    return _sale(order.member_id, order_id)


def _take(
    till: AtTill, order_of: Callable[[], UUID], method: Method, key: Key, now: datetime
) -> _Taken:
    """Take the money, or begin to, and bind the key to that: all in one transaction."""
    with transaction():
        known = _known(key)
        if known is not None:
            return known
        order = _lock(order_of())
        _refuse_unpayable(order, now)
        refuse_second(Ordered(order, items_of(order.id)))
        payment = _asked(till, order, method, now)
        bound = {"payment_id": str(payment.id)} if payment else {"order_id": str(order.id)}
        if not keep_answer(key, bound, now=now):
            raise TryAgain  # the same key, at the same moment: look again, and find it
        return _Taken(order.member_id, order.id, payment.id if payment else None)


def _asked(till: AtTill, order: Order, method: Method, now: datetime) -> Payment | None:
    """What is asked for the order; what costs nothing is given at once."""
    if order.total == 0:
        fulfil(order_id=order.id, paid_at=now, now=now)
        return None
    return _paid_in_cash(till, order, now) if method == "cash" else _begun(till, order, now)


def _known(key: Key) -> _Taken | None:
    """What the key has done before."""
    known = find_answer(key)
    if known is None:
        return None
    if "order_id" in known:
        order = db.session.get_one(Order, UUID(known["order_id"]))
        return _Taken(order.member_id, order.id, None, is_replay=True)
    payment = payments.get_payment(UUID(known["payment_id"]))
    return _Taken(payment.member_id, payment.purpose_id, payment.id, is_replay=True)


def _paid_in_cash(till: AtTill, order: Order, now: datetime) -> Payment:
    payment = payments.take_cash(
        member_id=order.member_id,
        purpose=PURPOSE,
        purpose_id=order.id,
        amount=order.total,
        currency=order.currency,
        shift_id=till.shift_id,
        is_told=False,
        now=now,
    )
    if payment.provider != "cash":
        raise AlreadyPaid
    fulfil(order_id=order.id, paid_at=payment.settled_at or now, now=now)
    return payment


def _begun(till: AtTill, order: Order, now: datetime) -> Payment:
    payment = payments.begin(
        member_id=order.member_id,
        purpose=PURPOSE,
        purpose_id=order.id,
        amount=order.total,
        currency=order.currency,
        payment_method=str(till.device_id),
        provider="terminal",
        shift_id=till.shift_id,
        now=now,
    )
    if payment.status == "succeeded":
        raise AlreadyPaid
    if payment.provider != "terminal":
        raise PaymentUnderWay(payment_id=str(payment.id))
    return payment


def _lock(order_id: UUID) -> Order:
    """Lock the wallet, then the order, so that of two who take money for it one is refused."""
    change_wallet(db.session.get_one(Order, order_id).member_id)
    return db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)


def _shown(taken: _Taken) -> CounterSale:
    """Ask what is not settled, give the cups of what is paid, and show it."""
    if taken.payment_id is not None:
        payment = payments.charge(payment_id=taken.payment_id)
        if payment.status == "succeeded":
            again(lambda: _fulfil(taken.order_id, payment))
    return again(lambda: _read(taken))


def _fulfil(order_id: UUID, payment: Payment) -> None:
    """At once, since somebody waits; the news of the payment finds it done."""
    now = clock.now()
    with transaction():
        fulfil(order_id=order_id, paid_at=payment.settled_at or now, now=now)


def _read(taken: _Taken) -> CounterSale:
    with transaction():
        return _sale(taken.member_id, taken.order_id, is_replay=taken.is_replay)


def _sale(member_id: UUID, order_id: UUID, *, is_replay: bool = False) -> CounterSale:
    ordered = get_order(member_id=member_id, order_id=order_id)
    attempts = payments.list_payments(purpose=PURPOSE, purpose_id=order_id)
    return CounterSale(ordered, attempts[-1] if attempts else None, is_replay)


def _find_in_the_way(till: AtTill, order_id: UUID, method: Method, key: Key) -> UUID | None:
    """The open attempt that is paid in another way; none if it is this very key that comes back."""
    with transaction():
        if _known(key) is not None:
            return None
        _order_of(till, order_id)
        under_way = payments.find_open(purpose=PURPOSE, purpose_id=order_id)
        return under_way.id if under_way and under_way.provider != method else None


def _order_of(till: AtTill, order_id: UUID) -> Order:
    order = db.session.get(Order, order_id)
    if order is None or order.channel != "counter" or order.store_id != till.store_id:
        raise NotFound
    return order


def _refuse_own(till: AtTill, member_id: UUID) -> None:
    if db.session.get_one(Staff, till.staff_id).member_id == member_id:
        raise OwnOrder


def _refuse_unpayable(order: Order, now: datetime) -> None:
    if order.paid_at is not None:
        raise AlreadyPaid
    if order.status == "ended" or order.ends_at <= now:
        raise OrderEnded(ended_at=order.ends_at.isoformat())
