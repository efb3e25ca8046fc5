"""A subscription that is due: who takes it up, and what is to be done about it.

Several workers may look at once. A claim is a lease on the subscription; taking it up checks,
under the row's lock, that the lease is still the one that was given, and puts `due_at` a little
ahead: if the worker dies with the charge under way, the subscription is found again, and the
same payment is asked for again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, or_, select

import payments
from kernel.db import db
from kernel.queue import Duty
from payments.models import Payment
from subs import policy
from subs.models import Period, Subscription
from subs.policy import Step, Unpaid
from subs.service.outcome import (
    ask,
    end,
    give_up_payment,
    lapse,
    next_look_at,
    record_failure,
)
from subs.service.rows import add_period, lock, newest_period, plan_of

PURPOSE = "subscription_period"

_LEASE = timedelta(seconds=30)
_LOOK_AGAIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Claim:
    """A lease on a subscription. Its end tells it from every other lease on the same one."""

    subscription_id: UUID
    leased_until: datetime


def subscriptions_due(now: datetime) -> Select[UUID]:
    """The subscriptions about which something must be done."""
    return select(Subscription.id).where(Subscription.due_at <= now)


DUTY = Duty("subs.jobs.renew_due", "billing", subscriptions_due)


def claim(*, limit: int, now: datetime) -> list[Claim]:
    """Lease the subscriptions that have been due the longest and that nobody else has."""
    free = or_(Subscription.leased_until.is_(None), Subscription.leased_until <= now)
    found = db.session.scalars(
        select(Subscription)
        .where(Subscription.due_at <= now, free)
        .order_by(Subscription.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for subscription in found:
        subscription.leased_until = now + _LEASE
    return [Claim(subscription.id, now + _LEASE) for subscription in found]


def take_up(claimed: Claim, *, now: datetime) -> UUID | None:
    """Do what is due about a subscription, but for the charge: the payment to ask is answered.

    None if there is nothing to charge, or if the lease ran out and somebody else has it.
    """
    subscription = lock(claimed.subscription_id)
    if subscription.leased_until != claimed.leased_until:
        return None
    subscription.leased_until = None
    newest = newest_period(subscription.id)
    unpaid = newest if newest.status == "due" else None
    paid_until = newest.ends_at if unpaid is None else unpaid.starts_at
    step = policy.next_step(
        now=now,
        paid_until=paid_until,
        cancel_at_end=subscription.cancel_at_end,
        unpaid=None if unpaid is None else _standing(unpaid),
    )
    if step in (Step.END, Step.LAPSE) and unpaid is not None and _is_paid(unpaid):
        subscription.due_at = now + _LOOK_AGAIN  # the news of it is on its way
        return None
    match step:
        case Step.END:
            end(subscription, unpaid, ended_at=paid_until, now=now)
        case Step.LAPSE:
            lapse(subscription, newest, now=now)
        case Step.RENEW:
            return _attempt(subscription, unpaid or _next_period(subscription, newest, now), now)
        case Step.WAIT:
            subscription.due_at = paid_until if unpaid is None else next_look_at(unpaid)
    return None


def _standing(unpaid: Period) -> Unpaid:
    is_under_way = unpaid.payment_id is not None and unpaid.asked_at is None
    return Unpaid(unpaid.retry_at, unpaid.lapses_at, is_under_way)


def _is_paid(unpaid: Period) -> bool:
    return payments.find_paid(purpose=PURPOSE, purpose_id=unpaid.id) is not None


def _next_period(subscription: Subscription, last: Period, now: datetime) -> Period:
    plan = plan_of(subscription.offer_version_id)
    return add_period(subscription, plan, number=last.number + 1, now=now)


def _attempt(subscription: Subscription, period: Period, now: datetime) -> UUID | None:
    """Begin a payment, or go on with the one whose outcome is not known: never a second one."""
    if period.payment_id is not None and period.asked_at is not None:
        payment = payments.get_payment(period.payment_id)
        if payment.status == "requires_action":
            _remind(subscription, period, payment, now)
            return None
        period.payment_id = period.asked_at = None
    if period.payment_id is None:
        if subscription.card_id is None:
            record_failure(subscription, period, is_final=True, now=now)
            return None
        period.payment_id = _begin(subscription, period, now)
    subscription.due_at = now + _LOOK_AGAIN
    return period.payment_id


def _remind(subscription: Subscription, period: Period, payment: Payment, now: datetime) -> None:
    """A payment still waits for the member: ask them again, or give it up for another card."""
    if payment.card_id == subscription.card_id:
        record_failure(subscription, period, is_final=False, now=now)
        ask(subscription, period, payment, now=now)
    else:
        give_up_payment(subscription, period, now=now)
        subscription.due_at = now + _LOOK_AGAIN


def _begin(subscription: Subscription, period: Period, now: datetime) -> UUID:
    version = plan_of(subscription.offer_version_id).version
    payment = payments.begin(
        member_id=subscription.member_id,
        purpose=PURPOSE,
        purpose_id=period.id,
        amount=version.price,
        currency=version.currency,
        card_id=subscription.card_id,
        now=now,
    )
    return payment.id
