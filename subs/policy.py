"""The rules of a plan's life: its calendar, its retries, and what falls first. Pure.

Values in, values out; the services read, ask here, and write.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import Enum, IntEnum
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

_UNITS = {
    "day": relativedelta(days=1),
    "week": relativedelta(weeks=1),
    "month": relativedelta(months=1),
    "year": relativedelta(years=1),
}


@dataclass(frozen=True, slots=True)
class Every:
    """How often a plan renews: every `count` days, weeks, months or years."""

    count: int
    unit: str

    def times(self, n: int) -> relativedelta:
        """N intervals as one step of the calendar, so that no day is lost on the way."""
        return _UNITS[self.unit] * (self.count * n)


@dataclass(frozen=True, slots=True)
class Span:
    """The half-open interval `[starts_at, ends_at)` of a period, in UTC."""

    starts_at: datetime
    ends_at: datetime


class Turn(IntEnum):
    """What may happen to a subscription at one instant, first things first.

    Pause and change belong between the two (end, pause, change, renewal).
    """

    END = 1
    RENEWAL = 4


class Step(Enum):
    """What is to be done about a subscription that is due."""

    WAIT = "wait"
    END = "end"
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


def period_span(*, anchor_at: datetime, time_zone: str, every: Every, number: int) -> Span:
    """The period with this number, counted from 1.

    Always anchor + n × interval, never chained, so that a plan of 31 January renews on 28 or 29
    February and then on 31 March. The wall clock of the member's time zone is kept across
    daylight saving.
    """
    zone = ZoneInfo(time_zone)
    return Span(
        _moment(anchor_at, zone, every.times(number - 1)),
        _moment(anchor_at, zone, every.times(number)),
    )


def first_turn(turns: Iterable[Turn]) -> Turn:
    """Which of several things that fall on one instant happens: end beats renewal."""
    return min(turns)


def next_step(
    *, now: datetime, paid_until: datetime, cancel_at_end: bool, unpaid: Unpaid | None
) -> Step:
    """Decide about a subscription that is paid until `paid_until`.

    A period that nobody could try in time (the scheduler was down) is tried before it may lapse:
    an outage of ours costs no member their plan. A charge that is under way is seen through, even
    if the member cancels meanwhile: only then is it known until when they have paid.
    """
    if now < paid_until:
        return Step.WAIT
    if unpaid is not None and unpaid.is_under_way:
        return Step.RENEW
    turns = [Turn.RENEWAL, Turn.END] if cancel_at_end else [Turn.RENEWAL]
    if first_turn(turns) is Turn.END:
        return Step.END
    if unpaid is None or (unpaid.retry_at is not None and unpaid.retry_at <= now):
        return Step.RENEW
    return Step.LAPSE if unpaid.lapses_at <= now else Step.WAIT


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


def _moment(anchor_at: datetime, zone: ZoneInfo, step: relativedelta) -> datetime:
    """The wall clock of the anchor, so much later, as an instant.

    In a gap of the clock it is the instant as if the clock had not been moved yet; of a repeated
    hour it is the anchor's own (`fold`), which arithmetic forgets.
    """
    local = anchor_at.astimezone(zone)
    moved = local.replace(tzinfo=None) + step
    return moved.replace(tzinfo=zone, fold=local.fold).astimezone(UTC)


def _next_day(at: datetime, zone: ZoneInfo) -> datetime:
    tomorrow = at.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), tzinfo=zone).astimezone(UTC)
