"""Lives of subscriptions, written as the rows that renewal leaves behind: short to tell."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dateutil.relativedelta import relativedelta

from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from subs.models import Period, PlanChange, PlanSchedule, Subscription, SubscriptionEvent
from subs.statistics import counting
from tests.world import World
from vouchers.models import Order, OrderItem

MONTH = relativedelta(months=1)


@dataclass
class Lives:
    """A chain with plans, and whoever subscribes to them."""

    world: World
    prices: dict[str, int] = field(default_factory=dict)

    def add_plan(
        self, code: str = "monthly", *, every: str = "month", price: int = 525, **terms: Any
    ) -> None:
        """A plan; its price is VAT included, so that 525 is 500 without."""
        version_id = self.world.add_offer(
            code, kind="plan", price=price, cups=10, bonus_cups=0, expiry_mode="lapse"
        )
        schedule = {"every_count": 1, "grace_days": 28, "dunning_days": [2, 5, 7, 7], **terms}
        with transaction():
            db.session.add(PlanSchedule(offer_version_id=version_id, every_unit=every, **schedule))
        self.prices[code] = price

    def version(self, code: str) -> UUID:
        return self.world.offers[code][1]

    def begin(
        self,
        code: str = "monthly",
        *,
        at: datetime,
        member_id: UUID | None = None,
        store: str = "W",
        channel: str = "app",
        trial_until: datetime | None = None,
    ) -> "Life":
        """Somebody subscribes; the trial, where there is one, is period 0."""
        life = Life(self, new_id(), member_id or new_id(), code)
        with transaction():
            db.session.add(
                Subscription(
                    id=life.id,
                    member_id=life.member_id,
                    offer_version_id=self.version(code),
                    order_item_id=self._item(code, at).id,
                    store_id=self.world.stores[store],
                    channel=channel,
                    status="trialing" if trial_until else "active",
                    anchor_at=trial_until or at,
                    time_zone="Asia/Taipei",
                    due_at=at,
                    started_at=at,
                )
            )
        status = "trialing" if trial_until else "active"
        life.tell(None, status, "trial_started" if trial_until else "started", at=at)
        if trial_until is not None:
            life.pay(0, at, trial_until, price=0)
        return life

    def recount(self, now: datetime) -> None:
        with transaction():
            counting.recount(now=now)

    def _item(self, code: str, at: datetime) -> OrderItem:
        order = Order(
            id=new_id(),
            member_id=new_id(),
            store_id=self.world.stores["W"],
            status="fulfilled",
            total=0,
            currency="TWD",
            ordered_at=at,
            ends_at=at,
            paid_at=at,
            fulfilled_at=at,
        )
        item = OrderItem(
            id=new_id(),
            order_id=order.id,
            position=1,
            offer_version_id=self.version(code),
            quantity=1,
            gross=0,
            net=0,
            vat=0,
        )
        for row in (order, item):
            db.session.add(row)
            db.session.flush()
        return item


@dataclass
class Life:
    """One subscription, and what happens to it."""

    lives: Lives
    id: UUID
    member_id: UUID
    code: str

    def pay(
        self,
        number: int,
        starts_at: datetime,
        ends_at: datetime,
        *,
        attempts: int = 1,
        late: timedelta = timedelta(0),
        price: int | None = None,
        code: str | None = None,
    ) -> UUID:
        """A period was paid."""
        price = self.lives.prices[code or self.code] if price is None else price
        net = (20_000 * price + 10_500) // 21_000
        return self._period(
            number,
            starts_at,
            ends_at,
            code,
            status="paid",
            price=price,
            net=net,
            vat=price - net,
            attempts=attempts,
            paid_at=starts_at + late,
        )

    def owe(self, number: int, starts_at: datetime, ends_at: datetime, **how: Any) -> UUID:
        """A period is due, or (status unpaid) was given up."""
        status = how.pop("status", "due")
        price = self.lives.prices[self.code]
        return self._period(number, starts_at, ends_at, None, status=status, price=price, **how)

    def pay_months(self, first: int, last: int, *, since: datetime, **how: Any) -> datetime:
        """Periods of a month each were paid; answers the end of the last."""
        for number in range(first, last + 1):
            begins = since + (number - first) * MONTH
            self.pay(number, begins, begins + MONTH, **how)
        return since + (last - first + 1) * MONTH

    def end(
        self,
        at: datetime,
        *,
        cause: str = "cancelled",
        before: str = "active",
        reason: str | None = None,
    ) -> None:
        """It is over."""
        status = "cancelled" if cause in ("cancelled", "disputed") else "lapsed"
        with transaction():
            one = db.session.get_one(Subscription, self.id)
            one.status, one.ended_at, one.due_at, one.cancel_reason = status, at, None, reason
        self.tell(before, status, cause, at=at)

    def tell(self, before: str | None, after: str, cause: str, *, at: datetime) -> None:
        """Write a line of its history."""
        with transaction():
            db.session.add(
                SubscriptionEvent(
                    id=new_id(),
                    subscription_id=self.id,
                    member_id=self.member_id,
                    at=at,
                    from_status=before,
                    to_status=after,
                    cause=cause,
                    facts={},
                )
            )

    def change(self, period_id: UUID, code: str, *, at: datetime) -> None:
        """The member changes to another plan within a paid period, at once."""
        with transaction():
            db.session.add(
                PlanChange(
                    id=new_id(),
                    subscription_id=self.id,
                    member_id=self.member_id,
                    period_id=period_id,
                    from_version_id=self.lives.version(self.code),
                    to_version_id=self.lives.version(code),
                    days=30,
                    days_left=15,
                    amount=0,
                    net=0,
                    vat=0,
                    currency="TWD",
                    status="applied",
                    asked_at=at,
                    settled_at=at,
                )
            )

    def _period(
        self, number: int, starts_at: datetime, ends_at: datetime, code: str | None, **row: Any
    ) -> UUID:
        period = Period(
            id=new_id(),
            subscription_id=self.id,
            number=number,
            starts_at=starts_at,
            ends_at=ends_at,
            lapses_at=starts_at,
            offer_version_id=self.lives.version(code or self.code),
            **row,
        )
        with transaction():
            db.session.add(period)
        return period.id
