"""A month is over: first the shops stop booking into it, then finance does.

open → soft → closed, one month after the other. Closing is a job, so that it may take its time:
the request is a row, and whatever breaks, the job finds it again.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import structlog
from sqlalchemy import Select, exists, select

import chain
from kernel import queue
from kernel.db import db
from kernel.errors import Refusal, Unavailable
from kernel.ids import NOBODY
from kernel.queue import Duty
from kernel.transaction import after_commit, again, transaction
from ledger.errors import PeriodNotOver, PeriodOrder, PeriodState
from ledger.models import BookMonth, Unfolded
from ledger.month import Month
from ledger.proof import check_month
from ledger.service import estimating
from ledger.service.balances import digest, write_month_balances
from ledger.service.fold import fold_some
from ledger.service.periods import (
    PeriodView,
    alone,
    first_booked,
    latest,
    list_periods,
    note_step,
    shut_out_finance,
    shut_out_shops,
)

__all__ = [
    "DUTY",
    "PeriodView",
    "ask_to_close",
    "close_asked",
    "list_periods",
    "open_again",
    "soft_close",
]

log = structlog.get_logger()

_BATCH = 2_000
_TOLD = 5


class NotAgreeing(Exception):  # noqa: N818  names the state
    """The books of the month do not hold what they must; the text says where."""


def soft_close(*, month: Month, by_id: UUID, now: datetime) -> None:
    """Let only finance book into a month from now on: adjustments and breakage.

    Waits for whoever is booking into it at this moment. What comes later is booked in the first
    open month, with both dates.

    Raises:
        PeriodNotOver: somewhere on earth it is still that month.
        PeriodOrder: another month comes first.
        PeriodState: it is soft or closed.
    """
    alone()
    if not month.is_over(now):
        raise PeriodNotOver(period=str(month))
    _check_turn(month, now)
    shut_out_shops(month)
    row = BookMonth(first_on=month.first_on, state="soft", version=1)
    db.session.add(row)
    db.session.flush()
    note_step(row, "soft_closed", by_id=by_id, now=now)


def open_again(*, month: Month, by_id: UUID, now: datetime) -> None:
    """Let the shops book into the latest soft month again.

    Raises:
        PeriodOrder: a later month is soft too.
        PeriodState: it is not soft, or was closed once: what came late stands elsewhere already.
    """
    alone()
    row = _soft(month)
    last = latest()
    if last is not None and last is not row:
        raise PeriodOrder(next=str(Month(last.first_on)))
    if row.version > 1:
        raise PeriodState(state=row.state, version=row.version)
    note_step(row, "opened", by_id=by_id, now=now)
    db.session.delete(row)


def ask_to_close(*, month: Month, by_id: UUID, now: datetime) -> None:
    """Ask for a soft month to be closed, as soon as a worker gets to it.

    Raises:
        PeriodState: it is not soft.
        PeriodOrder: an earlier month is soft too.
    """
    alone()
    row = _soft(month)
    _check_first_soft(month)
    row.closing_asked_at, row.closing_asked_by_id, row.problem = now, by_id, None
    after_commit(lambda: queue.ring(DUTY))


def close_asked(*, now: datetime) -> None:
    """Close every month that it was asked for, the earliest first. Opens its own transactions.

    A month that cannot be closed stays soft, and says why in `problem`.
    """
    for first_on in again(_asked):
        month = Month(first_on)
        try:
            _fold_ahead(month)
            again(lambda month=month: _close(month, now))  # type: ignore[misc]
        except Unavailable:
            raise
        except Exception as problem:  # noqa: BLE001  any reason stands where finance reads it
            log.error("period.not_closed", period=str(month), error=type(problem).__name__)  # noqa: TRY400  a row may stand in the stack
            reason = _reason(problem)
            again(lambda month=month, reason=reason: _give_up(month, reason))  # type: ignore[misc]


def months_to_close(now: datetime) -> Select[date]:
    """The months that somebody asked to close."""
    return select(BookMonth.first_on).where(BookMonth.closing_asked_at <= now)


DUTY = Duty("ledger.jobs.close_months", "nightly", months_to_close)


def _check_turn(month: Month, now: datetime) -> None:
    """Months become soft one after another: from the first with entries on, or else last month."""
    last, begun = latest(), first_booked()
    row = db.session.get(BookMonth, month.first_on)
    if row is not None:
        raise PeriodState(state=row.state, version=row.version)
    turn = Month(last.first_on).next() if last else begun or Month.of(chain.today_on(now)).before()
    if month != turn:
        raise PeriodOrder(next=str(turn))


def _soft(month: Month) -> BookMonth:
    row = db.session.get(BookMonth, month.first_on, populate_existing=True)
    if row is None:
        raise PeriodState(state="open", version=1)
    if row.state != "soft":
        raise PeriodState(state=row.state, version=row.version)
    return row


def _check_first_soft(month: Month) -> None:
    soft = select(BookMonth.first_on).where(BookMonth.state == "soft")
    first_on = db.session.scalar(soft.order_by(BookMonth.first_on).limit(1))
    if first_on is not None and first_on < month.first_on:
        raise PeriodOrder(next=str(Month(first_on)))


def _asked() -> Sequence[date]:
    asked = select(BookMonth.first_on).where(BookMonth.closing_asked_at.is_not(None))
    with transaction():
        return db.session.scalars(asked.order_by(BookMonth.first_on)).all()


def _fold_ahead(month: Month) -> None:
    """Fold while writers may still come, so that little is left to do behind closed doors."""
    while again(lambda: _fold_if_any(month)):
        pass


def _fold_if_any(month: Month) -> bool:
    with transaction():
        return _is_unfolded(month) and fold_some(limit=_BATCH) > 0


def _close(month: Month, now: datetime) -> None:
    """Close a month, in one transaction.

    1. One verb at a time, and nobody asks us to stop; 2. wait for finance, and keep it out: the
    shops have been since the month became soft, and no till waits for this; 3. breakage, which is
    the last to book; 4. fold what is left; 5. prove the month; 6. write its balances, and the
    digest over them.
    """
    with transaction():
        alone()
        row = db.session.get(BookMonth, month.first_on)
        if row is None or row.closing_asked_at is None:
            return
        _check_first_soft(month)
        shut_out_finance(month)
        estimating.run(month=month, now=now)
        _fold_rest(month)
        _prove(month)
        write_month_balances(month, row.version)
        row.digest = digest(month, row.version)
        row.state, row.closed_at, row.closing_asked_at = "closed", now, None
        note_step(row, "closed", by_id=row.closing_asked_by_id or NOBODY, now=now)


def _fold_rest(month: Month) -> None:
    while _is_unfolded(month):
        if not fold_some(limit=_BATCH):
            raise RuntimeError("entries of the month are left that the fold does not take")


def _is_unfolded(month: Month) -> bool:
    due = exists().where(Unfolded.book_date < month.next_on)
    return bool(db.session.scalar(select(due)))


def _prove(month: Month) -> None:
    found = check_month(month)
    if found:
        told = "; ".join(f"{finding.invariant}: {finding.facts}" for finding in found[:_TOLD])
        raise NotAgreeing(f"{len(found)} findings: {told}")


def _reason(problem: Exception) -> str:
    if isinstance(problem, Refusal):
        return f"{problem.code} {problem.facts}"
    if isinstance(problem, NotAgreeing):
        return str(problem)
    return type(problem).__name__


def _give_up(month: Month, reason: str) -> None:
    with transaction():
        alone()
        row = db.session.get(BookMonth, month.first_on)
        if row is not None and row.closing_asked_at is not None:
            row.closing_asked_at, row.problem = None, reason
