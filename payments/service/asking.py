"""Asking a provider for money, or what became of it: no row is read or written here."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from kernel import clock
from payments import policy
from payments.gateway import Charge, Gateway, Intent
from payments.models import Payment


@dataclass(frozen=True, slots=True)
class Asking:
    """A payment as it stood when its asking was committed, for the provider's ears."""

    payment_id: UUID
    purpose_id: UUID
    member_id: UUID
    provider: str
    amount: int
    currency: str
    method_ref: str | None
    keeps_card: bool
    is_off_session: bool
    provider_ref: str | None
    asked_at: datetime


def asking_of(payment: Payment, *, asked_at: datetime) -> Asking:
    """What is asked for a payment."""
    return Asking(
        payment_id=payment.id,
        purpose_id=payment.purpose_id,
        member_id=payment.member_id,
        provider=payment.provider,
        amount=payment.amount,
        currency=payment.currency,
        method_ref=payment.method_ref,
        keeps_card=payment.keeps_card,
        is_off_session=payment.is_off_session,
        provider_ref=payment.provider_ref,
        asked_at=asked_at,
    )


def ask(asking: Asking, *, of: Gateway, customer_ref: str | None, now: datetime) -> Intent:
    """Ask for the money, under the payment's own key; or what became of it, where that is known.

    What may not be asked for once more (`policy.may_repeat`) is only looked for.

    `now` is the provider's, and everybody's.

    Raises:
        NoAnswer: the provider is silent.
    """
    if asking.provider_ref is not None:
        return of.get_intent(asking.provider_ref)
    if not policy.may_repeat(age=now - asking.asked_at, is_off_session=asking.is_off_session):
        return search(asking, of=of, customer_ref=customer_ref)
    return of.charge(
        Charge(
            payment_id=asking.payment_id,
            amount=asking.amount,
            currency=asking.currency,
            customer_ref=customer_ref,
            method_ref=asking.method_ref,
            keeps_card=asking.keeps_card,
            is_off_session=asking.is_off_session,
        )
    )


def age_of(asked_at: datetime | None) -> timedelta:
    """How long ago the provider was first asked; nothing, where it is asked now."""
    return timedelta(0) if asked_at is None else clock.common() - asked_at


def search(asking: Asking, *, of: Gateway, customer_ref: str | None) -> Intent:
    """Look among the customer's payments; one that is not there never reached the provider."""
    found = of.find_intent(
        payment_id=asking.payment_id, customer_ref=customer_ref, since=asking.asked_at
    )
    if found is not None:
        return found
    lost = policy.NEVER_ARRIVED
    return Intent(None, "failed", asking.payment_id, asking.amount, asking.currency, failure=lost)
