"""Some free plans grant cups several times in a period: what is due is granted."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Select, Uuid, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm.attributes import set_committed_value

import chain
from chain.models import Store
from kernel.db import db, table_of
from kernel.due import of
from kernel.queue import Duty
from subs.models import Period, Subscription
from subs.service.granted_lot import Granting, lot_of, next_grant_at
from subs.service.rows import Plan, plans_of
from vouchers.models import Lot
from vouchers.service.grant import Grant, put_granted
from vouchers.wallet import change_wallets

_PERIOD = table_of(Period)
_NEXT = (
    func.unnest(
        bindparam("ids", type_=ARRAY(Uuid)),
        bindparam("moments", type_=ARRAY(DateTime(timezone=True))),
    )
    .table_valued("id", "at")
    .render_derived()
)
_PROMISE = update(_PERIOD).values(grant_at=_NEXT.c.at).where(_PERIOD.c.id == _NEXT.c.id)


def periods_to_grant(now: datetime) -> Select[UUID]:
    """The periods that grant cups again."""
    return select(Period.id).where(Period.grant_at <= now)


def grants_of(member_id: ColumnElement[UUID]) -> Select[Any]:
    """When a member's periods grant again."""
    theirs = select(Period.grant_at).join(Subscription, Subscription.id == Period.subscription_id)
    return theirs.where(Subscription.member_id == member_id, Period.grant_at.is_not(None))


DUTY = Duty("subs.grant_jobs.grant_again", "nightly", periods_to_grant, grants_of)


def promise_grants(grant_at: Mapping[Period, datetime | None]) -> None:
    """Write down when periods grant again; None: not any more."""
    if not grant_at:
        return
    moments = {"ids": [period.id for period in grant_at], "moments": list(grant_at.values())}
    db.session.execute(_PROMISE, moments)
    for period, at in grant_at.items():
        set_committed_value(period, "grant_at", at)


def grant_some(*, limit: int, now: datetime, whose: UUID | None = None) -> int:
    """Grant what is due in up to `limit` periods, in the caller's transaction; answer how many.

    Locks the subscriptions with their periods, without those that somebody holds, then the wallets.
    A grant that was missed, and would have ended by now, is left out. A subscription that has ended
    grants nothing. With `whose`, only that member's periods are looked at.
    """
    due = _lock(limit, now, whose)
    if not due:
        return 0
    change_wallets([subscription.member_id for subscription, _ in due])
    plans = plans_of({period.offer_version_id for _, period in due})
    stores = chain.find_stores({subscription.store_id for subscription, _ in due})
    granting = [
        _granting(subscription, period, plans[period.offer_version_id], stores)
        for subscription, period in due
    ]
    put_granted([Grant(lot) for one in granting for lot in _lots(one, now)], stores=stores)
    promise_grants({one.period: _next(one, now) for one in granting})
    return len(due)


def _lock(limit: int, now: datetime, whose: UUID | None) -> list[tuple[Subscription, Period]]:
    """What is due: of rows that changed meanwhile PostgreSQL asks again only if it locks them."""
    due = (
        select(Subscription, Period)
        .join(Period, Period.subscription_id == Subscription.id)
        .where(Period.grant_at <= now)
        .order_by(Subscription.id)
        .limit(limit)
        .with_for_update(of=[Subscription, Period], skip_locked=True)
        .execution_options(populate_existing=True)
    )
    found = db.session.execute(of(due, Subscription.member_id, whose))
    return [(subscription, period) for subscription, period in found]


def _granting(
    subscription: Subscription, period: Period, plan: Plan, stores: Mapping[UUID, Store]
) -> Granting:
    assert period.paid_at is not None  # only what is paid is granted
    return Granting(
        subscription=subscription,
        period=period,
        plan=plan,
        paid_at=period.paid_at,
        store=stores[subscription.store_id],
        net=0,
        vat=0,
        buyer_id=subscription.member_id,
        order_item_id=None,
    )


def _lots(granting: Granting, now: datetime) -> Iterator[Lot]:
    if granting.subscription.ended_at is not None:
        return
    for ordinal, granted_at in _due(granting, now):
        lot = lot_of(granting, ordinal=ordinal, granted_at=granted_at, frozen_at=None)
        if lot is not None and lot.ends_at is not None and lot.ends_at > now:
            yield lot


def _due(granting: Granting, now: datetime) -> Iterator[tuple[int, datetime]]:
    """The grants that are due, by number and time; the first one came with the payment."""
    since = granting.period.grant_at
    assert since is not None  # it was found by that
    ordinal, at = 1, next_grant_at(granting, ordinal=1)
    while at is not None and at <= now:
        ordinal += 1
        if at >= since:
            yield ordinal, at
        at = next_grant_at(granting, ordinal=ordinal)


def _next(granting: Granting, now: datetime) -> datetime | None:
    if granting.subscription.ended_at is not None:
        return None
    ordinal, at = 1, next_grant_at(granting, ordinal=1)
    while at is not None and at <= now:
        ordinal += 1
        at = next_grant_at(granting, ordinal=ordinal)
    return at
