"""What the periods before have left over: it goes along into the next one, or ends with its grant.

By the terms that the cups were sold on. Called under the wallets' locks.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

from kernel.db import db
from kernel.wording import Count, Unit
from subs import benefit_policy
from subs.benefit_policy import Left
from subs.models import PlanSchedule
from subs.service import history
from subs.service.granted_lot import Granting
from subs.service.history import Told
from vouchers.models import Lot
from vouchers.service.lapse import Lapsing, lapse_cups

_IDS = ARRAY(Uuid)
_OLD = (
    select(Lot, PlanSchedule)
    .join(PlanSchedule, PlanSchedule.offer_version_id == Lot.offer_version_id)
    .where(
        Lot.member_id == any_(bindparam("members", type_=_IDS)),
        Lot.is_open,
        Lot.units > 0,
        Lot.prepays_plan.is_(False),
        Lot.subscription_id == any_(bindparam("subscriptions", type_=_IDS)),
    )
    .order_by(Lot.member_id, Lot.ends_at, Lot.sold_at, Lot.id)
    .execution_options(populate_existing=True)
)


@dataclass(frozen=True, slots=True)
class Ended:
    """So many cups ended with a period, since no more than `most` go along into the next."""

    count: Count
    most: Count


@dataclass(frozen=True, slots=True)
class _Old:
    """The open lots of one subscription that were sold on one version's terms."""

    schedule: PlanSchedule
    lots: Sequence[Lot]


@dataclass(frozen=True, slots=True)
class _Carried:
    """How many cups went along into a period, and which of the others lapse."""

    granting: Granting
    cups: int
    lapsing: Sequence[Lapsing]
    most: int | None = None

    @property
    def lapsed(self) -> int:
        return sum(one.cups for one in self.lapsing)


def carry_over(granting: Sequence[Granting], *, now: datetime) -> Mapping[UUID, Ended]:
    """Let the unused cups of earlier periods go along, or let go of what their terms do not carry.

    What lapses over a cap is booked at once, and answered by the period that it does not go along
    into. Cups that are not carried at all end with the grant, if they were good so long only
    because of the grace.
    """
    old = _old_of(granting)
    carried = [_carried(one, its) for one in granting for its in old[one.subscription.id]]
    lapse_cups([lapsing for one in carried for lapsing in one.lapsing], now=now)
    history.write(_remarks(carried))
    return _ended(carried)


def _ended(carried: Sequence[_Carried]) -> Mapping[UUID, Ended]:
    """What lapsed over caps, by the new period; of several caps the highest is told."""
    cups: dict[UUID, int] = defaultdict(int)
    most: dict[UUID, int] = defaultdict(int)
    units: dict[UUID, Unit] = {}
    for one in carried:
        if one.lapsed and one.most is not None:
            period_id = one.granting.period.id
            cups[period_id] += one.lapsed
            most[period_id] = max(most[period_id], one.most)
            units[period_id] = cast("Unit", one.granting.plan.version.unit)
    return {
        period_id: Ended(Count(count, units[period_id]), Count(most[period_id], units[period_id]))
        for period_id, count in cups.items()
    }


def _old_of(granting: Sequence[Granting]) -> Mapping[UUID | None, Sequence[_Old]]:
    members = [one.subscription.member_id for one in granting]
    subscriptions = [one.subscription.id for one in granting]
    found: dict[tuple[UUID | None, UUID], list[Lot]] = defaultdict(list)
    schedules: dict[UUID, PlanSchedule] = {}
    for lot, schedule in db.session.execute(
        _OLD, {"members": members, "subscriptions": subscriptions}
    ):
        found[lot.subscription_id, schedule.offer_version_id].append(lot)
        schedules[schedule.offer_version_id] = schedule
    old: dict[UUID | None, list[_Old]] = defaultdict(list)
    for (subscription_id, version_id), lots in found.items():
        old[subscription_id].append(_Old(schedules[version_id], lots))
    return old


def _carried(granting: Granting, old: _Old) -> _Carried:
    begins_at = max(granting.span.starts_at, granting.paid_at)
    grace = timedelta(days=old.schedule.grace_days)
    if old.schedule.carry_over == "none":
        for lot in old.lots:
            assert lot.ends_at is not None  # what a plan gives has an end
            if old.schedule.benefits_in_grace:
                _end(lot, min(lot.ends_at, max(begins_at, lot.ends_at - grace)))
        return _Carried(granting, 0, [])
    left = [Left(lot.id, lot.units - lot.used, lot.frozen_at is not None) for lot in old.lots]
    leaving = benefit_policy.not_carried(left, cap=old.schedule.carry_over_cap)
    for lot in old.lots:
        assert lot.ends_at is not None
        _end(lot, max(lot.ends_at, granting.span.ends_at + grace))
    by_id = {lot.id: lot for lot in old.lots}
    lapsing = [Lapsing(by_id[one.lot_id], one.cups, at=begins_at) for one in leaving]
    cups = sum(lot.cups for lot in left) - sum(one.cups for one in leaving)
    return _Carried(granting, cups, lapsing, old.schedule.carry_over_cap)


def _end(lot: Lot, ends_at: datetime) -> None:
    if ends_at != lot.ends_at:
        lot.ends_at = lot.due_at = ends_at


def _remarks(carried: Sequence[_Carried]) -> Iterator[Told]:
    for one in carried:
        if one.cups or one.lapsed:
            yield history.remarked(
                one.granting.subscription,
                "carried_over",
                at=one.granting.paid_at,
                period=one.granting.period.number,
                cups=one.cups,
                lapsed=one.lapsed,
            )
