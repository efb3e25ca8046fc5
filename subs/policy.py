"""The rules of a plan's life: its calendar, its retries, and what falls first. Pure.

Values in, values out; the services read, ask here, and write.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum, IntEnum
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}
_SHORTEST = 28

Day = TypeVar("Day", date, datetime)


@dataclass(frozen=True, slots=True)
class Every:
    """How often a plan renews: every `count` days, weeks, months or years."""

    count: int
    unit: str

    def after(self, at: Day, n: int) -> Day:
        """N intervals later by the calendar, in one step, so that no day is lost on the way.

        The wall clock stays, and a day that a month lacks is its last. What `relativedelta` says,
        at a tenth of the cost: this is asked twice for every renewal.
        """
        steps = self.count * n
        if self.unit in _DAYS:
            return at + timedelta(days=_DAYS[self.unit] * steps)
        month = at.year * 12 + at.month - 1 + _MONTHS[self.unit] * steps
        year, month = month // 12, month % 12 + 1
        day = at.day if at.day <= _SHORTEST else min(at.day, monthrange(year, month)[1])
        return at.replace(year=year, month=month, day=day)


@dataclass(frozen=True, slots=True)
class Span:
    """The half-open interval `[starts_at, ends_at)` of a period, in UTC."""

    starts_at: datetime
    ends_at: datetime


class Turn(IntEnum):
    """What may happen to a subscription at one instant, first things first."""

    END = 1
    PAUSE = 2
    CHANGE = 3
    RENEWAL = 4


class Step(Enum):
    """What is to be done about a subscription that is due."""

    WAIT = "wait"
    END = "end"
    PAUSE = "pause"
    LAPSE = "lapse"
    RENEW = "renew"


@dataclass(frozen=True, slots=True)
class Unpaid:
    """A period that is due: when to try next (None: not any more), and when it is too late.

    `is_under_way` says that it is being charged, and nobody knows yet what came of it.
    """

    retry_at: datetime | None
    lapses_at: datetime
    is_under_way: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause that is asked for, or (`has_begun`) under way."""

    starts_at: datetime
    ends_at: datetime
    has_begun: bool = False


def period_span(
    *, anchor_at: datetime, anchor_number: int = 1, time_zone: str, every: Every, number: int
) -> Span:
    """The period with this number, where the one with `anchor_number` begins at the anchor.

    Always anchor + n × interval, never chained, so that a plan of 31 January renews on 28 or 29
    February and then on 31 March. The wall clock of the member's time zone is kept across
    daylight saving.
    """
    local = anchor_at.astimezone(ZoneInfo(time_zone))
    n = number - anchor_number
    return Span(_moved(local, every, n), _moved(local, every, n + 1))


def first_turn(turns: Iterable[Turn]) -> Turn:
    """Which of several things that fall on one instant happens: end, pause, change, renewal.

    A change is no end in itself: the renewal that follows it is on its terms.
    """
    return min(turns)


def next_step(
    *,
    now: datetime,
    paid_until: datetime,
    cancel_at_end: bool,
    unpaid: Unpaid | None,
    pause: Pause | None = None,
) -> Step:
    """Decide about a subscription that is paid until `paid_until`.

    A period that nobody could try in time (the scheduler was down) is tried before it may lapse:
    an outage of ours costs no member their plan. A charge that is under way is seen through, even
    if the member cancels meanwhile: only then is it known until when they have paid. A pause that
    falls into a time that was missed begins all the same, and may be over at once.
    """
    if now < paid_until:
        return Step.WAIT
    if unpaid is not None and unpaid.is_under_way:
        return Step.RENEW
    if unpaid is None and pause is not None and pause.has_begun and not cancel_at_end:
        return Step.RENEW if pause.ends_at <= now else Step.WAIT
    turn = first_turn(_turns(now, unpaid, pause, cancel_at_end=cancel_at_end))
    if turn is not Turn.RENEWAL:
        return _INSTEAD[turn]
    return _try(now, unpaid)


_INSTEAD = {Turn.END: Step.END, Turn.PAUSE: Step.PAUSE}


def _try(now: datetime, unpaid: Unpaid | None) -> Step:
    if unpaid is None or (unpaid.retry_at is not None and unpaid.retry_at <= now):
        return Step.RENEW
    return Step.LAPSE if unpaid.lapses_at <= now else Step.WAIT


def _turns(
    now: datetime, unpaid: Unpaid | None, pause: Pause | None, *, cancel_at_end: bool
) -> Iterator[Turn]:
    """What falls on the end of what is paid. A period that is being charged is not paused."""
    yield Turn.RENEWAL
    if cancel_at_end:
        yield Turn.END
    is_to_begin = pause is not None and not pause.has_begun and pause.starts_at <= now
    if is_to_begin and unpaid is None:
        yield Turn.PAUSE


def is_moved(
    *, back_dates: bool, failed_attempts: int, starts_at: datetime, paid_at: datetime
) -> bool:
    """Whether a period begins when it is paid: late by its member's doing, not by an outage."""
    return not back_dates and failed_attempts > 0 and paid_at > starts_at


def next_attempt_at(
    *,
    attempts: int,
    dunning_days: Sequence[int],
    is_final: bool,
    failed_at: datetime,
    lapses_at: datetime,
) -> datetime | None:
    """When to try again after `attempts` failed attempts; None when there is nothing left to try.

    A hard decline (`is_final`) ends the retrying, for the card will not get better, but not the
    plan: a new card may still save it until `lapses_at`.
    """
    if is_final or attempts > len(dunning_days):
        return None
    retry_at = failed_at + timedelta(days=dunning_days[attempts - 1])
    return retry_at if retry_at <= lapses_at else None


def lapse_limit(*, starts_at: datetime, now: datetime, grace_days: int) -> datetime:
    """When an unpaid period lapses: its grace counts from when it could first be tried."""
    return max(starts_at, now) + timedelta(days=grace_days)


def next_renewal_at(*, ends_at: datetime, charged_at: datetime, time_zone: str) -> datetime:
    """When a subscription is due again, having been charged for a period that ends at `ends_at`.

    Mostly at that end. After an outage, when the next period is due already, on the member's
    next calendar day: a subscription is charged at most once a day.
    """
    return max(ends_at, _next_day(charged_at, ZoneInfo(time_zone)))


def today_of(starts_at: datetime, *, every: Every, time_zone: str, now: datetime) -> datetime:
    """When the period of a daily plan begins that `now` is in, if the next were to begin earlier.

    With one charge a day it would never catch up with days that were missed; so they are let go,
    and nobody pays for days that are over. Plans with longer periods do catch up: theirs stay.
    """
    if every != Every(1, "day") or starts_at >= now:
        return starts_at
    days = (now - starts_at).days
    if moment(starts_at, time_zone=time_zone, every=every, times=days + 1) <= now:
        days += 1  # a day of 23 hours was among them
    begun = moment(starts_at, time_zone=time_zone, every=every, times=days)
    if begun > now:
        begun = moment(starts_at, time_zone=time_zone, every=every, times=days - 1)
    return begun


def moment(at: datetime, *, time_zone: str, every: Every, times: int) -> datetime:
    """The wall clock of a moment, so many intervals later, as an instant.

    In a gap of the clock it is the instant as if the clock had not been moved yet; of a repeated
    hour it is the moment's own (`fold`), which arithmetic forgets.
    """
    return _moved(at.astimezone(ZoneInfo(time_zone)), every, times)


def _moved(local: datetime, every: Every, times: int) -> datetime:
    return every.after(local, times).replace(fold=local.fold).astimezone(UTC)


@lru_cache(maxsize=64)
def _next_day(at: datetime, zone: ZoneInfo) -> datetime:
    tomorrow = at.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), tzinfo=zone).astimezone(UTC)
