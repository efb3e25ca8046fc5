"""By which days an unlimited plan or a membership earns its money (E9). Pure rules.

The days are those of the selling store, for its books are by the day there. `earning_statements`
says the same in SQL.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Days:
    """The days that earn a lot's money in equal parts: so many, from one on."""

    from_on: date
    count: int


def days_of(
    *, starts_at: datetime, ends_at: datetime, time_zone: str, is_first_gone: bool = False
) -> Days:
    """The days of a period: the one it begins on counts whole, the one it ends on does not.

    So the day on which one period follows another is counted once. A period within one day is
    that day. Where the first one has been used before (`is_first_gone`) it is the second that
    counts, if there is one.
    """
    zone = ZoneInfo(time_zone)
    from_on, ends_on = (at.astimezone(zone).date() for at in (starts_at, ends_at))
    if is_first_gone and from_on + _DAY < ends_on:
        from_on += _DAY
    return Days(from_on, max(1, (ends_on - from_on).days))


def first_due_at(
    days: Days, *, sold_at: datetime, ends_at: datetime, time_zone: str, is_free: bool
) -> datetime:
    """When the first day is earned: at its end, but never before the sale.

    What is paid late earns the days that are over with the day of the sale. What costs nothing
    earns nothing, and is only closed at its end.
    """
    if is_free:
        return ends_at
    sold_on = sold_at.astimezone(ZoneInfo(time_zone)).date()
    return min(end_of_day(max(days.from_on, sold_on), time_zone=time_zone), ends_at)


def end_of_day(day: date, *, time_zone: str) -> datetime:
    """The midnight after a day."""
    return datetime.combine(day + _DAY, time.min, ZoneInfo(time_zone)).astimezone(UTC)
