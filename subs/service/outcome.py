"""What becomes of a subscription when the outcome of a charge is known.

Every function here is called with the subscription locked, or locks it, and may be repeated:
what is known already is not counted again.
"""

from datetime import datetime
from uuid import UUID

import chain
import invoicing
import vouchers
from invoicing import InvoiceLine
from kernel import outbox
from kernel.db import db
from ledger import policy as books
from payments.models import Payment
from payments.policy import NEVER_ARRIVED, OPEN, PAID
from subs import policy
from subs.models import Period, Subscription
from subs.service.rows import lock_of_period, plan_of

AUTHENTICATION_WANTED = "subscription_period.authentication_wanted"
GIVEN_UP = "subscription_period.given_up"


def complete(*, period_id: UUID, payment_id: UUID, paid_at: datetime, now: datetime) -> None:
    """A period was paid: its cups are in the wallet, and the subscription goes on.

    Money that comes for a subscription that has ended meanwhile still buys the cups of the period
    it was asked for; the subscription stays ended. Another attempt that is still open, since
    this payment had been declined at first, is given up.
    """
    subscription, period = lock_of_period(period_id)
    if period.status == "paid":
        return
    if period.payment_id != payment_id:
        give_up_payment(subscription, period, now=now)
    settle(subscription, period, paid_at=paid_at)


def settle(
    subscription: Subscription,
    period: Period,
    *,
    paid_at: datetime,
    order_item_id: UUID | None = None,
) -> None:
    """Mark a period paid, issue its cups, and say when the next renewal is due.

    `order_item_id` names what paid for the first one: the line of an order.
    """
    _close(period, "paid")
    period.attempts += 1
    period.paid_at = paid_at
    _grant(subscription, period, order_item_id, sold_at=paid_at)
    if subscription.ended_at is None:
        subscription.status = "active"
        subscription.due_at = policy.next_renewal_at(
            ends_at=period.ends_at, charged_at=paid_at, time_zone=subscription.time_zone
        )


def fail(*, period_id: UUID, payment_id: UUID, is_final: bool, now: datetime) -> None:
    """An attempt to be paid for a period failed, or waits for the member to authenticate it.

    Who waits for the member keeps the payment open, and authenticating it completes it. What
    the member then tries does not count: the attempt was counted when they were asked. Neither
    does what never reached the provider, since that was an outage of ours: it is tried again.
    """
    subscription, period = lock_of_period(period_id)
    payment = db.session.get_one(Payment, payment_id)
    if period.payment_id != payment_id or payment.status in PAID:
        return
    was_asked = period.asked_at is not None
    if payment.status not in OPEN:
        period.payment_id = period.asked_at = None
    if was_asked:
        return
    if payment.failure == NEVER_ARRIVED:
        retry_at_once(subscription, period, now=now)
        return
    record_failure(subscription, period, is_final=is_final, now=now)
    if payment.status in OPEN:
        ask(subscription, period, payment, now=now)
    if payment.card_id != subscription.card_id:
        retry_at_once(subscription, period, now=now)


def ask(subscription: Subscription, period: Period, payment: Payment, *, now: datetime) -> None:
    """Ask the member to authenticate the open payment of a period, unless another card is there."""
    if subscription.ended_at is not None:
        return
    period.asked_at = now
    if payment.card_id == subscription.card_id:
        outbox.emit(
            AUTHENTICATION_WANTED, member_id=subscription.member_id, period_id=period.id, now=now
        )


def record_failure(
    subscription: Subscription, period: Period, *, is_final: bool, now: datetime
) -> None:
    """Count a failed attempt: the plan is past due, and is tried again or lapses.

    Grants nothing. A subscription that was to be cancelled at its end, ends there instead.
    """
    period.attempts += 1
    if subscription.cancel_at_end:
        end(subscription, period, ended_at=period.starts_at, now=now)
        return
    period.retry_at = policy.next_attempt_at(
        attempts=period.attempts,
        dunning_days=plan_of(subscription.offer_version_id).schedule.dunning_days,
        is_final=is_final,
        failed_at=now,
        lapses_at=period.lapses_at,
    )
    subscription.status = "past_due"
    subscription.due_at = next_look_at(period)


def retry_at_once(subscription: Subscription, period: Period, *, now: datetime) -> None:
    """Try a period that is due now, whatever the schedule says."""
    if subscription.ended_at is None:
        period.lapses_at = max(period.lapses_at, now)
        period.retry_at = subscription.due_at = now


def next_look_at(period: Period) -> datetime:
    """When something must be done about an unpaid period: the next attempt, or the lapse."""
    return period.retry_at or period.lapses_at


def end(
    subscription: Subscription, unpaid: Period | None, *, ended_at: datetime, now: datetime
) -> None:
    """The member's cancelling takes effect. A period that is due is not charged any more."""
    _stop(subscription, "cancelled", ended_at)
    if unpaid is not None:
        give_up_payment(subscription, unpaid, now=now)
        _close(unpaid, "unpaid")


def lapse(subscription: Subscription, unpaid: Period, *, now: datetime) -> None:
    """Nothing more is tried: the plan ends, its last period unpaid."""
    _stop(subscription, "lapsed", now)
    give_up_payment(subscription, unpaid, now=now)
    _close(unpaid, "unpaid")


def give_up_payment(subscription: Subscription, period: Period, *, now: datetime) -> None:
    """Have the open payment of a period cancelled at the provider: its money is not wanted."""
    if period.payment_id is not None:
        outbox.emit(
            GIVEN_UP, member_id=subscription.member_id, payment_id=period.payment_id, now=now
        )


def _grant(
    subscription: Subscription, period: Period, order_item_id: UUID | None, *, sold_at: datetime
) -> None:
    """Issue the cups of a paid period, which end with it, and owe the invoice. Locks the wallet."""
    version = plan_of(subscription.offer_version_id).version
    sold_on = chain.local_date(subscription.store_id, sold_at)
    taxed = vouchers.price_of(version, on=sold_on)
    vouchers.issue_lot(
        member_id=subscription.member_id,
        offer_version_id=version.id,
        store_id=subscription.store_id,
        source="period",
        source_id=period.id,
        order_item_id=order_item_id,
        account=books.PLANS,
        net=taxed.net,
        vat=taxed.vat,
        sold_at=sold_at,
        ends_at=period.ends_at,
    )
    if version.vat_timing == "sale":
        line = InvoiceLine(
            version.name, 1, version.price, taxed.net, taxed.vat, vat_code=version.vat_code
        )
        _invoice(subscription, period, line, version.currency, sold_at=sold_at)


def _invoice(
    subscription: Subscription, period: Period, line: InvoiceLine, currency: str, *,
    sold_at: datetime,
) -> None:  # fmt: skip
    """Owe the invoice of a paid period, to whom the order that began the plan named."""
    invoicing.issue(
        member_id=subscription.member_id,
        store_id=subscription.store_id,
        source="period",
        source_id=period.id,
        currency=currency,
        lines=[line],
        buyer=vouchers.buyer_of_item(subscription.order_item_id),
        sold_at=sold_at,
        now=sold_at,
    )


def _stop(subscription: Subscription, status: str, ended_at: datetime) -> None:
    subscription.status = status
    subscription.due_at = None
    subscription.leased_until = None
    subscription.ended_at = ended_at


def _close(period: Period, status: str) -> None:
    period.status = status
    period.payment_id = period.asked_at = period.retry_at = None
