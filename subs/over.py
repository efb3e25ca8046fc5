"""Which plans of a member are over, for who counts what one member may buy."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import func, select

from kernel.db import db
from subs.models import Subscription
from vouchers.buying_limits import knows_what_is_over
from vouchers.models import OfferVersion, OrderItem


@knows_what_is_over
def ended_plans(member_id: UUID, offer_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """How many subscriptions to each of these plans a member bought, that have ended."""
    ended = (
        select(OfferVersion.offer_id, func.count())
        .join(OrderItem, OrderItem.offer_version_id == OfferVersion.id)
        .join(Subscription, Subscription.order_item_id == OrderItem.id)
        .where(
            Subscription.member_id == member_id,
            OfferVersion.offer_id.in_(offer_ids),
            Subscription.ended_at.is_not(None),
            OrderItem.gift_periods.is_(None),
        )
        .group_by(OfferVersion.offer_id)
    )
    return {offer_id: int(count) for offer_id, count in db.session.execute(ended)}
