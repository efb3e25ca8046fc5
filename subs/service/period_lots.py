"""What is left of the paid period of a subscription: its lots, and what they carry.

Cups that were carried over from periods before are not of it, and stay where they are.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, or_, select

from kernel.db import db
from subs.change_policy import Held
from subs.models import Period, PlanChange, Subscription
from vouchers.day_use import begins_later, days_gone, unearned, used_today
from vouchers.models import Lot
from vouchers.service.earning import earn_until
from vouchers.wallet import change_wallet


def lock_lots(subscription: Subscription, period: Period, *, now: datetime) -> Sequence[Lot]:
    """Lock the wallet, earn the days that have passed, and read what is left of a period."""
    change_wallet(subscription.member_id)
    db.session.flush()
    earn_until([subscription.member_id], now=now)
    return find_lots(subscription, period)


def find_lots(subscription: Subscription, period: Period) -> Sequence[Lot]:
    """The open lots of a period, as they are now, the first to end first."""
    open_ones = _lots_of(subscription, period).where(Lot.is_open)
    ordered = open_ones.order_by(Lot.ends_at, Lot.sold_at, Lot.id)
    return db.session.scalars(ordered.execution_options(populate_existing=True)).all()


def first_lot(subscription: Subscription, period: Period) -> Lot | None:
    """The lot that was granted with a period, also if nothing is left of it."""
    granted = _lots_of(subscription, period).where(Lot.source == "period", Lot.ordinal == 1)
    return db.session.scalar(granted)


def changes_of(period: Period) -> Sequence[PlanChange]:
    """The changes of plan within a period, the latest first."""
    made = select(PlanChange).where(
        PlanChange.period_id == period.id, PlanChange.status == "applied"
    )
    return db.session.scalars(
        made.order_by(PlanChange.settled_at.desc(), PlanChange.id.desc())
    ).all()


def held_in(lots: Sequence[Lot], *, now: datetime) -> list[Held]:
    """What each lot carries now; of what is earned by the day, what is of days that are left.

    What is frozen has earned nothing since: until it is known whose that is, it is not gone.
    """
    gone = days_gone([lot for lot in lots if lot.frozen_at is None], now=now)
    return [_held(lot, gone.get(lot.id, 0)) for lot in lots]


def is_today_gone(lots: Sequence[Lot], *, now: datetime) -> bool:
    """Whether this day is none of those that are left: cups that nobody counts were collected."""
    return bool(used_today(lots, now=now)) or any(begins_later(lot, now) for lot in lots)


def empty(lots: Sequence[Lot]) -> None:
    """Let everything leave lots, under their wallet's lock. Their money is the caller's to book."""
    for lot in lots:
        lot.used, lot.net_recognised, lot.vat_gone = lot.units, lot.net, lot.vat
        lot.is_open = False


def _held(lot: Lot, gone: int) -> Held:
    if lot.earns_days is None:
        net, vat = lot.net - lot.net_recognised, lot.vat - lot.vat_gone
        return Held(lot.units - lot.used, net, vat)
    left = unearned(lot, gone)
    return Held(0, left.net, left.vat)


def _lots_of(subscription: Subscription, period: Period) -> Select[Lot]:
    return select(Lot).where(
        Lot.member_id == subscription.member_id,
        Lot.subscription_id == subscription.id,
        Lot.prepays_plan.is_(False),
        or_(
            and_(Lot.source == "period", Lot.source_id == period.id),
            and_(Lot.source == "plan_change", Lot.source_id.in_(list(_change_ids(period)))),
        ),
    )


def _change_ids(period: Period) -> Iterator[UUID]:
    yield from (change.id for change in changes_of(period))
