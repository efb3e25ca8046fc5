"""An order is paid through a provider, once, whoever asks however often."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import payments
from kernel.db import db
from kernel.errors import NotFound, TryAgain
from kernel.idempotency import Key, find_answer, keep_answer
from kernel.transaction import again, transaction
from payments import Payment
from vouchers.errors import AlreadyPaid, OrderEnded, PaymentDeclined, PaymentGivenUp
from vouchers.models import Order
from vouchers.policy import PURPOSE
from vouchers.queries import items_of

_TURNS = 4


@dataclass(frozen=True, slots=True)
class Paid:
    """What came of asking. `is_replay` says that this key had asked before."""

    payment: Payment
    is_replay: bool

    def outcome(self) -> Payment:
        """Answer the payment, unless it was refused.

        Raises:
            PaymentDeclined: with the reason that the cardholder may hear.
            PaymentGivenUp: no card was refused, since none was asked.
        """
        if self.payment.settled_at is None or self.payment.status in payments.policy.PAID:
            return self.payment
        if self.payment.failure == payments.policy.NEVER_ASKED:
            raise PaymentGivenUp
        raise PaymentDeclined(decline_code=payments.policy.told(self.payment.failure))


@dataclass(frozen=True, slots=True)
class Way:
    """How an order is to be paid; exactly one of these.

    With the `payment_method` of a card, with a saved card, or `by_holder`: its payer chooses how in
    the provider's own form, with a secret that they are given (cards, wallets).
    """

    payment_method: str | None = None
    card_id: UUID | None = None
    by_holder: bool = False

    def __post_init__(self) -> None:
        given = (self.payment_method is not None, self.card_id is not None, self.by_holder)
        if given.count(True) != 1:
            raise ValueError("an order is paid in one way")


@dataclass(frozen=True, slots=True)
class _Wish:
    """Who wants to pay which order, in which way, under which key."""

    member_id: UUID
    order_id: UUID
    way: Way
    save_card: bool
    key: Key


@dataclass(frozen=True, slots=True)
class _Attempt:
    """The attempt that a wish has to do with: its own, or one under way in another way."""

    payment_id: UUID
    is_own: bool
    is_replay: bool = False


def pay(
    *,
    member_id: UUID,
    order_id: UUID,
    payment_method: str | None = None,
    card_id: UUID | None = None,
    by_holder: bool = False,
    save_card: bool = False,
    key: Key,
    now: datetime,
) -> Paid:
    """Pay an order in one of the ways of `Way`. Opens its own transactions; nobody may hold one.

    1. Begin the attempt and bind the key to it; 2. ask the provider; 3. where another one is
    under way on this order, wait for what comes of it, give it up if it waits for its payer, and
    begin again. A key that comes back asks about its own attempt, so a retry after any crash
    charges once. A plan in the order needs the card kept for renewals.

    Raises:
        NotFound: the member has no such order, or no such saved card.
        AlreadyPaid: it is paid.
        OrderEnded: it was to be paid earlier.
        KeyReused: the key came before for something else.
    """
    way = Way(payment_method, card_id, by_holder)
    wish = _Wish(member_id, order_id, way, save_card, key)
    for turn in range(_TURNS):
        attempt = again(lambda: _begin(wish, now))
        payment = payments.charge(payment_id=attempt.payment_id)
        if attempt.is_own or payment.status in payments.policy.PAID or turn == _TURNS - 1:
            break
        payment = payments.cancel(payment_id=attempt.payment_id)
        if payment.settled_at is None:
            break
    return Paid(payment, attempt.is_replay)


def _begin(wish: _Wish, now: datetime) -> _Attempt:
    with transaction():
        order = _get(wish)
        own = _own_attempt(wish)
        if own is not None:
            return own
        try:
            return _begin_attempt(wish, order, now)
        except AlreadyPaid:
            # Whoever has paid may be a racer with this very key, who bound it since we looked.
            own = _own_attempt(wish)
            if own is None:
                raise
            return own


def _own_attempt(wish: _Wish) -> _Attempt | None:
    known = find_answer(wish.key)
    if known is None:
        return None
    return _Attempt(UUID(known["payment_id"]), is_own=True, is_replay=True)


def _begin_attempt(wish: _Wish, order: Order, now: datetime) -> _Attempt:
    _refuse_unpayable(order, now)
    way = wish.way
    method_ref = _method_of(wish)
    payment = payments.begin(
        member_id=wish.member_id,
        purpose=PURPOSE,
        purpose_id=order.id,
        amount=order.total,
        currency=order.currency,
        card_id=way.card_id,
        payment_method=way.payment_method,
        by_holder=way.by_holder,
        save_card=wish.save_card or _has_plan(order),
        now=now,
    )
    if payment.status == "succeeded":
        raise AlreadyPaid
    is_own = (payment.by_holder, payment.method_ref) == (way.by_holder, method_ref)
    bound = {"payment_id": str(payment.id)}
    if is_own and not keep_answer(wish.key, bound, now=now):
        raise TryAgain  # the same key, for another order, at the same moment
    return _Attempt(payment.id, is_own)


def _method_of(wish: _Wish) -> str | None:
    """What the provider knows the wish's card by; None where its payer chooses in a form."""
    if wish.way.card_id is None:
        return wish.way.payment_method
    card = payments.get_card(member_id=wish.member_id, card_id=wish.way.card_id)
    return card.provider_ref


def _get(wish: _Wish) -> Order:
    """The order needs no lock: racers meet at the attempts, which `payments.begin` locks."""
    order = db.session.get(Order, wish.order_id)
    if order is None or order.member_id != wish.member_id:
        raise NotFound
    return order


def _refuse_unpayable(order: Order, now: datetime) -> None:
    if order.paid_at is not None:
        raise AlreadyPaid
    if order.status == "ended" or order.ends_at <= now:
        raise OrderEnded(ended_at=order.ends_at.isoformat())


def _has_plan(order: Order) -> bool:
    return any(line.offer.kind == "plan" for line in items_of(order.id))
