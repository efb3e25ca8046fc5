"""Which plans a member has, for who counts what one member may buy."""

from collections import Counter
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, select
from sqlalchemy.orm import aliased

from kernel.db import db
from subs.models import PlanChange, Subscription
from vouchers.buying_limits import knows_what_is_over
from vouchers.models import OfferVersion, OrderItem


@knows_what_is_over
def ended_plans(member_id: UUID, offer_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """How many subscriptions to each of these plans a member bought, and has no more.

    They have ended, or are to another plan now. Who came to a plan by a change, also by one that is
    to come or waits to be paid, has one that they did not buy: it is taken off.
    """
    over: Counter[UUID] = Counter()
    for row in db.session.execute(_offers().where(Subscription.member_id == member_id)):
        has = _has(row)
        if row.gift_periods is None and row.bought not in has:
            over[row.bought] += 1
        over.subtract(has - {row.bought})
    return {offer_id: over[offer_id] for offer_id in offer_ids}


def has_plan(subscription: Subscription, offer_id: UUID) -> bool:
    """Whether a subscription is to a plan, or will be by a change that was asked for."""
    mine = _offers().where(Subscription.id == subscription.id)
    return offer_id in _has(db.session.execute(mine).one())


def _has(row: Row[Any]) -> set[UUID]:
    if row.ended_at is not None:
        return set()
    return {one for one in (row.present, row.planned, row.asked) if one is not None}


@cache  # putting it together takes longer than its answer
def _offers() -> Any:
    """Of each subscription the plan that was bought, the present one, and what it changes to."""
    bought, present, planned, asked = (aliased(OfferVersion) for _ in range(4))
    is_asked = and_(PlanChange.subscription_id == Subscription.id, PlanChange.status == "asked")
    return (
        select(
            Subscription.ended_at,
            OrderItem.gift_periods,
            bought.offer_id.label("bought"),
            present.offer_id.label("present"),
            planned.offer_id.label("planned"),
            asked.offer_id.label("asked"),
        )
        .join(OrderItem, OrderItem.id == Subscription.order_item_id)
        .join(bought, bought.id == OrderItem.offer_version_id)
        .join(present, present.id == Subscription.offer_version_id)
        .join(planned, planned.id == Subscription.next_version_id, isouter=True)
        .join(PlanChange, is_asked, isouter=True)
        .join(asked, asked.id == PlanChange.to_version_id, isouter=True)
    )
