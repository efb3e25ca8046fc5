"""What this room holds about a member."""

from uuid import UUID

from sqlalchemy import select

from members.holding import Rows, holds, rows_of
from subs.models import Period, PlanChange, Sharer, Subscription, SubscriptionEvent
from vouchers.models import OfferVersion


@holds("subscriptions", tables=("subscription",))
def subscriptions(member_id: UUID) -> Rows:
    """Their plans."""
    return rows_of(
        select(
            Subscription.id,
            OfferVersion.name,
            Subscription.status,
            Subscription.card_id,
            Subscription.channel,
            Subscription.cancel_at_end,
            Subscription.cancel_reason,
            Subscription.pauses_at,
            Subscription.resumes_at,
            Subscription.started_at,
            Subscription.ended_at,
        )
        .join(OfferVersion, OfferVersion.id == Subscription.offer_version_id)
        .where(Subscription.member_id == member_id)
        .order_by(Subscription.id)
    )


@holds("periods", tables=("period",))
def periods(member_id: UUID) -> Rows:
    """Each interval of them, paid or not."""
    return rows_of(
        select(
            Period.id,
            Period.subscription_id,
            Period.number,
            Period.starts_at,
            Period.ends_at,
            Period.status,
            Period.price,
            Period.attempts,
            Period.paid_at,
        )
        .join(Subscription, Subscription.id == Period.subscription_id)
        .where(Subscription.member_id == member_id)
        .order_by(Subscription.id, Period.number)
    )


@holds("subscription_events", tables=("subscription_event",))
def subscription_events(member_id: UUID) -> Rows:
    """What happened to them, and why."""
    return rows_of(
        select(
            SubscriptionEvent.id,
            SubscriptionEvent.subscription_id,
            SubscriptionEvent.at,
            SubscriptionEvent.from_status,
            SubscriptionEvent.to_status,
            SubscriptionEvent.cause,
            SubscriptionEvent.facts,
        )
        .where(SubscriptionEvent.member_id == member_id)
        .order_by(SubscriptionEvent.id)
    )


@holds("shared_plans", tables=("sharer",))
def shared_plans(member_id: UUID) -> Rows:
    """The plans of others that they collect from, or did."""
    return rows_of(
        select(
            Sharer.id, Sharer.subscription_id, OfferVersion.name, Sharer.joined_at, Sharer.left_at
        )
        .join(Subscription, Subscription.id == Sharer.subscription_id)
        .join(OfferVersion, OfferVersion.id == Subscription.offer_version_id)
        .where(Sharer.member_id == member_id)
        .order_by(Sharer.id)
    )


@holds("plan_changes", tables=("plan_change",))
def plan_changes(member_id: UUID) -> Rows:
    """The changes from one plan to another within a period, made or not."""
    return rows_of(
        select(
            PlanChange.id,
            PlanChange.subscription_id,
            OfferVersion.name,
            PlanChange.status,
            PlanChange.amount,
            PlanChange.currency,
            PlanChange.asked_at,
            PlanChange.settled_at,
        )
        .join(OfferVersion, OfferVersion.id == PlanChange.to_version_id)
        .where(PlanChange.member_id == member_id)
        .order_by(PlanChange.id)
    )
