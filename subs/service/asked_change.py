"""A change of plan that waits to be paid: there is at most one of a subscription."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from kernel import outbox
from kernel.db import db
from subs.models import PlanChange, Subscription
from subs.service import history
from subs.service.ending import GIVEN_UP


def find(subscription_id: UUID) -> PlanChange | None:
    """The change that waits to be paid, as it is now."""
    asked = select(PlanChange).where(
        PlanChange.subscription_id == subscription_id, PlanChange.status == "asked"
    )
    return db.session.scalar(asked.execution_options(populate_existing=True))


def give_up(subscription: Subscription, *, cause: str = "change_withdrawn", now: datetime) -> bool:
    """Give up the change that waits, if one does, under the subscription's lock, for this cause.

    Its payment is cancelled at the provider; should its money come all the same, it goes back.
    """
    change = find(subscription.id)
    if change is None:
        return False
    fail(change, now=now)
    outbox.emit(GIVEN_UP, member_id=subscription.member_id, payment_id=change.payment_id, now=now)
    history.remark(subscription, cause, at=now, **facts_of(change))
    return True


def fail(change: PlanChange, *, now: datetime) -> None:
    """The change is not made: it was not paid, or is not wanted any more."""
    change.status, change.settled_at = "failed", now
    db.session.flush()


def facts_of(change: PlanChange) -> dict[str, Any]:
    """What the history says of a change."""
    return {
        "change_id": str(change.id),
        "from": str(change.from_version_id),
        "to": str(change.to_version_id),
        "amount": change.amount,
    }
