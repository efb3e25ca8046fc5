"""A member's clock can run ahead of everybody's, in the sandbox: a year passes for them alone.

Nothing of this is asked where the clock cannot be moved, as in production.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from kernel import clock, hot
from kernel.db import db
from kernel.errors import NotFound
from members.errors import ClockTooFar
from members.models import Member, MemberClock

FURTHEST = timedelta(days=3_660)

_NO_TIME = timedelta(0)
_AHEAD = "SELECT ahead FROM member_clock WHERE member_id = %(member_id)s"


@dataclass(frozen=True, slots=True)
class MemberTime:
    """What time it is for a member, and what time it will be once all is done until then."""

    now: datetime
    goal_at: datetime

    @property
    def is_moving(self) -> bool:
        return self.now < self.goal_at


def advance_clock(*, member_id: UUID, by: timedelta, now: datetime) -> MemberTime:
    """Let a member's clock run ahead by so much more, in the caller's transaction.

    It gets there by itself, as what is due until then is done. `now` is everybody's.

    Raises:
        NotFound: there is no such member, or this is no sandbox.
        ClockTooFar: it would be more than ten years ahead.
    """
    _look_for(member_id)
    ours = insert(MemberClock).values(member_id=member_id, ahead=_NO_TIME, goal=by)
    further = {"goal": MemberClock.goal + ours.excluded.goal}
    moved = ours.on_conflict_do_update(index_elements=[MemberClock.member_id], set_=further)
    set_to = moved.returning(MemberClock.ahead, MemberClock.goal)
    ahead, goal = db.session.execute(set_to).one()
    if goal > FURTHEST:
        raise ClockTooFar(days=FURTHEST.days)
    return MemberTime(now + ahead, now + goal)


def get_clock(*, member_id: UUID, now: datetime) -> MemberTime:
    """What time it is for a member. `now` is everybody's.

    Raises:
        NotFound: there is no such member, or this is no sandbox.
    """
    _look_for(member_id)
    kept = db.session.get(MemberClock, member_id)
    if kept is None:
        return MemberTime(now, now)
    return MemberTime(now + kept.ahead, now + kept.goal)


@contextmanager
def in_time_of(member_id: UUID | None) -> Iterator[None]:
    """Within, the caller acts for a member, by that member's clock. Asks on the hot road."""
    row = None
    if member_id is not None and clock.is_movable():
        row = hot.read(_AHEAD, {"member_id": member_id})
    if member_id is None or row is None:
        yield
        return
    with clock.apart(member_id, row[0]):
        yield


def times_of(member_ids: Collection[UUID], *, now: datetime) -> Mapping[UUID, datetime]:
    """What time it is for each of some members, in the caller's transaction. `now` is everybody's.

    For news of several members that come together, from the provider.
    """
    ahead: dict[UUID, timedelta] = {}
    if clock.is_movable():
        theirs = select(MemberClock).where(MemberClock.member_id.in_(set(member_ids)))
        ahead = {one.member_id: one.ahead for one in db.session.scalars(theirs)}
    return {member_id: now + ahead.get(member_id, _NO_TIME) for member_id in member_ids}


def _look_for(member_id: UUID) -> None:
    if not clock.is_movable() or db.session.get(Member, member_id) is None:
        raise NotFound
