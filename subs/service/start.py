"""A paid plan begins."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

import members
import payments
from kernel.db import db
from kernel.ids import new_id
from subs.models import Subscription
from subs.service.outcome import settle
from subs.service.rows import Plan, add_period, plan_of
from vouchers.models import Order, OrderItem
from vouchers.policy import PURPOSE as ORDER


def start(*, order_item_id: UUID, paid_at: datetime) -> list[Subscription]:
    """Begin the subscriptions that an order item paid for, one for each of its quantity.

    Their first period is paid and its cups are in the wallet; the card that paid renews them.
    Those that have begun before are left alone, so it may be repeated.
    """
    item = db.session.get_one(OrderItem, order_item_id)
    order = db.session.get_one(Order, item.order_id)
    plan = plan_of(item.offer_version_id)
    theirs = select(Subscription.ordinal).where(Subscription.order_item_id == item.id)
    begun = set(db.session.scalars(theirs))
    return [
        _begin(order, item, plan, ordinal=ordinal, paid_at=paid_at)
        for ordinal in range(1, item.quantity + 1)
        if ordinal not in begun
    ]


def _begin(
    order: Order, item: OrderItem, plan: Plan, *, ordinal: int, paid_at: datetime
) -> Subscription:
    subscription = Subscription(
        id=new_id(),
        member_id=order.member_id,
        offer_version_id=item.offer_version_id,
        order_item_id=item.id,
        ordinal=ordinal,
        store_id=order.store_id,
        card_id=payments.card_of(purpose=ORDER, purpose_id=order.id),
        anchor_at=paid_at,
        time_zone=members.time_zone_of(order.member_id),
        due_at=paid_at,
        started_at=paid_at,
    )
    db.session.add(subscription)
    db.session.flush()
    period = add_period(subscription, plan, number=1, now=paid_at)
    settle(subscription, period, paid_at=paid_at, order_item_id=item.id)
    return subscription
