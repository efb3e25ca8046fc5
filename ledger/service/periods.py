"""The months of the books as they stand, and what their verbs have in common."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import func, select, text

import chain
from kernel.db import db
from kernel.ids import new_id
from kernel.turns import take_turn
from ledger.errors import PeriodClosed, PeriodInvalid
from ledger.models import BookMonth, BookMonthStep, Line
from ledger.month import Month

_TURN = hashlib.sha256(b"the months of the books").digest()

Step = Literal["soft_closed", "opened", "closed", "reopened"]


@dataclass(frozen=True, slots=True)
class PeriodView:
    """A month as it stands. `version` counts its closings, the coming one included."""

    month: Month
    state: Literal["open", "soft", "closed"]
    version: int
    closing_asked_at: datetime | None
    problem: str | None
    closed_at: datetime | None
    digest: bytes | None
    steps: Sequence[BookMonthStep]


def list_periods() -> Sequence[PeriodView]:
    """Every month from the first that has entries to the last, the latest first."""
    rows = {row.first_on: row for row in db.session.scalars(select(BookMonth))}
    booked = db.session.execute(select(func.min(Line.book_date), func.max(Line.book_date))).one()
    days = [*rows, *(day for day in booked if day is not None)]
    if not days:
        return []
    steps = _steps_by_month()
    months = _months(Month.of(min(days)), Month.of(max(days)))
    return [_view(month, rows.get(month.first_on), steps[month.first_on]) for month in months][::-1]


def alone() -> None:
    """Let one verb at a time change months, until the transaction ends."""
    take_turn(_TURN)


def shut_out_shops(month: Month) -> None:
    """Wait for the shops that are writing into a month, and keep others out for the transaction.

    What is read afterwards includes all that they wrote. The other side of this lock is
    `dating.hold_months`, and the trigger that every entry passes.
    """
    _shut(month, door=1)


def shut_out_finance(month: Month) -> None:
    """The same for finance, which books into a month as long as it is not closed."""
    _shut(month, door=-1)


def _shut(month: Month, *, door: int) -> None:
    db.session.execute(
        text("SELECT pg_advisory_xact_lock(books_lock(), month_number(:day) * :door)"),
        {"day": month.first_on, "door": door},
    )


def note_step(row: BookMonth, step: Step, *, by_id: UUID, now: datetime) -> None:
    """Write down what was done to a month, and by whom."""
    db.session.add(
        BookMonthStep(
            id=new_id(),
            first_on=row.first_on,
            step=step,
            version=row.version,
            at=now,
            by_id=by_id,
            digest=row.digest,
        )
    )


def latest(state: str | None = None) -> BookMonth | None:
    """The latest month that is no longer open, or that is in one state of those."""
    rows = select(BookMonth).order_by(BookMonth.first_on.desc()).limit(1)
    if state is not None:
        rows = rows.where(BookMonth.state == state)
    return db.session.scalar(rows)


def first_booked() -> Month | None:
    """The month of the first day that anything is booked on."""
    day = db.session.scalar(select(func.min(Line.book_date)))
    return day and Month.of(day)


def check_day(day: date, *, now: datetime) -> None:
    """Let a day pass that somebody has typed: the books must have begun, and its month too.

    A slip of the year would otherwise leave a month far back that has to be closed first. Books in
    which nothing is booked yet may begin with the month before this one: with balances brought in.

    Raises:
        PeriodInvalid: it is before the books, or in a month to come.
    """
    month, this = Month.of(day), Month.of(chain.today_on(now))
    begun = first_booked() or this.before()
    if not begun <= month <= this:
        raise PeriodInvalid(period=str(month))


def check_not_closed(month: Month) -> None:
    """Let finance book into a month that is open or soft.

    Raises:
        PeriodClosed: it is closed, or comes before one that is.
    """
    last = latest("closed")
    if last is not None and month.first_on <= last.first_on:
        raise PeriodClosed(period=str(month))


def _steps_by_month() -> dict[date, list[BookMonthStep]]:
    found: dict[date, list[BookMonthStep]] = defaultdict(list)
    for step in db.session.scalars(select(BookMonthStep).order_by(BookMonthStep.id)):
        found[step.first_on].append(step)
    return found


def _months(first: Month, last: Month) -> Iterator[Month]:
    while first <= last:
        yield first
        first = first.next()


def _view(month: Month, row: BookMonth | None, steps: Sequence[BookMonthStep]) -> PeriodView:
    if row is None:
        return PeriodView(month, "open", 1, None, None, None, None, steps)
    return PeriodView(
        month=month,
        state="closed" if row.state == "closed" else "soft",
        version=row.version,
        closing_asked_at=row.closing_asked_at,
        problem=row.problem,
        closed_at=row.closed_at,
        digest=row.digest,
        steps=steps,
    )
