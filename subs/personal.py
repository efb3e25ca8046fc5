"""What this room holds about a member."""

from uuid import UUID

from sqlalchemy import select

from members.holding import Rows, holds, rows_of
from subs.models import Period, Subscription
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
            Subscription.cancel_at_end,
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
            Period.attempts,
            Period.paid_at,
        )
        .join(Subscription, Subscription.id == Period.subscription_id)
        .where(Subscription.member_id == member_id)
        .order_by(Subscription.id, Period.number)
    )
