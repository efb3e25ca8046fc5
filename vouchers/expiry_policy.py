"""When cups end, and when their end is announced. Pure rules, in the selling store's time zone."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

DAYS_AHEAD = (30, 7, 1)
"""So many days before their last day the end of cups is announced."""

ANNOUNCED_AT = time(10)
"""At this time of the store's day."""

_UNITS = {
    "day": relativedelta(days=1),
    "week": relativedelta(weeks=1),
    "month": relativedelta(months=1),
    "year": relativedelta(years=1),
}


def ends_at(*, sold_at: datetime, count: int, unit: str, time_zone: str) -> datetime:
    """When cups end that are good for so many days, weeks, months or years after their sale.

    At the midnight after the day that is so much later than the day of the sale, so that the last
    day is a whole one. A month after 31 January is the last of February.
    """
    sold_on = sold_at.astimezone(ZoneInfo(time_zone)).date()
    last_on = sold_on + _UNITS[unit] * count
    return _local(last_on + timedelta(days=1), time.min, time_zone)


def announcements(*, sold_at: datetime, ends_at: datetime, time_zone: str) -> list[datetime]:
    """When the end is announced: at ten in the morning, 30, 7 and 1 days before the last day.

    So many days ahead only for cups that live more than twice as long: nobody is told on the day
    of the sale that what they bought will end.
    """
    return list(_announced(sold_at, ends_at, time_zone))


def _announced(sold_at: datetime, ends_at: datetime, time_zone: str) -> Iterator[datetime]:
    last_on = last_day(ends_at, time_zone=time_zone)
    lives = ends_at - sold_at
    for ahead in DAYS_AHEAD:
        if lives > timedelta(days=2 * ahead):
            yield _local(last_on - timedelta(days=ahead), ANNOUNCED_AT, time_zone)


def first_due_at(*, sold_at: datetime, ends_at: datetime, time_zone: str) -> datetime:
    """When something is to be done about the end of cups first: an announcement, or the end."""
    return next_due_at(sold_at=sold_at, ends_at=ends_at, time_zone=time_zone, now=sold_at)


def next_due_at(*, sold_at: datetime, ends_at: datetime, time_zone: str, now: datetime) -> datetime:
    """When something is to be done next about the end of cups, after what is done at `now`.

    Announcements that were missed do not come back: what is told late, by whoever works after an
    outage, is told once. The end is never missed: where it is over, it is still to come.
    `expiry_statements` says the same in SQL.
    """
    told_at = _announced(sold_at, ends_at, time_zone)
    return next((at for at in told_at if at > now), ends_at)


def last_day(ends_at: datetime, *, time_zone: str) -> date:
    """The last local day on which cups can still be collected."""
    return (ends_at - timedelta.resolution).astimezone(ZoneInfo(time_zone)).date()


def _local(day: date, at: time, time_zone: str) -> datetime:
    return datetime.combine(day, at, ZoneInfo(time_zone)).astimezone(UTC)
