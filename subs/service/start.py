"""Paid plans begin, with their first period or with their trial."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

import members
import payments
import vouchers
from kernel.db import db
from kernel.ids import new_id
from kernel.money import Taxed
from subs import notices, policy
from subs.models import Period, Subscription
from subs.policy import Every, Span
from subs.service import history, migration
from subs.service.benefits import Settled, grant_all
from subs.service.rows import Plan, plans_of
from vouchers.models import Order, OrderItem
from vouchers.policy import PURPOSE as ORDER


@dataclass(frozen=True, slots=True)
class _Sale:
    """A line of a paid order, and what every subscription that it begins has in common."""

    order: Order
    item: OrderItem
    plan: Plan
    paid_at: datetime
    time_zone: str
    card_id: UUID | None

    @property
    def is_trial(self) -> bool:
        """What the line cost says it, where the plan has a trial."""
        has_trial = self.plan.schedule.trial_days is not None
        return has_trial and vouchers.is_introduced(self.item, self.plan.version)

    @property
    def price(self) -> Taxed:
        """What was paid for one; VAT was taken out of each single one."""
        item = self.item
        return Taxed(net=item.net // item.quantity, vat=item.vat // item.quantity)

    @property
    def span(self) -> Span:
        """From the moment it was paid, by the wall clock of the member: a trial, or an interval."""
        schedule = self.plan.schedule
        every = Every(schedule.every_count, schedule.every_unit)
        if self.is_trial and schedule.trial_days is not None:
            every = Every(schedule.trial_days, "day")
        return policy.period_span(
            anchor_at=self.paid_at, time_zone=self.time_zone, every=every, number=1
        )


def start(*, order_item_id: UUID, paid_at: datetime) -> list[Subscription]:
    """Begin the subscriptions of one order item, as `start_all` does."""
    return start_all({order_item_id: paid_at}, now=paid_at)


def start_all(paid_at: Mapping[UUID, datetime], *, now: datetime) -> list[Subscription]:
    """Begin the subscriptions that order items paid for, one for each of their quantity.

    What a line cost says whether it is a trial, or the first period at an introductory price or at
    the price; its cups are in the wallet. The card that paid, or that was left where nothing was to
    be paid, renews them. They begin when they were paid, however late that is heard. Those that
    have begun before are left alone, so it may be repeated. Locks the wallets.
    """
    sales = _sales(paid_at)
    begun = _begun(sales)
    beginning = [
        (sale, _subscription(sale, ordinal))
        for sale in sales
        for ordinal in range(1, sale.item.quantity + 1)
        if (sale.item.id, ordinal) not in begun
    ]
    periods = [_period(sale, one) for sale, one in beginning]
    db.session.add_all([one for _, one in beginning])
    db.session.flush()
    db.session.add_all(periods)
    for sale in sales:
        sale.order.card_id = None  # the subscriptions have it now, and may be given another
    db.session.flush()
    _tell(beginning, now=now)
    settled = [
        Settled(one, period, sale.plan, sale.paid_at, order_item_id=sale.item.id)
        for (sale, one), period in zip(beginning, periods, strict=True)
    ]
    grant_all(settled, now=now)
    return [one for _, one in beginning]


def _sales(paid_at: Mapping[UUID, datetime]) -> list[_Sale]:
    rows = db.session.execute(
        select(OrderItem, Order)
        .join(Order, Order.id == OrderItem.order_id)
        .where(OrderItem.id.in_(paid_at))
        .order_by(OrderItem.id)
    ).all()
    plans = plans_of(item.offer_version_id for item, _ in rows)
    zones = members.time_zones_of([order.member_id for _, order in rows])
    cards = payments.cards_of(purpose=ORDER, purpose_ids=[order.id for _, order in rows])
    return [
        _Sale(
            order=order,
            item=item,
            plan=plans[item.offer_version_id],
            paid_at=paid_at[item.id],
            time_zone=zones[order.member_id],
            card_id=order.card_id or cards.get(order.id),
        )
        for item, order in rows
    ]


def _begun(sales: Sequence[_Sale]) -> set[tuple[UUID, int | None]]:
    theirs = select(Subscription.order_item_id, Subscription.ordinal).where(
        Subscription.order_item_id.in_([sale.item.id for sale in sales])
    )
    return {(item_id, ordinal) for item_id, ordinal in db.session.execute(theirs)}


def _subscription(sale: _Sale, ordinal: int) -> Subscription:
    order, span = sale.order, sale.span
    return Subscription(
        id=new_id(),
        member_id=order.member_id,
        offer_version_id=sale.item.offer_version_id,
        order_item_id=sale.item.id,
        ordinal=ordinal,
        store_id=order.store_id,
        channel=order.channel,
        card_id=sale.card_id,
        status="trialing" if sale.is_trial else "active",
        anchor_at=span.ends_at if sale.is_trial else span.starts_at,
        anchor_number=1,
        time_zone=sale.time_zone,
        due_at=policy.next_renewal_at(
            ends_at=span.ends_at, charged_at=sale.paid_at, time_zone=sale.time_zone
        ),
        started_at=sale.paid_at,
    )


def _period(sale: _Sale, subscription: Subscription) -> Period:
    """The trial, or the first period: paid by the order."""
    span, price = sale.span, sale.price
    return Period(
        id=new_id(),
        subscription_id=subscription.id,
        number=0 if sale.is_trial else 1,
        offer_version_id=subscription.offer_version_id,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        status="paid",
        price=price.net + price.vat,
        net=price.net,
        vat=price.vat,
        attempts=1,
        lapses_at=span.starts_at + timedelta(days=sale.plan.schedule.grace_days),
        paid_at=sale.paid_at,
    )


def _tell(beginning: Sequence[tuple[_Sale, Subscription]], *, now: datetime) -> None:
    """Write the beginnings into the history, and promise what their members are to be told."""
    history.write(
        history.begun(
            one,
            cause="trial_started" if sale.is_trial else "started",
            at=sale.paid_at,
            channel=one.channel,
        )
        for sale, one in beginning
    )
    for sale, one in beginning:
        if sale.is_trial:
            notices.promise_trial_end(one.id, ends_at=sale.span.ends_at, now=now)
    migration.tell_newcomers([one for _, one in beginning], now=now)
