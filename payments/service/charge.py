"""Asking the provider, in three steps: what is asked is committed, asked, its outcome committed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel import clock
from kernel.transaction import again, transaction
from payments import policy
from payments.errors import NoAnswer
from payments.gateway import CARDS, TERMINAL, Intent, provider
from payments.models import Payment
from payments.service.asking import age_of, ask, asking_of, search
from payments.service.cards import customer_of
from payments.service.locks import lock_payment
from payments.service.record import record


@dataclass(frozen=True, slots=True)
class _Asked:
    """A payment as it stood when its asking was committed."""

    payment: Payment
    asked_at: datetime


def charge(
    *,
    payment_id: UUID,
    payment_method: str | None = None,
    save_card: bool = False,
    off_session: bool = False,
) -> Payment:
    """Ask the provider for the money, or what became of it. Nobody may hold a transaction.

    Safe to repeat, after any crash and at the same time: the payment's id is the provider's
    idempotency key, and what was asked first is asked again, whatever is passed later. If the
    provider is silent, the payment is `processing` and the sweep finds out.

    Raises:
        NotFound: there is no such payment.
    """
    asked = again(lambda: _ask(payment_id, payment_method, save_card, off_session))
    if asked.payment.status not in policy.OPEN:
        return asked.payment
    return _settle(asked, _give_up if asked.payment.failure == policy.GIVEN_UP else _look)


def cancel(*, payment_id: UUID) -> Payment:
    """Give up an open payment, so that no money comes of it. Nobody may hold a transaction.

    What has succeeded meanwhile is recorded as succeeded; what cannot be known yet stays open, and
    is only looked for from then on, never asked for again.
    """
    payment = again(lambda: _drop(payment_id))
    if payment.status not in policy.OPEN or payment.asked_at is None:
        return payment
    return _settle(_Asked(payment, payment.asked_at), _give_up)


def _ask(
    payment_id: UUID, payment_method: str | None, save_card: bool, off_session: bool
) -> _Asked:
    now, asked_at = clock.now(), clock.common()
    with transaction():
        payment = lock_payment(payment_id)
        if payment.status not in policy.OPEN:
            return _Asked(payment, payment.asked_at or asked_at)
        if payment.asked_at is None:
            payment.method_ref = payment.method_ref or payment_method
            if payment.method_ref is None and not payment.by_holder:
                raise ValueError("a charge needs a saved card or a payment method")
            payment.keeps_card = payment.keeps_card or save_card
            payment.is_off_session = off_session
            payment.asked_at = asked_at
        payment.due_at = next_look_at(payment, now=now)
        return _Asked(payment, payment.asked_at)


def _drop(payment_id: UUID) -> Payment:
    now = clock.now()
    with transaction():
        payment = lock_payment(payment_id)
        if payment.status in policy.OPEN and payment.asked_at is None:
            payment.status, payment.failure = "cancelled", policy.NEVER_ASKED
            payment.settled_at = now
        elif payment.status in policy.OPEN:
            payment.failure = policy.GIVEN_UP
        return payment


def _settle(asked: _Asked, look: Callable[[_Asked], Intent]) -> Payment:
    payment_id = asked.payment.id
    try:
        seen = look(asked)
    except NoAnswer:
        return again(lambda: _wait(payment_id))
    return again(lambda: _record(payment_id, seen))


def _look(asked: _Asked) -> Intent:
    payment = asked.payment
    return ask(
        asking_of(payment, asked_at=asked.asked_at),
        of=provider(payment.provider),
        customer_ref=_unless_known(payment),
        now=clock.common(),
    )


def _give_up(asked: _Asked) -> Intent:
    payment = asked.payment
    asking = provider(payment.provider)
    if payment.provider_ref is not None:
        return asking.cancel(payment.provider_ref)
    if policy.may_still_arrive(age=clock.common() - asked.asked_at):
        raise NoAnswer
    found = search(
        asking_of(payment, asked_at=asked.asked_at), of=asking, customer_ref=_customer_of(payment)
    )
    if found.ref is None or found.status not in policy.OPEN:
        return found
    return asking.cancel(found.ref)


def _unless_known(payment: Payment) -> str | None:
    """The customer, where the provider has not told a reference of the payment yet."""
    return _customer_of(payment) if payment.provider_ref is None else None


def _customer_of(payment: Payment) -> str | None:
    """Only the provider of the web and the app is told of customers."""
    return customer_of(payment.member_id) if payment.provider == CARDS else None


def next_look_at(payment: Payment, *, now: datetime) -> datetime:
    """When to ask again what became of an open payment."""
    is_at_counter = payment.provider == TERMINAL
    return policy.next_look_at(age=age_of(payment.asked_at), now=now, is_at_counter=is_at_counter)


def _wait(payment_id: UUID) -> Payment:
    with transaction():
        payment = lock_payment(payment_id)
        if payment.status == "intent":
            payment.status = "processing"
        return payment


def _record(payment_id: UUID, seen: Intent) -> Payment:
    now = clock.now()
    with transaction():
        return record(payment_id=payment_id, seen=seen, now=now)
