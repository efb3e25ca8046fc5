"""An order is paid through a provider, once, whoever asks however often."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import payments
from kernel.errors import TryAgain
from kernel.idempotency import Key, find_answer, keep_answer
from kernel.transaction import again, transaction
from payments import Payment
from vouchers.errors import AlreadyPaid, PaymentDeclined, PaymentGivenUp
from vouchers.introduction import refuse_second
from vouchers.models import Order
from vouchers.order_errors import WayOfPayingMissing
from vouchers.policy import PURPOSE
from vouchers.queries import Ordered, items_of
from vouchers.service.pay_nothing import leave_card
from vouchers.service.pay_wish import Way, Wish, own_order, refuse_unpayable

_TURNS = 4


@dataclass(frozen=True, slots=True)
class Paid:
    """What came of asking. `is_replay` says that this key had asked before.

    There is no payment where the order cost nothing.
    """

    payment: Payment | None
    is_replay: bool

    def outcome(self) -> Payment | None:
        """Answer the payment, if there is one, unless it was refused.

        Raises:
            PaymentDeclined: with the reason that the cardholder may hear.
            PaymentGivenUp: no card was refused, since none was asked.
        """
        payment = self.payment
        if payment is None or payment.settled_at is None or payment.status in payments.policy.PAID:
            return payment
        if payment.failure == payments.policy.NEVER_ASKED:
            raise PaymentGivenUp
        raise PaymentDeclined(decline_code=payments.policy.told(payment.failure))


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
    charges once. A plan in the order needs the card kept for renewals. For what costs nothing see
    `leave_card`.

    Raises:
        NotFound: the member has no such order, or no such saved card.
        AlreadyPaid: it is paid.
        OrderEnded: it was to be paid earlier.
        WayOfPayingMissing: it costs something, and it was not said how to pay.
        IntroductionUsed: it is at the first price of a plan that the member has had meanwhile.
        KeyReused: the key came before for something else.
    """
    way = Way(payment_method, card_id, by_holder)
    wish = Wish(member_id, order_id, way, save_card, key)
    if again(lambda: _is_free(wish)):
        return Paid(None, leave_card(wish, now=now))
    if way.is_none:
        raise WayOfPayingMissing
    for turn in range(_TURNS):
        attempt = again(lambda: _begin(wish, now))
        payment = payments.charge(payment_id=attempt.payment_id)
        if attempt.is_own or payment.status in payments.policy.PAID or turn == _TURNS - 1:
            break
        payment = payments.cancel(payment_id=attempt.payment_id)
        if payment.settled_at is None:
            break
    return Paid(payment, attempt.is_replay)


def _begin(wish: Wish, now: datetime) -> _Attempt:
    with transaction():
        order = own_order(wish)
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


def _own_attempt(wish: Wish) -> _Attempt | None:
    known = find_answer(wish.key)
    if known is None:
        return None
    return _Attempt(UUID(known["payment_id"]), is_own=True, is_replay=True)


def _begin_attempt(wish: Wish, order: Order, now: datetime) -> _Attempt:
    refuse_unpayable(order, now=now)
    ordered = Ordered(order, items_of(order.id))
    refuse_second(ordered)
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
        save_card=wish.save_card or _has_plan(ordered),
        now=now,
    )
    if payment.status == "succeeded":
        raise AlreadyPaid
    is_own = (payment.by_holder, payment.method_ref) == (way.by_holder, method_ref)
    bound = {"payment_id": str(payment.id)}
    if is_own and not keep_answer(wish.key, bound, now=now):
        raise TryAgain  # the same key, for another order, at the same moment
    return _Attempt(payment.id, is_own)


def _method_of(wish: Wish) -> str | None:
    """What the provider knows the wish's card by; None where its payer chooses in a form."""
    if wish.way.card_id is None:
        return wish.way.payment_method
    card = payments.get_card(member_id=wish.member_id, card_id=wish.way.card_id)
    return card.provider_ref


def _is_free(wish: Wish) -> bool:
    with transaction():
        return own_order(wish).total == 0


def _has_plan(ordered: Ordered) -> bool:
    """Whether a plan begins with it; one that is given away renews with a card of who begins it."""
    return any(
        line.offer.kind == "plan" and line.item.gift_periods is None for line in ordered.items
    )
