"""One run over all checks: part by part, each in a snapshot of its own, kept so that it can go on.

1. read where the run is; 2. look at the next part, as of one moment; 3. keep what was found and
where to go on, in one short transaction. A run that is killed between two of these loses a part
at most, and does it again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Select, insert, select, text, update

from kernel import clock
from kernel.db import db
from kernel.ids import new_id
from kernel.side_by_side import side_by_side
from kernel.transaction import again, snapshot, transaction
from ledger.models import BooksCheck, Finding
from ledger.month import Month
from ledger.proof.registry import Found, checks_on, walks
from ledger.proof.walks import MONTHS, Key, Part, Walk

LEASE = timedelta(minutes=15)
"""So long one part may take before another worker may think that the run has died."""

# Sets of some ten thousand rows: sorted in memory, and never stopped half way.
_SETTINGS = (
    "SET LOCAL statement_timeout = '15min'",
    "SET LOCAL work_mem = '48MB'",
    "SET LOCAL plan_cache_mode = force_custom_plan",
    "SET LOCAL jit = off",
    # It would join by member alone, and compare each row of one that has many with each other.
    "SET LOCAL enable_mergejoin = off",
)
_BEFORE_CLOSING = ("sums", "forward", "account", "book", "due")


class NothingToResume(Exception):  # noqa: N818  names the state
    """No run was stopped half way."""


class TakenOver(Exception):  # noqa: N818  names the state
    """Another process goes on with this run."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: what it looked at last, and what it has found there and so far."""

    label: str
    checked: int
    estimate: int
    found: Sequence[Found]
    findings: int


@dataclass(frozen=True, slots=True)
class _At:
    """Where a run goes on."""

    walk: Walk
    after: Key | None


def begin(*, now: datetime) -> UUID:
    """Start a run over everything, in the caller's transaction; `go_on` does it."""
    check_id = new_id()
    db.session.add(BooksCheck(id=check_id, started_at=now, due_at=now + LEASE, position={}))
    return check_id


def unfinished() -> Select[UUID]:
    """The runs that did not come to their end, the latest first."""
    left = select(BooksCheck.id).where(BooksCheck.finished_at.is_(None))
    return left.order_by(BooksCheck.id.desc())


def resume() -> UUID:
    """The run to go on with, in the caller's transaction.

    Raises:
        NothingToResume: the latest run came to its end.
    """
    check_id = db.session.scalar(unfinished().limit(1))
    if check_id is None:
        raise NothingToResume
    return check_id


def go_on(check_id: UUID) -> Iterator[Progress]:
    """Do the rest of a run, part by part. Opens its own transactions; stop it wherever you like.

    Raises:
        TakenOver: another process has gone on with it meanwhile.
    """
    estimate = again(_estimate)
    while (step := again(lambda: _step(check_id, estimate))) is not None:
        yield step


def release(check_id: UUID) -> None:
    """Let another worker go on at once with a run that is left here."""
    with transaction():
        mine = update(BooksCheck).where(BooksCheck.id == check_id)
        db.session.execute(mine.values(due_at=clock.now()))


def check_month(month: Month) -> list[Found]:
    """What does not hold in one month, before it is closed; in the caller's transaction.

    Its roll-ups are its lines, its books balance, and the stores owe what others have to get.
    """
    _settle()
    part = MONTHS.part(month)
    return [
        found
        for one in checks_on(MONTHS)
        if one.name in _BEFORE_CLOSING
        for found in one.look_at(part)
    ]


def check_all_of(month: Month) -> list[Found]:
    """What does not hold in one month, its closing included; in the caller's transaction."""
    _settle()
    part = MONTHS.part(month)
    return [found for one in checks_on(MONTHS) for found in one.look_at(part)]


def latest() -> BooksCheck | None:
    """The run that was started last, in the caller's transaction."""
    return db.session.scalar(select(BooksCheck).order_by(BooksCheck.id.desc()).limit(1))


def findings_of(check_id: UUID) -> Iterator[Found]:
    """What a run has found, in the caller's transaction."""
    rows = select(Finding).where(Finding.check_id == check_id).order_by(Finding.id)
    for row in db.session.scalars(rows.execution_options(yield_per=1_000)):
        yield Found(row.invariant, row.facts)


def _estimate() -> int:
    with transaction():
        return sum(walk.estimate() for walk in walks())


def _step(check_id: UUID, estimate: int) -> Progress | None:
    """Look at one part; None when there is no other."""
    with transaction():
        run = db.session.get_one(BooksCheck, check_id)
        position, checked, findings = run.position, run.checked, run.findings
        is_finished = run.finished_at is not None
    at = None if is_finished else _where(position)
    if at is None:
        return None
    with snapshot():
        _settle()
        part = at.walk.next(at.after)
        found = _look_at(at.walk, part) if part else []
    rows = part.rows if part else 0
    _keep(check_id, position, found, rows=rows, then=_then(at, part))
    label = part.label if part else at.walk.name
    return Progress(label, checked + rows, estimate, found, findings + len(found))


def _where(position: dict[str, Any]) -> _At | None:
    """The walk and the key of a kept position. One that is no longer taken begins anew."""
    every = {walk.name: walk for walk in walks()}
    walk = every.get(position.get("walk", "")) or next(iter(every.values()), None)
    if walk is None:
        return None
    return _At(walk, position.get("after") if position.get("walk") == walk.name else None)


def _then(at: _At, part: Part | None) -> dict[str, Any] | None:
    """Where to go on after a part; None after the last one of the last walk."""
    if part is not None and part.until is not None:
        return {"walk": at.walk.name, "after": part.until}
    names = [walk.name for walk in walks()]
    following = names[names.index(at.walk.name) + 1 :]
    return {"walk": following[0], "after": None} if following else None


def _look_at(walk: Walk, part: Part) -> list[Found]:
    readings = [partial(one.look_at, part) for one in checks_on(walk)]
    return side_by_side(readings, prepare=_settle)


def _settle() -> None:
    for setting in _SETTINGS:
        db.session.execute(text(setting))


def _keep(
    check_id: UUID,
    position: dict[str, Any],
    found: Sequence[Found],
    *,
    rows: int,
    then: dict[str, Any] | None,
) -> None:
    """Keep what a part has shown, if the run still is where it was when the part was begun."""
    now = clock.now()
    there = update(BooksCheck).where(
        BooksCheck.id == check_id,
        BooksCheck.position == position,
        BooksCheck.finished_at.is_(None),
    )
    moved = {
        "checked": BooksCheck.checked + rows,
        "findings": BooksCheck.findings + len(found),
        "due_at": now + LEASE,
        **({"finished_at": now} if then is None else {"position": then}),
    }
    kept = [
        {
            "id": new_id(),
            "check_id": check_id,
            "invariant": one.invariant,
            "facts": one.facts,
            "found_at": now,
        }
        for one in found
    ]
    with transaction():
        if db.session.execute(there.values(moved).returning(BooksCheck.id)).one_or_none() is None:
            raise TakenOver
        if kept:
            db.session.execute(insert(Finding), kept)
