"""A calendar month as a period of the books."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from dateutil.relativedelta import relativedelta

from ledger.errors import PeriodInvalid

_WESTERNMOST = timedelta(hours=12)
_FORM = "2026-01"


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """`[first_on, next_on)`."""

    first_on: date

    @classmethod
    def parse(cls, period: str, *, today_on: date) -> "Month":
        """Read `2026-01`.

        Raises:
            PeriodInvalid: it is no month, or has not begun.
        """
        try:
            first_on = date.fromisoformat(f"{period}-01")
        except ValueError:
            raise PeriodInvalid(period=period) from None
        if first_on > today_on or len(period) != len(_FORM):
            raise PeriodInvalid(period=period)
        return cls(first_on)

    @classmethod
    def of(cls, day: date) -> "Month":
        """The month that a day is in."""
        return cls(day.replace(day=1))

    @property
    def next_on(self) -> date:
        return self.first_on + relativedelta(months=1)

    @property
    def last_on(self) -> date:
        return self.next_on - timedelta(days=1)

    def next(self) -> "Month":
        return Month(self.next_on)

    def before(self) -> "Month":
        return Month(self.first_on - relativedelta(months=1))

    def is_over(self, now: datetime) -> bool:
        """Whether the month has passed everywhere on earth."""
        return now >= datetime.combine(self.next_on, time(), UTC) + _WESTERNMOST

    def __str__(self) -> str:
        return f"{self.first_on:%Y-%m}"
