"""What becomes of subscriptions when the outcomes of their charges are known.

In the caller's transaction, under the subscriptions' locks, in sets; and it may be repeated: what
is known already is not counted again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

import payments
from kernel.db import db
from payments.models import Payment
from payments.policy import NEVER_ARRIVED, OPEN, PAID, is_final
from subs import notices, policy
from subs.models import Period, Subscription
from subs.service import history
from subs.service.consequences import Consequences
from subs.service.ending import GIVEN_UP, cancel_in, end, give_up_payment
from subs.service.plain_renewals import lock_subscriptions, settle_plain
from subs.service.renewal import keep_to_keys
from subs.service.rows import Renewing, lock_of_periods, plan_of
from subs.service.settling import Settling, settle_all

__all__ = [
    "GIVEN_UP",
    "Paid",
    "ask_again",
    "complete_all",
    "end",
    "fail_all",
    "next_look_at",
    "record",
    "record_failure",
    "retry_at_once",
]


@dataclass(frozen=True, slots=True)
class Paid:
    """A period's payment has come."""

    period_id: UUID
    payment_id: UUID
    paid_at: datetime


def record(seen: Mapping[UUID, payments.Intent | None], *, now: datetime) -> None:
    """Write down what the provider was seen to say of renewals, and what follows from it."""
    keep_to_keys()
    # The subscriptions first: whoever changes one waits, and nobody holds a payment meanwhile.
    lock_subscriptions(list(seen))
    news = payments.record_asked(seen, now=now)
    rest = settle_plain(news, now=now)
    if not rest:
        return
    periods = lock_of_periods([one.purpose_id for one in rest])
    paid = [Paid(one.purpose_id, one.payment_id, now) for one in rest if one.is_paid]
    _complete(paid, periods, now=now)
    _fail([one.payment_id for one in rest if not one.is_paid], periods, now=now)


def complete_all(payment_ids: Sequence[UUID], *, now: datetime) -> None:
    """Periods were paid: their cups are in the wallets, and the subscriptions go on.

    Money that comes for a subscription that has ended meanwhile goes back, and revives nothing.
    Another attempt that is still open, since this payment had been declined at first, is given up.
    """
    periods = lock_of_periods(_purposes(payment_ids))
    paid = [
        Paid(one.purpose_id, one.id, one.settled_at or now) for one in _payments_of(payment_ids)
    ]
    _complete(paid, periods, now=now)


def fail_all(payment_ids: Sequence[UUID], *, now: datetime) -> None:
    """Attempts to be paid failed, or wait for the member to authenticate them.

    Who waits for the member keeps the payment open, and authenticating it completes it. What
    the member then tries does not count: the attempt was counted when they were asked. Neither
    does what never reached the provider, since that was an outage of ours: it is tried again.
    """
    _fail(payment_ids, lock_of_periods(_purposes(payment_ids)), now=now)


def _purposes(payment_ids: Sequence[UUID]) -> list[UUID]:
    found = select(Payment.purpose_id).where(Payment.id.in_(payment_ids))
    return list(db.session.scalars(found))


def _payments_of(payment_ids: Sequence[UUID]) -> Sequence[Payment]:
    asked = select(Payment).where(Payment.id.in_(payment_ids)).order_by(Payment.id)
    return db.session.scalars(asked.execution_options(populate_existing=True)).all()


def _complete(paid: Sequence[Paid], periods: Mapping[UUID, Renewing], *, now: datetime) -> None:
    settling = []
    for one in paid:
        subscription, period, plan = periods[one.period_id]
        if period.status == "paid":
            continue
        if subscription.ended_at is not None:
            _return(one, subscription, period, now=now)
            continue
        if period.payment_id != one.payment_id:
            give_up_payment(subscription, period, now=now)
        settling.append(Settling(subscription, period, plan, one.paid_at))
    settle_all(settling, now=now)


def _return(paid: Paid, subscription: Subscription, period: Period, *, now: datetime) -> None:
    if payments.return_surplus(payment_id=paid.payment_id, now=now) is None:
        return
    version = plan_of(period.offer_version_id).version
    history.remark(subscription, "late_payment_returned", at=now, amount=period.price)
    told = notices.late_payment_returned(subscription, version, amount=period.price)
    notices.tell([told], now=now)


def _fail(payment_ids: Sequence[UUID], periods: Mapping[UUID, Renewing], *, now: datetime) -> None:
    if not payment_ids:
        return
    found = Consequences()
    for payment in _payments_of(payment_ids):
        _fail_one(found, periods[payment.purpose_id], payment, now=now)
    found.write(now=now)


def _fail_one(found: Consequences, renewing: Renewing, payment: Payment, *, now: datetime) -> None:
    subscription, period, _ = renewing
    if period.payment_id != payment.id or payment.status in PAID:
        return
    was_asked = period.asked_at is not None
    is_open = payment.status in OPEN
    if not is_open:
        period.payment_id = period.asked_at = None
    if was_asked:
        return
    if payment.failure == NEVER_ARRIVED:
        retry_at_once(subscription, period, now=now)
        return
    is_other_card = payment.card_id != subscription.card_id
    period.asked_at = now if is_open else None
    record_failure(
        found, renewing, is_final=is_final(payment.failure), is_told=not is_other_card, now=now
    )
    if is_other_card:
        retry_at_once(subscription, period, now=now)


def record_failure(
    found: Consequences, renewing: Renewing, *, is_final: bool, is_told: bool = True, now: datetime
) -> None:
    """Count a failed attempt: the plan is past due, and is tried again or lapses.

    Grants nothing. A subscription that was to be cancelled at its end, ends there instead. The
    member is told once: that it failed, or (`asked_at`) that their bank wants them.
    """
    subscription, period, plan = renewing
    period.attempts += 1
    subscription.leased_until = None
    if subscription.cancel_at_end:
        cancel_in(found, subscription, period, ended_at=period.starts_at, now=now)
        return
    period.retry_at = policy.next_attempt_at(
        attempts=period.attempts,
        dunning_days=plan.schedule.dunning_days,
        is_final=is_final,
        failed_at=now,
        lapses_at=period.lapses_at,
    )
    subscription.due_at = next_look_at(period)
    _write_down(found, subscription, period, now=now)
    if is_told:
        tell = notices.renewal_failed if period.asked_at is None else notices.authentication_wanted
        found.told.append(tell(subscription, period, plan.version))


def _write_down(
    found: Consequences, subscription: Subscription, period: Period, *, now: datetime
) -> None:
    facts = {"number": period.number, "attempts": period.attempts}
    if subscription.status != "past_due":
        subscription.pauses_at = subscription.resumes_at = None
        found.events.append(
            history.turned(subscription, "past_due", cause="renewal_failed", at=now, **facts)
        )
    elif period.asked_at is None:
        found.events.append(history.remarked(subscription, "attempt_failed", at=now, **facts))
    if period.asked_at is not None:
        found.events.append(history.remarked(subscription, "authentication_asked", at=now, **facts))


def ask_again(found: Consequences, renewing: Renewing, *, now: datetime) -> None:
    """A payment still waits for its holder, at the time of the next attempt: ask them again."""
    renewing.period.asked_at = now
    record_failure(found, renewing, is_final=False, now=now)


def retry_at_once(subscription: Subscription, period: Period, *, now: datetime) -> None:
    """Try a period that is due now, whatever the schedule says."""
    if subscription.ended_at is None:
        period.lapses_at = max(period.lapses_at, now)
        period.retry_at = subscription.due_at = now
        subscription.leased_until = None


def next_look_at(period: Period) -> datetime:
    """When something must be done about an unpaid period: the next attempt, or the lapse."""
    return period.retry_at or period.lapses_at
