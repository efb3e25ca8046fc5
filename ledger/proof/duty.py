"""The books are checked every night, and whatever is found wakes somebody."""

import time
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import Select, and_, func, or_, select, update

from chain.models import Store
from kernel import clock, queue
from kernel.alerts import alert
from kernel.db import db
from kernel.queue import Duty
from kernel.transaction import again, transaction
from ledger.models import BooksCheck, Entry
from ledger.proof.runner import LEASE, TakenOver, begin, go_on, release, unfinished

log = structlog.get_logger()

_HOUR = timedelta(hours=3)
_AFTER_A_FAILURE = timedelta(hours=1)
_SLICE_S = 1_200.0
"""A job is given half an hour; a longer run goes on in the next one."""


def checks_due(now: datetime) -> Select[UUID]:
    """Something, if a run is left half way, or none has begun since three o'clock at the chain.

    Books in which nothing is booked yet need no check.
    """
    local = func.timezone(Store.time_zone, now) - _HOUR
    since = func.timezone(Store.time_zone, func.date_trunc("day", local) + _HOUR)
    begun = select(BooksCheck.id).where(BooksCheck.started_at >= since).exists()
    left = and_(BooksCheck.finished_at.is_(None), BooksCheck.due_at <= now)
    is_wanted = and_(~begun, select(Entry.id).exists())
    waits = or_(is_wanted, select(BooksCheck.id).where(left).exists())
    return select(Store.id).where(Store.is_online, waits)


DUTY = Duty("ledger.proof.duty.check_books", "nightly", checks_due)


def check_books() -> None:
    """Check the books, or go on with a check that was left. The RQ job."""
    queue.begun(DUTY.job)
    check_id = again(_claim)
    if check_id is None:
        return
    try:
        is_finished = _check(check_id)
    except TakenOver:
        return
    except Exception as problem:
        said = type(problem).__name__
        again(lambda: _postpone(check_id, said))
        raise
    if is_finished:
        again(lambda: _report(check_id))
    else:
        again(lambda: release(check_id))


def _claim() -> UUID | None:
    """The run to do: one that was left, or a new one; None if another worker was faster."""
    now = clock.now()
    with transaction():
        db.session.execute(select(Store.id).where(Store.is_online).with_for_update())
        left = unfinished().where(BooksCheck.due_at <= now).limit(1)
        check_id = db.session.scalar(left)
        if check_id is not None:
            mine = update(BooksCheck).where(BooksCheck.id == check_id)
            db.session.execute(mine.values(due_at=now + LEASE))
            return check_id
        is_due = db.session.scalar(checks_due(now)) is not None
        return begin(now=now) if is_due else None


def _check(check_id: UUID) -> bool:
    """Whether the run came to its end, within the time of a job."""
    ends_at = time.monotonic() + _SLICE_S
    for progress in go_on(check_id):
        for one in progress.found:
            log.error("books.finding", check=one.invariant, check_id=str(check_id))
        if time.monotonic() > ends_at:
            return False
    return True


def _report(check_id: UUID) -> None:
    with transaction():
        run = db.session.get_one(BooksCheck, check_id)
        if not run.findings:
            log.info("books.checked", check_id=str(check_id), checked=run.checked)
            return
        log.error("books.wrong", check_id=str(check_id), findings=run.findings)
        said = f"Jibei: the check of the books {check_id} has {run.findings} findings."
        alert(f"{said} Look at them with: jibei books findings", now=clock.now())


def _postpone(check_id: UUID, error: str) -> None:
    now = clock.now()
    with transaction():
        mine = update(BooksCheck).where(BooksCheck.id == check_id)
        db.session.execute(mine.values(due_at=now + _AFTER_A_FAILURE))
        log.error("books.not_checked", check_id=str(check_id), error=error)
        alert(f"Jibei: the check of the books {check_id} could not go on.", now=now)
