"""The one place that changes a subscription's state, and writes down why."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from kernel.db import db, table_of
from kernel.ids import new_id
from subs import states
from subs.models import Subscription, SubscriptionEvent

Told = dict[str, Any]
"""A row of the history, to be written with others of its set. Its facts are plain JSON."""

_WRITE = insert(table_of(SubscriptionEvent))


def begin(subscription: Subscription, to: str, *, cause: str, at: datetime, **facts: Any) -> None:
    """A subscription begins in a state; its row is to be written by the caller, before."""
    subscription.status = to
    write([begun(subscription, cause=cause, at=at, **facts)])


def begun(subscription: Subscription, *, cause: str, at: datetime, **facts: Any) -> Told:
    """Answer the row of a beginning in the present state, the caller's to write with its set."""
    states.check(before=states.BEGINNING, after=subscription.status, cause=cause)
    return event(subscription, before=states.BEGINNING, cause=cause, at=at, facts=facts)


def move(subscription: Subscription, to: str, *, cause: str, at: datetime, **facts: Any) -> None:
    """Change the state of a locked subscription, with its cause. What is said is said once."""
    write([turned(subscription, to, cause=cause, at=at, **facts)])


def turned(subscription: Subscription, to: str, *, cause: str, at: datetime, **facts: Any) -> Told:
    """Change the state of a locked subscription; the row that says so is the caller's to write.

    For sets: collect the rows of all, and `write` them together.
    """
    before = subscription.status
    states.check(before=before, after=to, cause=cause)
    subscription.status = to
    return event(subscription, before=before, cause=cause, at=at, facts=facts)


def remark(subscription: Subscription, cause: str, *, at: datetime, **facts: Any) -> None:
    """Write down what happened to a subscription that stays in its state."""
    write([remarked(subscription, cause, at=at, **facts)])


def remarked(subscription: Subscription, cause: str, *, at: datetime, **facts: Any) -> Told:
    """Answer the row of a remark, which is the caller's to write with those of its set."""
    states.check_remark(cause)
    return event(subscription, before=subscription.status, cause=cause, at=at, facts=facts)


def event(
    subscription: Subscription,
    *,
    before: str | None,
    cause: str,
    at: datetime,
    facts: Mapping[str, Any],
) -> Told:
    """A row of the history, of a state that has been checked and is the present one."""
    return {
        "id": new_id(),
        "subscription_id": subscription.id,
        "member_id": subscription.member_id,
        "at": at,
        "from_status": before,
        "to_status": subscription.status,
        "cause": cause,
        "facts": dict(facts),
    }


def write(events: Iterable[Told]) -> None:
    """Add to the history, in one statement."""
    rows = list(events)
    if rows:
        db.session.execute(_WRITE, rows)
