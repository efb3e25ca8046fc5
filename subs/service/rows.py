"""The rows that every verb of the room starts from. The subscription's row is the lock."""

from collections.abc import Iterable, Sequence
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


class Renewing(NamedTuple):
    """A locked subscription, one of its periods, and the terms of that period."""

    subscription: Subscription
    period: Period
    plan: Plan


def plan_of(offer_version_id: UUID) -> Plan:
    """The terms of a plan; they never change once sold."""
    return plans_of([offer_version_id])[offer_version_id]


def plans_of(offer_version_ids: Iterable[UUID]) -> dict[UUID, Plan]:
    """The terms of plans, by their versions' ids."""
    wanted = _PLANS.where(OfferVersion.id.in_(set(offer_version_ids)))
    found = db.session.execute(wanted)
    return {version.id: Plan(version, schedule) for version, schedule in found}


_PLANS = select(OfferVersion, PlanSchedule).join(
    PlanSchedule, PlanSchedule.offer_version_id == OfferVersion.id
)


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


def lock_of_periods(period_ids: Sequence[UUID]) -> dict[UUID, Renewing]:
    """Lock the subscriptions of periods, by their ids, then read the periods under those locks."""
    owners = select(Period.subscription_id).where(Period.id.in_(period_ids))
    locked = db.session.scalars(
        select(Subscription)
        .where(Subscription.id.in_(owners))
        .order_by(Subscription.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    subscriptions = {one.id: one for one in locked}
    read = select(Period).where(Period.id.in_(period_ids))
    periods = db.session.scalars(read.execution_options(populate_existing=True)).all()
    plans = plans_of(period.offer_version_id for period in periods)
    return {
        period.id: Renewing(
            subscriptions[period.subscription_id], period, plans[period.offer_version_id]
        )
        for period in periods
    }


def newest_period(subscription_id: UUID) -> Period:
    """The last period that was made: a paid one, or the one that is due."""
    theirs = select(Period).where(Period.subscription_id == subscription_id)
    return db.session.scalars(theirs.order_by(Period.number.desc()).limit(1)).one()


def new_period(
    subscription: Subscription, plan: Plan, *, number: int, price: int, now: datetime
) -> Period:
    """A period, due at once, that is not written yet. Its dates come from the anchor."""
    schedule = plan.schedule
    span = policy.period_span(
        anchor_at=subscription.anchor_at,
        anchor_number=subscription.anchor_number,
        time_zone=subscription.time_zone,
        every=policy.Every(schedule.every_count, schedule.every_unit),
        number=number,
    )
    return Period(
        id=new_id(),
        subscription_id=subscription.id,
        number=number,
        offer_version_id=plan.version.id,
        price=price,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        status="due",
        attempts=0,
        retry_at=now,
        lapses_at=policy.lapse_limit(
            starts_at=span.starts_at, now=now, grace_days=schedule.grace_days
        ),
    )


def add_period(
    subscription: Subscription,
    plan: Plan,
    *,
    number: int,
    price: int | None = None,
    now: datetime,
) -> Period:
    """Make a period, due at once, wherever `now` is."""
    costs = plan.version.price if price is None else price
    period = new_period(subscription, plan, number=number, price=costs, now=now)
    db.session.add(period)
    db.session.flush()
    return period


def _one(subscription_id: UUID) -> Select[Subscription]:
    return select(Subscription).where(Subscription.id == subscription_id)
