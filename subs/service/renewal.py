"""Subscriptions that are due: who takes them up, and what is to be done about each.

Several workers may look at once. A claim locks the rows and leases them: `due_at` goes a little
ahead, and `leased_until` with it. In the same transaction it is decided what is due, and what is
to be charged is written down with the payment's own key. So if the worker dies, before the charge
or after it, the subscription is found again and the same payment is asked for again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Uuid,
    bindparam,
    column,
    func,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from kernel.db import db
from kernel.queue import Duty
from payments.models import Payment
from payments.policy import OPEN
from subs.models import Period, Subscription
from subs.service.rows import Plan, plans_of
from vouchers.expiry_statements import KEEP_TO_KEYS

PURPOSE = "subscription_period"

LEASE = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Claim:
    """A lease on a subscription. Its end tells it from every other lease on the same one."""

    subscription_id: UUID
    leased_until: datetime


class Case(NamedTuple):
    """A subscription that is locked and due, its newest period, and how that is being paid.

    `plan` are the terms of the subscription, which the newest period need not be of; `attempts`,
    the attempts to be paid for a period that is due, in their order.
    """

    subscription: Subscription
    newest: Period
    plan: Plan
    attempts: Sequence[Payment]

    @property
    def unpaid(self) -> Period | None:
        """The newest period, where it is due."""
        return self.newest if self.newest.status == "due" else None

    @property
    def is_paid(self) -> bool:
        """Whether the money for it has come, though nobody has heard of that yet."""
        return any(one.status == "succeeded" for one in self.attempts)

    @property
    def is_unheard(self) -> bool:
        """Whether its payment has come to an end of which nobody has heard yet."""
        return self.newest.asked_at is None and any(
            one.id == self.newest.payment_id and one.status not in OPEN for one in self.attempts
        )

    @property
    def waiting(self) -> Payment | None:
        """The payment of it that waits for its holder."""
        if self.newest.asked_at is None:
            return None
        return next(
            (
                one
                for one in self.attempts
                if one.id == self.newest.payment_id and one.status == "requires_action"
            ),
            None,
        )


def subscriptions_due(now: datetime) -> Select[UUID]:
    """The subscriptions about which something must be done."""
    return select(Subscription.id).where(Subscription.due_at <= now)


def moments_of(member_id: ColumnElement[UUID]) -> Select[Any]:
    """When something must be done about a member's subscriptions."""
    mine = (Subscription.member_id == member_id, Subscription.due_at.is_not(None))
    return select(Subscription.due_at).where(*mine)


DUTY = Duty("subs.jobs.renew_due", "billing", subscriptions_due, moments_of)

_FREE = or_(Subscription.leased_until.is_(None), Subscription.leased_until <= bindparam("now"))


def _leasing(*mine: ColumnElement[bool]) -> Any:
    due = (
        select(Subscription.id)
        .where(Subscription.due_at <= bindparam("now"), _FREE, *mine)
        .order_by(Subscription.due_at)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True)
        .cte("due")
        .prefix_with("MATERIALIZED")
    )
    return (
        update(Subscription)
        .where(Subscription.id.in_(select(due.c.id)))
        .values(leased_until=bindparam("until"), due_at=bindparam("until"))
        .returning(Subscription.id)
        .execution_options(synchronize_session=False)
    )


_LEASE, _LEASE_OF_ONE = _leasing(), _leasing(Subscription.member_id == bindparam("whose"))


_KEEP_TO_KEYS = text(KEEP_TO_KEYS)


def claim(*, limit: int, now: datetime, whose: UUID | None = None) -> list[Claim]:
    """Lock and lease the subscriptions that have been due the longest and that nobody else has.

    With `whose`, only that member's.
    """
    keep_to_keys()
    until = now + LEASE
    asked = {"now": now, "until": until, "limit": limit}
    if whose is None:
        leased = db.session.scalars(_LEASE, asked)
    else:
        leased = db.session.scalars(_LEASE_OF_ONE, {**asked, "whose": whose})
    return [Claim(subscription_id, until) for subscription_id in leased]


def keep_to_keys() -> None:
    """Let the open transaction look up its hundreds by their keys, whatever statistics say."""
    db.session.execute(_KEEP_TO_KEYS)


def still_ours(claims: Sequence[Claim]) -> list[Claim]:
    """Lock subscriptions again that were claimed, unless the lease ran out and another has one."""
    theirs = (
        select(Subscription.id, Subscription.leased_until)
        .where(Subscription.id.in_([one.subscription_id for one in claims]))
        .order_by(Subscription.id)
        .with_for_update()
    )
    leased = {one.id: one.leased_until for one in db.session.execute(theirs)}
    return [one for one in claims if leased[one.subscription_id] == one.leased_until]


def locked(subscription_ids: Sequence[UUID]) -> Sequence[Subscription]:
    """Read subscriptions that the open transaction has locked."""
    theirs = select(Subscription).where(Subscription.id.in_(subscription_ids))
    return db.session.scalars(theirs.execution_options(populate_existing=True)).all()


def cases_of(found: Sequence[Subscription]) -> list[Case]:
    """What is known of locked subscriptions. The number of statements does not grow with them."""
    newest = {period.subscription_id: period for period in _newest([one.id for one in found])}
    plans = plans_of(one.offer_version_id for one in found)
    attempts: dict[UUID, list[Payment]] = {}
    due = [period.id for period in newest.values() if period.status == "due"]
    for payment in _attempts(due):
        attempts.setdefault(payment.purpose_id, []).append(payment)
    return [
        Case(one, newest[one.id], plans[one.offer_version_id], attempts.get(newest[one.id].id, ()))
        for one in found
    ]


_OF = (
    func.unnest(bindparam("ids", type_=ARRAY(Uuid)))
    .table_valued(column("id", Uuid), name="of")
    .render_derived()
)
_LAST = (
    select(Period)
    .where(Period.subscription_id == _OF.c.id)
    .order_by(Period.number.desc())
    .limit(1)
    .lateral("last")
)
_LAST_PERIOD = aliased(Period, _LAST)
_NEWEST = (
    select(_LAST_PERIOD)
    .select_from(_OF)
    .join(_LAST_PERIOD, true())
    .execution_options(populate_existing=True)
)


def _newest(subscription_ids: Sequence[UUID]) -> Sequence[Period]:
    """The last periods that were made: paid ones, or those that are due."""
    return db.session.scalars(_NEWEST, {"ids": list(subscription_ids)}).all()


def _attempts(period_ids: Sequence[UUID]) -> Sequence[Payment]:
    if not period_ids:
        return ()
    theirs = select(Payment).where(Payment.purpose == PURPOSE, Payment.purpose_id.in_(period_ids))
    ordered = theirs.order_by(Payment.purpose_id, Payment.attempt)
    return db.session.scalars(ordered.execution_options(populate_existing=True)).all()
