"""A plan begins with a period that somebody has paid for before: a gift, or one's own provision."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import null

import chain
import members
import payments
import vouchers
from chain.policy import local_day
from kernel.db import db
from kernel.ids import new_id
from subs import policy
from subs.models import Period, Subscription
from subs.policy import Every, Span
from subs.prepaid_errors import NothingPrepaid
from subs.queries import Standing, get_standing
from subs.service import history, migration
from subs.service.benefits import Settled, grant_all
from subs.service.rows import Plan, plan_of
from vouchers.service.order import refuse_foreign_law
from vouchers.slices import Prepaid


def start_prepaid(
    *,
    member_id: UUID,
    offer_id: UUID,
    channel: str = "app",
    store_id: UUID | None = None,
    card_id: UUID | None = None,
    payment_method: str | None = None,
    now: datetime,
) -> Standing:
    """Begin a plan now, on the terms that its periods were paid for, without a trial.

    The periods that follow are taken from the wallet too, as long as any are left; then the card
    is charged, or the plan is over where none was left. A saved card is named by its id, or by the
    provider's reference of it. With `store_id` it is signed up at that store, which sells what is
    charged later; else where its periods were sold. In the caller's transaction; takes the wallet's
    lock.

    Raises:
        NothingPrepaid: the member holds no such period, or it is frozen.
        NotFound: the member has no such saved card, or there is no such store.
        StoreNotSelling: the store is not under the law that the plan was made for.
    """
    prepaid = vouchers.take_prepaid(member_id=member_id, offer_id=offer_id)
    if prepaid is None:
        raise NothingPrepaid(offer_id=str(offer_id))
    plan = plan_of(prepaid.lot.offer_version_id)
    begun = _subscription(prepaid, plan, channel, now)
    begun.card_id = _card(member_id, card_id, payment_method)
    if store_id is not None:
        begun.store_id = _seller(store_id, plan, now)
    period = _period(begun, _span(plan, begun.time_zone, now), prepaid, plan)
    for row in (begun, period):
        db.session.add(row)
        db.session.flush()
    history.begin(begun, "active", cause="gift_started", at=now, channel=channel)
    migration.tell_newcomers([begun], now=now)
    grant_all([Settled(begun, period, plan, now, prepaid=prepaid)], now=now)
    return get_standing(member_id=member_id, subscription_id=begun.id)


def _card(member_id: UUID, card_id: UUID | None, payment_method: str | None) -> UUID | None:
    if card_id is not None:
        return payments.get_card(member_id=member_id, card_id=card_id).id
    if payment_method is not None:
        named = payments.get_card_named(member_id=member_id, payment_method=payment_method)
        return named.id
    return None


def _seller(store_id: UUID, plan: Plan, now: datetime) -> UUID:
    store = chain.get_store(store_id)
    terms = {plan.version.offer_id: plan.version}
    refuse_foreign_law(terms, store, local_day(now, time_zone=store.time_zone))
    return store.id


def _subscription(prepaid: Prepaid, plan: Plan, channel: str, now: datetime) -> Subscription:
    """Sold where the periods were. It has no ordinal: one line of an order may begin several."""
    lot = prepaid.lot
    assert lot.order_item_id is not None  # all prepaid periods are of an order
    time_zone = members.time_zone_of(lot.member_id)
    return Subscription(
        id=new_id(),
        member_id=lot.member_id,
        offer_version_id=lot.offer_version_id,
        order_item_id=lot.order_item_id,
        ordinal=null(),  # None would become the column's default
        store_id=lot.store_id,
        channel=channel,
        status="active",
        anchor_at=now,
        anchor_number=1,
        time_zone=time_zone,
        due_at=_span(plan, time_zone, now).ends_at,
        started_at=now,
    )


def _period(subscription: Subscription, span: Span, prepaid: Prepaid, plan: Plan) -> Period:
    part = prepaid.part
    return Period(
        id=new_id(),
        subscription_id=subscription.id,
        number=1,
        offer_version_id=subscription.offer_version_id,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        status="paid",
        price=part.gross,
        net=part.net,
        vat=part.vat,
        attempts=1,
        lapses_at=span.starts_at + timedelta(days=plan.schedule.grace_days),
        paid_at=span.starts_at,
    )


def _span(plan: Plan, time_zone: str, now: datetime) -> Span:
    every = Every(plan.schedule.every_count, plan.schedule.every_unit)
    return policy.period_span(anchor_at=now, time_zone=time_zone, every=every, number=1)
