"""A plan whose payment a bank took back for good ends: its card is not charged once more."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select

import payments
from kernel.db import db
from payments import Payment
from subs.models import Period, PlanChange, Subscription
from subs.service import asked_change
from subs.service.benefits import PERIOD
from subs.service.consequences import Consequences
from subs.service.ending import dispute_in
from subs.service.money_back import PURPOSE
from subs.service.rows import newest_period
from vouchers.models import OrderItem
from vouchers.policy import PURPOSE as ORDER


def end_disputed(*, dispute_id: UUID, now: datetime) -> None:
    """End what its payer's bank does not pay for, at once and whatever its state.

    In the caller's transaction; locks the subscriptions by their ids. What is left of its cups is
    good until the end of what is paid. Only plans of whoever paid end: who was given periods did
    not ask the bank. If an appeal is won meanwhile the plan goes on; after this, it is the member's
    to begin it anew.
    """
    dispute = payments.get_dispute(dispute_id)
    payment = payments.get_payment(dispute.payment_id)
    found = Consequences()
    for subscription in _lock_paid_with(payment):
        if dispute.status == "lost":
            asked_change.give_up(subscription, now=now)
            newest = newest_period(subscription.id)
            unpaid = newest if newest.status == "due" else None
            dispute_in(found, subscription, unpaid, dispute_id=dispute_id, now=now)
    found.write(now=now)


def _lock_paid_with(payment: Payment) -> Sequence[Subscription]:
    """The plans of a payer that a payment was for, those that have not ended."""
    theirs = select(Subscription).where(
        Subscription.member_id == payment.member_id,
        Subscription.ended_at.is_(None),
        _is_of(payment),
    )
    locked = theirs.order_by(Subscription.id).with_for_update()
    return db.session.scalars(locked.execution_options(populate_existing=True)).all()


def _is_of(payment: Payment) -> ColumnElement[bool]:
    of = payment.purpose_id
    if payment.purpose == ORDER:
        items = select(OrderItem.id).where(OrderItem.order_id == of)
        return Subscription.order_item_id.in_(items)
    if payment.purpose == PERIOD:
        return Subscription.id.in_(select(Period.subscription_id).where(Period.id == of))
    if payment.purpose == PURPOSE:
        return Subscription.id.in_(select(PlanChange.subscription_id).where(PlanChange.id == of))
    return Subscription.id.in_([])
