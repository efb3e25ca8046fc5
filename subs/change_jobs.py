"""What happens to changes of plan without anybody asking."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select

import vouchers
from kernel import clock, queue
from kernel.db import db
from kernel.outbox import subscriber
from kernel.queue import Duty
from kernel.transaction import again, transaction
from subs.models import PlanChange, Subscription
from subs.service import asked_change, change
from subs.service.change import GOOD_FOR
from subs.service.money_back import PURPOSE
from subs.service.rows import lock

_BATCH = 100
_A_MOMENT = timedelta(milliseconds=1)


def changes_too_old(now: datetime) -> Select[UUID]:
    """The changes that were not paid in time."""
    return select(PlanChange.id).where(
        PlanChange.status == "asked", PlanChange.asked_at + GOOD_FOR <= now
    )


def _moments(member_id: ColumnElement[UUID]) -> Select[Any]:
    """A moment after their time is over, when they are found."""
    theirs = select(PlanChange.asked_at + GOOD_FOR + _A_MOMENT)
    mine = theirs.join(Subscription, Subscription.id == PlanChange.subscription_id)
    return mine.where(Subscription.member_id == member_id, PlanChange.status == "asked")


DUTY = Duty("subs.change_jobs.give_up_old", "billing", changes_too_old, _moments)

DUTIES = [DUTY]


def give_up_old() -> None:
    """Give up changes that their members have left unpaid for a day. The RQ job."""
    queue.begun(DUTY.job)
    while again(_give_up_some):
        pass


def _give_up_some() -> int:
    now = clock.now()
    with transaction():
        old = changes_too_old(now).with_only_columns(PlanChange.subscription_id)
        if (whose := clock.whose()) is not None:
            old = old.where(PlanChange.subscription_id.in_(_of(whose)))
        ids = db.session.scalars(old.order_by(PlanChange.subscription_id).limit(_BATCH)).all()
        for subscription_id in ids:
            asked_change.give_up(lock(subscription_id), cause="change_not_paid", now=now)
        return len(ids)


def _of(member_id: UUID) -> Select[UUID]:
    return select(Subscription.id).where(Subscription.member_id == member_id)


@subscriber(f"{PURPOSE}.paid")
def complete_change(*, payment_id: str, purpose_id: str, now: datetime) -> None:
    """A change was paid: it is made."""
    change.complete(change_id=UUID(purpose_id), payment_id=UUID(payment_id), now=now)


@subscriber(f"{PURPOSE}.payment_failed")
def fail_change(*, payment_id: str, purpose_id: str, now: datetime, **_: object) -> None:
    """A change was not paid: nothing changes, and its member is told."""
    change.give_up_unpaid(
        change_id=UUID(purpose_id), payment_id=UUID(payment_id), is_told=True, now=now
    )


@subscriber(f"{PURPOSE}.dispute")
def follow_dispute(*, dispute_id: str, now: datetime, **_: object) -> None:
    """A bank disputes the payment of a change, or has decided: so it is with its cups."""
    vouchers.follow_dispute(dispute_id=UUID(dispute_id), now=now)
