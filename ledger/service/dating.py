"""On which day an event is booked: its own, if that month is open."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import func, select, text

from kernel.db import db
from ledger.models import BookMonth
from ledger.month import Month


def hold_months(days: Iterable[date]) -> None:
    """Keep the months of some days from being closed until the open transaction ends.

    Whoever closes a month waits for all who hold it, and those who come later wait for the closer.
    The database takes the same lock for every entry (trigger `enters_the_books`); this one is for
    those who decide by a month's state before they write.
    """
    for month in sorted({Month.of(day) for day in days}):
        db.session.execute(
            text("SELECT pg_advisory_xact_lock_shared(books_lock(), month_number(:day))"),
            {"day": month.first_on},
        )


def open_from() -> date | None:
    """The first day that the shops may book on; None while no month was ever closed.

    Months are closed in order, so all that are not open come before all that are.
    """
    last = db.session.scalar(select(func.max(BookMonth.first_on)))
    return last and Month(last).next_on


def book_date(*, occurred_on: date, known_on: date, first_open: date | None) -> date:
    """The day that something is booked on which belongs to `occurred_on`.

    That day, while its month is open. Else the day on which it became known, or the first open day
    if that is later: days for which finance has read a report do not change behind its back.
    """
    if first_open is None or occurred_on >= first_open:
        return occurred_on
    return max(first_open, known_on)
