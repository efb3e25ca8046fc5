"""The rows that every verb of the room starts from. The subscription's row is the lock."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, select

from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from subs import policy
from subs.models import Period, PlanSchedule, Subscription
from vouchers.models import OfferVersion


class Plan(NamedTuple):
    """The terms that a subscription was sold on."""

    version: OfferVersion
    schedule: PlanSchedule


def plan_of(offer_version_id: UUID) -> Plan:
    """The terms of a plan; they never change once sold."""
    found = db.session.execute(
        select(OfferVersion, PlanSchedule)
        .join(PlanSchedule, PlanSchedule.offer_version_id == OfferVersion.id)
        .where(OfferVersion.id == offer_version_id)
    ).one()
    return Plan(*found)


def lock_own(*, member_id: UUID, subscription_id: UUID) -> Subscription:
    """Lock a member's subscription.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    mine = _one(subscription_id).where(Subscription.member_id == member_id)
    found = db.session.scalar(mine.with_for_update())
    if found is None:
        raise NotFound
    return found


def lock(subscription_id: UUID) -> Subscription:
    """Lock a subscription that is known to be there."""
    return db.session.scalars(_one(subscription_id).with_for_update()).one()


def lock_of_period(period_id: UUID) -> tuple[Subscription, Period]:
    """Lock the subscription of a period, then read the period as it is under that lock."""
    owner = select(Period.subscription_id).where(Period.id == period_id)
    subscription = lock(db.session.scalars(owner).one())
    return subscription, db.session.get_one(Period, period_id)


def newest_period(subscription_id: UUID) -> Period:
    """The last period that was made: a paid one, or the one that is due."""
    theirs = select(Period).where(Period.subscription_id == subscription_id)
    return db.session.scalars(theirs.order_by(Period.number.desc()).limit(1)).one()


def add_period(subscription: Subscription, plan: Plan, *, number: int, now: datetime) -> Period:
    """Make a period, due at once. Its dates come from the anchor, wherever `now` is."""
    schedule = plan.schedule
    span = policy.period_span(
        anchor_at=subscription.anchor_at,
        time_zone=subscription.time_zone,
        every=policy.Every(schedule.every_count, schedule.every_unit),
        number=number,
    )
    period = Period(
        id=new_id(),
        subscription_id=subscription.id,
        number=number,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        status="due",
        attempts=0,
        retry_at=now,
        lapses_at=policy.lapse_limit(
            starts_at=span.starts_at, now=now, grace_days=schedule.grace_days
        ),
    )
    db.session.add(period)
    db.session.flush()
    return period


def _one(subscription_id: UUID) -> Select[Subscription]:
    return select(Subscription).where(Subscription.id == subscription_id)
