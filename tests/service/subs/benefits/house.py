"""A member with a plan whose periods are paid when the test says so."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from kernel.db import db
from kernel.ids import new_id
from kernel.money import without_vat
from kernel.transaction import transaction
from ledger.models import Entry, Line
from subs.models import Period, PlanSchedule, Subscription
from subs.service.benefits import Settled, grant_all
from subs.service.rows import plan_of
from tests.world import World
from vouchers.models import Lot, Order, OrderItem

TAIPEI = ZoneInfo("Asia/Taipei")


def at(month: int, day: int, hour: int = 12, minute: int = 0, *, year: int = 2026) -> datetime:
    """A moment in Taipei."""
    return datetime(year, month, day, hour, minute, tzinfo=TAIPEI)


@dataclass
class House:
    """The chain, a member, and their subscriptions."""

    world: World
    member_id: UUID
    plans: dict[str, UUID] = field(default_factory=dict)

    def add_plan(self, code: str = "monthly", **terms: Any) -> UUID:
        """A plan of ten cups a month for 499, or as the test says; answers its version."""
        schedule = {
            name: terms.pop(name)
            for name in PlanSchedule.__table__.columns.keys()  # noqa: SIM118  it is no mapping
            if name in terms
        }
        version_id = self.world.add_offer(
            code,
            **{"price": 499, "cups": 10, "bonus_cups": 0, "expiry_mode": "lapse", "kind": "plan",
               **terms},
        )  # fmt: skip
        with transaction():
            db.session.add(
                PlanSchedule(
                    offer_version_id=version_id,
                    **{"every_count": 1, "every_unit": "month", "grace_days": 28,
                       "dunning_days": [2, 5, 7, 7], **schedule},
                )
            )  # fmt: skip
        self.plans[code] = version_id
        return version_id

    def subscribe(self, code: str = "monthly", *, begins_at: datetime, store: str = "W") -> UUID:
        """A subscription, of which no period is paid yet."""
        with transaction():
            order = Order(
                id=new_id(),
                member_id=self.member_id,
                store_id=self.world.stores[store],
                status="fulfilled",
                total=499,
                currency="TWD",
                ordered_at=begins_at,
                ends_at=begins_at + timedelta(minutes=30),
                paid_at=begins_at,
                fulfilled_at=begins_at,
            )
            db.session.add(order)
            db.session.flush()
            item = OrderItem(
                id=new_id(),
                order_id=order.id,
                position=1,
                offer_version_id=self.plans[code],
                quantity=1,
                gross=499,
                net=475,
                vat=24,
            )
            db.session.add(item)
            db.session.flush()
            subscription = Subscription(
                id=new_id(),
                member_id=self.member_id,
                offer_version_id=self.plans[code],
                order_item_id=item.id,
                store_id=self.world.stores[store],
                anchor_at=begins_at,
                time_zone="Asia/Taipei",
                due_at=begins_at,
                started_at=begins_at,
            )
            db.session.add(subscription)
        return subscription.id

    def settled(
        self,
        subscription_id: UUID,
        number: int,
        starts_at: datetime,
        ends_at: datetime,
        *,
        paid_at: datetime | None = None,
        price: int | None = None,
    ) -> Settled:
        """A period that is being paid, in the transaction that is open."""
        subscription = db.session.get_one(Subscription, subscription_id)
        plan = plan_of(subscription.offer_version_id)
        gross = plan.version.price if price is None else price
        net, vat = without_vat(gross, basis_points=500)
        period = Period(
            id=new_id(),
            subscription_id=subscription.id,
            number=number,
            offer_version_id=plan.version.id,
            price=gross,
            net=net,
            vat=vat,
            starts_at=starts_at,
            ends_at=ends_at,
            status="paid",
            attempts=1,
            lapses_at=starts_at + timedelta(days=28),
            paid_at=paid_at or starts_at,
        )
        db.session.add(period)
        db.session.flush()
        item_id = subscription.order_item_id if number == 1 else None
        return Settled(subscription, period, plan, paid_at or starts_at, order_item_id=item_id)

    def pay(self, *of: Any, **how: Any) -> Period:
        """Pay a period (see `settled`): what it gives is in the wallet."""
        with transaction():
            one = self.settled(*of, **how)
            grant_all([one], now=one.paid_at)
        return one.period

    def lots(self) -> list[Lot]:
        mine = select(Lot).where(Lot.member_id == self.member_id)
        with transaction():
            return list(db.session.scalars(mine.order_by(Lot.sold_at, Lot.id)))

    def freeze(self, lot_id: UUID, at: datetime | None) -> None:
        """A bank takes the money of a lot back for the time being (or, None, gives it again)."""
        with transaction():
            db.session.get_one(Lot, (self.member_id, lot_id)).frozen_at = at

    def entries(self, *kinds: str) -> list[tuple[str, date, list[tuple[str, str, int, int]]]]:
        """What was booked: kind, book date, and debit, credit, amount, cups of each line."""
        mine = select(Entry).where(Entry.kind.in_(kinds)).order_by(Entry.event_at, Entry.id)
        with transaction():
            return [
                (entry.kind, entry.book_date, [
                    (line.debit, line.credit, line.amount, line.qty)
                    for line in db.session.scalars(
                        select(Line).where(Line.entry_id == entry.id).order_by(Line.ordinal))
                ])
                for entry in db.session.scalars(mine)
            ]  # fmt: skip
