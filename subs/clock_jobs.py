"""Members whose clock runs ahead: what is due by their clock is done, for them alone.

Everything is done as it would be. From one moment at which something is due the member's clock
goes to the next, and at each the ordinary jobs run, by that clock and for that member
(`clock.apart`): so three months are three renewals on their three days, and not one long outage.
Without a clock that was moved there is nothing to do, as in production.

It is here since the subscriptions' room is the uppermost that has such duties.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from pkgutil import resolve_name
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import (
    DateTime,
    Integer,
    Select,
    Uuid,
    bindparam,
    func,
    literal,
    or_,
    select,
    union_all,
)

import invoicing.jobs
import payments.jobs
import vouchers.jobs
from kernel import clock, outbox, queue
from kernel.db import db
from kernel.queue import Duty
from kernel.transaction import again, transaction
from members.models import MemberClock
from subs import change_jobs, grant_jobs, plan_jobs
from subs.service import renewal

log = structlog.get_logger()

_LEASE = timedelta(minutes=5)
_ROUNDS = 20
"""So often at most all is looked through at one moment: one job leaves work to another."""

_OF_ROOMS = (
    *outbox.DUTIES,
    *payments.jobs.DUTIES,
    *invoicing.jobs.DUTIES,
    *vouchers.jobs.DUTIES,
    renewal.DUTY,
    grant_jobs.DUTY,
    *plan_jobs.DUTIES,
    *change_jobs.DUTIES,
)


def clocks_ahead(now: datetime) -> Select[UUID]:
    """The members with a clock of their own, but for those whom somebody is at."""
    free = or_(MemberClock.leased_until.is_(None), MemberClock.leased_until <= now)
    return select(MemberClock.member_id).where(free)


DUTY = Duty("subs.clock_jobs.move_clocks", "billing", clocks_ahead)


class Step(NamedTuple):
    """Where a member's clock stands, and until when it is ours to move."""

    ahead: timedelta
    leased_until: datetime


class _Agenda(NamedTuple):
    """What is due of one duty: how much, since when, and when the next is."""

    times: int
    since: datetime | None
    next_at: datetime | None


def move_clocks() -> None:
    """Do what is due by the clocks of members, and move these towards their goals. The RQ job."""
    queue.begun(DUTY.job)
    for member_id in again(_found):
        try:
            _move(member_id)
        except Exception as problem:  # noqa: BLE001  one member must not stop the others
            log.error(  # noqa: TRY400  a stack may hold what is personal
                "clock.not_moved", member_id=str(member_id), error=type(problem).__name__
            )


def _found() -> Sequence[UUID]:
    with transaction():
        return db.session.scalars(clocks_ahead(clock.common())).all()


def _move(member_id: UUID) -> None:
    """Until the goal is reached: do what is due, then go to when something is due next."""
    step = again(partial(take, member_id))
    while step is not None:
        with clock.apart(member_id, step.ahead):
            next_at = _do_what_is_due(member_id)
        step = again(partial(_go_on, member_id, step, next_at))


def _do_what_is_due(member_id: UUID) -> datetime | None:
    """Run jobs until nothing is due, or nothing changes: another is at it, or it is broken.

    Answers when something is due next.
    """
    agendas: list[_Agenda] = []
    for _ in range(_ROUNDS):
        before, agendas = agendas, again(partial(_agendas, member_id))
        due = [duty for duty, agenda in zip(_DUTIES, agendas, strict=True) if agenda.times]
        if not due or [one[:2] for one in agendas] == [one[:2] for one in before]:
            break
        for duty in due:
            resolve_name(duty.job)()
    return min((one.next_at for one in agendas if one.next_at is not None), default=None)


def _agendas(member_id: UUID) -> list[_Agenda]:
    """What is due of each duty, by the member's clock: one statement."""
    with transaction():
        rows = db.session.execute(_question(), {"whose": member_id, "now": clock.now()})
        return [_Agenda(times, since, next_at) for _, times, since, next_at in rows]


@cache
def _question() -> Select[*tuple[Any, ...]]:
    """To put it together takes longer than to answer it."""
    every = union_all(*(_asked(at) for at in range(len(_DUTIES)))).subquery()
    return select(every).order_by(every.c.duty)


def _asked(duty_at: int) -> Select[*tuple[Any, ...]]:
    moments = _DUTIES[duty_at].moments
    assert moments is not None  # these were chosen by that
    now = bindparam("now", type_=DateTime(timezone=True))
    found = moments(bindparam("whose", type_=Uuid))
    (column,) = found.selected_columns
    at = found.with_only_columns(column.label("at")).subquery().c.at
    return select(
        literal(duty_at, Integer).label("duty"),
        func.count().filter(at <= now).label("times"),
        func.min(at).filter(at <= now).label("since"),
        func.min(at).filter(at > now).label("next_at"),
    )


def take(member_id: UUID) -> Step | None:
    """Lease a member's clock, unless somebody else has it."""
    now = clock.common()
    with transaction():
        kept = _locked(member_id)
        if kept is None or (kept.leased_until is not None and kept.leased_until > now):
            return None
        return _leased(kept, now)


def _go_on(member_id: UUID, step: Step, next_at: datetime | None) -> Step | None:
    """Move the clock one step. None when it is there, and given back, or is another's by now."""
    now = clock.common()
    with transaction():
        kept = _locked(member_id)
        if kept is None or kept.leased_until != step.leased_until:
            return None
        if kept.ahead == kept.goal:
            kept.leased_until = None
            return None
        to = kept.goal if next_at is None else min(kept.goal, next_at - now)
        kept.ahead = max(to, kept.ahead)
        return _leased(kept, now)


def _locked(member_id: UUID) -> MemberClock | None:
    theirs = select(MemberClock).where(MemberClock.member_id == member_id)
    return db.session.scalar(theirs.with_for_update())


def _leased(kept: MemberClock, now: datetime) -> Step:
    kept.leased_until = now + _LEASE
    return Step(kept.ahead, kept.leased_until)


_DUTIES = tuple(duty for duty in _OF_ROOMS if duty.moments is not None)
