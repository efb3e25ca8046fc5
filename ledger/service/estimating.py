"""Breakage: what of an offer will never be collected is estimated, and booked month by month."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID, uuid5

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from kernel.db import db
from kernel.ids import NOBODY
from kernel.turns import take_turn
from ledger import policy
from ledger.errors import PeriodNotOver
from ledger.models import BreakageEstimate, BreakageRun
from ledger.month import Month
from ledger.pool import Pool, breakage_of
from ledger.service.dating import hold_months
from ledger.service.moved import LEGS
from ledger.service.periods import check_not_closed
from ledger.service.posting import Event, post_all

Method = Literal["off", "proportional", "remote"]

_TURN = hashlib.sha256(b"estimates of breakage").digest()

# The pool of an offer at a store: its cups in whichever liability they are, under way included.
_POOLS = text(f"""
WITH {LEGS}, pool AS (
    SELECT *, account = '{policy.BREAKAGE_CONTRA}' AS is_contra,
           kind IN ('redemption', 'void', 'rest', 'earning') AS is_taken, kind = 'lapse' AS is_lapse
    FROM leg
    WHERE account = ANY(:accounts) AND offer_id = ANY(:offers) AND first_on <= :first_on
)
SELECT offer_id, store_id, currency,
       min(account) FILTER (WHERE account IN ('{policy.VOUCHERS}', '{policy.PLANS}')) AS account,
       total(amount) FILTER (WHERE NOT is_contra AND NOT is_taken AND NOT is_lapse),
       total(cups) FILTER (WHERE NOT is_contra AND NOT is_taken AND NOT is_lapse),
       -total(amount) FILTER (WHERE NOT is_contra AND is_taken),
       -total(cups) FILTER (WHERE NOT is_contra AND is_taken),
       -total(amount) FILTER (WHERE NOT is_contra AND is_lapse),
       total(amount) FILTER (WHERE is_contra AND is_lapse),
       -total(amount) FILTER (WHERE is_contra AND NOT is_lapse)
FROM pool
GROUP BY offer_id, store_id, currency
HAVING bool_or(account IN ('{policy.VOUCHERS}', '{policy.PLANS}'))
ORDER BY offer_id, store_id, currency
""")  # noqa: S608  of our own names


@dataclass(frozen=True, slots=True)
class _Counted:
    """A pool, whose it is, and where it stands."""

    offer_id: UUID
    store_id: UUID
    currency: str
    account: str
    pool: Pool


def set_estimate(
    *,
    offer_id: UUID,
    month: Month,
    method: Method,
    basis_points: int,
    reason: str,
    by_id: UUID,
    now: datetime,
) -> BreakageEstimate:
    """Estimate an offer's breakage from a month on; a second time for a month is a new version.

    What it changes is caught up with at the end of that month, never before it.

    Raises:
        PeriodClosed: the month is closed.
        EstimateInvalid: a rate belongs to a proportional estimate, and only to that.
    """
    hold_months([month.first_on], is_finance=True)
    check_not_closed(month)
    take_turn(_TURN)
    mine = (BreakageEstimate.offer_id == offer_id, BreakageEstimate.first_on == month.first_on)
    last = db.session.scalar(select(func.max(BreakageEstimate.version)).where(*mine))
    estimate = BreakageEstimate(
        offer_id=offer_id,
        first_on=month.first_on,
        version=(last or 0) + 1,
        method=method,
        basis_points=basis_points,
        reason=reason,
        made_by_id=by_id,
        made_at=now,
    )
    db.session.add(estimate)
    db.session.flush()
    return estimate


def list_estimates() -> Sequence[BreakageEstimate]:
    """All estimates there ever were: by offer, the latest month and version first."""
    return db.session.scalars(
        select(BreakageEstimate).order_by(
            BreakageEstimate.offer_id,
            BreakageEstimate.first_on.desc(),
            BreakageEstimate.version.desc(),
        )
    ).all()


def list_runs(month: Month) -> Sequence[BreakageRun]:
    """What was booked for a month, and from which figures."""
    runs = select(BreakageRun).where(BreakageRun.first_on == month.first_on)
    by_key = (BreakageRun.offer_id, BreakageRun.store_id, BreakageRun.account, BreakageRun.run)
    return db.session.scalars(runs.order_by(*by_key)).all()


def estimated_offers(on: date) -> set[UUID]:
    """The offers whose breakage is estimated in the month of a day: a lapse is no news there."""
    in_force = _in_force(Month.of(on))
    return {offer_id for offer_id, estimate in in_force.items() if estimate.method != "off"}


def run(*, month: Month, now: datetime) -> list[BreakageRun]:
    """Book what the estimates say at the end of a month that is over, less what is booked already.

    So a second run books nothing more, and a changed estimate is caught up with at once, for all
    that was sold before. An offer that was estimated once takes part for good: without an estimate
    in force, what had been booked for cups that may still be collected is taken back.

    Raises:
        PeriodNotOver: it is not over everywhere.
        PeriodClosed: it is closed.
    """
    if not month.is_over(now):
        raise PeriodNotOver(period=str(month))
    hold_months([month.first_on], is_finance=True)
    check_not_closed(month)
    take_turn(_TURN)
    in_force = _in_force(month)
    numbers = _last_runs(month)
    runs, events = [], []
    for counted in _count(month, in_force):
        at = (counted.offer_id, counted.store_id, counted.account)
        made = _decide(counted, in_force[counted.offer_id], month, numbers.get(at, 0) + 1, now)
        if made.amount or made.run == 1:
            numbers[at] = made.run
            runs.append(made)
            events.append(_event(made, counted.currency, month, now))
    _book(runs, events)
    return runs


def _in_force(month: Month) -> dict[UUID, BreakageEstimate]:
    """The estimate of each offer that holds for a month: the latest of the latest month."""
    until = select(BreakageEstimate).where(BreakageEstimate.first_on <= month.first_on)
    latest = until.ext(distinct_on(BreakageEstimate.offer_id)).order_by(
        BreakageEstimate.offer_id,
        BreakageEstimate.first_on.desc(),
        BreakageEstimate.version.desc(),
    )
    return {estimate.offer_id: estimate for estimate in db.session.scalars(latest)}


def _count(month: Month, offers: Iterable[UUID]) -> list[_Counted]:
    """Count the pools of some offers up to the end of a month."""
    accounts = [*policy.CONTRACT_LIABILITIES, policy.BREAKAGE_CONTRA]
    asked = {"accounts": accounts, "offers": list(offers), "first_on": month.first_on}
    return [_counted(*row) for row in db.session.execute(_POOLS, asked)]


def _counted(
    offer_id: UUID,
    store_id: UUID,
    currency: str,
    account: str,
    *sums: int,
) -> _Counted:
    sold, cups_sold, redeemed, cups_redeemed, lapsed, cleared, booked = sums
    pool = Pool(
        sold=sold,
        cups_sold=cups_sold,
        redeemed=redeemed,
        cups_redeemed=cups_redeemed,
        lapsed=lapsed,
        lapsed_at_once=lapsed - cleared,
        booked=booked,
    )
    return _Counted(offer_id, store_id, currency, account, pool)


def _last_runs(month: Month) -> dict[tuple[UUID, UUID, str], int]:
    key = (BreakageRun.offer_id, BreakageRun.store_id, BreakageRun.account)
    runs = select(*key, func.max(BreakageRun.run)).where(BreakageRun.first_on == month.first_on)
    return {
        (offer_id, store_id, account): last
        for offer_id, store_id, account, last in db.session.execute(runs.group_by(*key))
    }


def _decide(
    counted: _Counted, estimate: BreakageEstimate, month: Month, number: int, now: datetime
) -> BreakageRun:
    pool = counted.pool
    to_date = breakage_of(pool, method=estimate.method, basis_points=estimate.basis_points)
    return BreakageRun(
        offer_id=counted.offer_id,
        store_id=counted.store_id,
        account=counted.account,
        first_on=month.first_on,
        run=number,
        estimate_version=estimate.version,
        sold=pool.sold,
        cups_sold=pool.cups_sold,
        redeemed=pool.redeemed,
        cups_redeemed=pool.cups_redeemed,
        recognised=to_date,
        amount=to_date - pool.recognised,
        made_at=now,
    )


def _event(made: BreakageRun, currency: str, month: Month, now: datetime) -> Event | None:
    """The entry of a run that moves something, named after what it is for."""
    if not made.amount:
        return None
    return Event(
        member_id=NOBODY,
        kind="breakage",
        source_id=uuid5(made.offer_id, f"{made.store_id}/{made.account}/{month}/{made.run}"),
        pairs=policy.breakage(store_id=made.store_id, amount=made.amount, offer_id=made.offer_id),
        event_at=now,
        occurred_on=month.last_on,
        currency=currency,
    )


def _book(runs: Sequence[BreakageRun], events: Sequence[Event | None]) -> None:
    entry_ids = iter(post_all([event for event in events if event is not None]))
    for made, event in zip(runs, events, strict=True):
        made.entry_id = next(entry_ids) if event is not None else None
    db.session.add_all(runs)
    db.session.flush()
