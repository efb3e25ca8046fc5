"""Which months are counted, and the moments between which each of them lies."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

MONTH = relativedelta(months=1)


@dataclass(frozen=True, slots=True)
class Reach:
    """The months from `first_on` to that of `now`, where the chain is."""

    first_on: date
    now: datetime
    time_zone: str

    @property
    def months(self) -> list[date]:
        """The month before the first, which movements begin from, and all that are counted."""
        last_on = month_of(self.now, self.time_zone)
        months = [self.first_on - MONTH]
        while months[-1] < last_on:
            months.append(months[-1] + MONTH)
        return months

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What the statements are given.

        `edges` are the beginnings of `months`, and `now`: `width_bucket` finds the month of a
        moment in them, a hundred times faster than the calendar would.
        """
        months = self.months
        edges = [*(opening(month_on, self.time_zone) for month_on in months), self.now]
        return {
            "months": months,
            "edges": edges,
            "numbers": list(range(1, len(months) + 1)),
            "counted": len(months),
            "first_on": self.first_on,
            "first_at": edges[1],
            "now": self.now,
            "time_zone": self.time_zone,
        }


def month_of(at: datetime, time_zone: str) -> date:
    """The first day of the month of a moment."""
    return at.astimezone(ZoneInfo(time_zone)).date().replace(day=1)


def opening(month_on: date, time_zone: str) -> datetime:
    """The first moment of a month."""
    return datetime.combine(month_on, time(), ZoneInfo(time_zone))
