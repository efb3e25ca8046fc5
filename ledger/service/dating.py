"""On which day an event is booked: its own, if that month is open."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select, text

from kernel.db import db
from ledger.models import BookMonth
from ledger.month import Month

_HOLD = text("SELECT pg_advisory_xact_lock_shared(books_lock(), month_number(:day) * :door)")

_IS_CLOSED = BookMonth.state == "closed"
_LAST_LEFT = select(func.max(BookMonth.first_on), func.max(BookMonth.first_on).filter(_IS_CLOSED))

FINANCE_KINDS = ("adjustment", "breakage")
"""What finance books, also into a month that is soft."""


def hold_months(days: Iterable[date], *, is_finance: bool = False) -> None:
    """Keep the months of some days from being left until the open transaction ends.

    Whoever leaves a month waits for all who hold it, and those who come later wait for that. The
    shops leave it when it becomes soft, finance when it is closed: each holds it by a door of its
    own, so that no till waits while a month is proved. The database takes the same lock for every
    entry (trigger `enters_the_books`); this one is for those who decide by a month's state before
    they write.
    """
    for month in sorted({Month.of(day) for day in days}):
        db.session.execute(_HOLD, {"day": month.first_on, "door": -1 if is_finance else 1})


@dataclass(frozen=True, slots=True)
class OpenFrom:
    """The first days that may be booked on, by everybody and by finance; None for any day.

    Months are closed in order, so all that are not open come before all that are.
    """

    everybody: date | None
    finance: date | None

    def for_kind(self, kind: str) -> date | None:
        """The first day for entries of a kind."""
        return self.finance if kind in FINANCE_KINDS else self.everybody


def open_from() -> OpenFrom:
    """Where the open months begin now."""
    left, closed = db.session.execute(_LAST_LEFT).one()
    return OpenFrom(left and Month(left).next_on, closed and Month(closed).next_on)


def book_date(*, occurred_on: date, known_on: date, first_open: date | None) -> date:
    """The day that something is booked on which belongs to `occurred_on`.

    That day, while its month is open. Else the day on which it became known, or the first open day
    if that is later: days for which finance has read a report do not change behind its back.
    """
    if first_open is None or occurred_on >= first_open:
        return occurred_on
    return max(first_open, known_on)
