"""The outbox: what a transaction promises to do later, as a row of that same transaction.

News travels upwards by name: a room says `voucher_order.paid`, a room above it has subscribed,
and neither imports the other. One topic has one subscriber. A subscriber's effect and the row's
`done_at` commit together; a `Sending` talks to the outside instead, without a transaction, and
passes the row's id on as its dedupe key.

Notices to members are many at once (reminders) and may wait: they have a drain of their own, on
another queue, so that what rooms tell each other never stands behind them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import (
    CheckConstraint,
    Index,
    PrimaryKeyConstraint,
    Select,
    bindparam,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from kernel import clock, queue
from kernel.db import Base, db, table_of
from kernel.ids import NOBODY, new_id
from kernel.queue import Duty
from kernel.reasons import reason_of
from kernel.transaction import after_commit, again, transaction

log = structlog.get_logger()

_BATCH = 50
_LEASE = timedelta(seconds=30)
_TRIES = 10


class Outbox(Base):
    """One promise. `leased_until` says that a worker is at it; a lease of the dead runs out."""

    __tablename__ = "outbox"
    __table_args__ = (
        PrimaryKeyConstraint("member_id", "id"),
        CheckConstraint("done_at IS NULL OR dead_at IS NULL", "one_end"),
        CheckConstraint("is_open = (done_at IS NULL AND dead_at IS NULL)", "open_until_its_end"),
        Index("ix_outbox_undone", "due_at", postgresql_where=text("is_open AND NOT is_notice")),
        Index("ix_outbox_notice", "due_at", postgresql_where=text("is_open AND is_notice")),
    )

    member_id: Mapped[UUID]
    id: Mapped[UUID]
    topic: Mapped[str]
    facts: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    is_notice: Mapped[bool] = mapped_column(default=False)
    is_open: Mapped[bool] = mapped_column(default=True)
    tries: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class _Subscriber:
    act: Callable[..., None]
    is_sending: bool


_subscribers: dict[str, _Subscriber] = {}


def subscriber(topic: str, *, sending: bool = False) -> Callable[[Callable[..., None]], Any]:
    """Subscribe a function to a topic. It gets the facts as keywords, and `now`.

    With `sending` it runs outside any transaction and gets `dedupe_key` too.
    """

    def subscribe(act: Callable[..., None]) -> Callable[..., None]:
        if topic in _subscribers:
            raise RuntimeError(f"{topic} has a subscriber already")
        _subscribers[topic] = _Subscriber(act, sending)
        return act

    return subscribe


def emit(
    topic: str, *, now: datetime, member_id: UUID = NOBODY, is_notice: bool = False, **facts: Any
) -> None:
    """Promise a topic to its subscriber, if and when the open transaction commits.

    With `is_notice` it may wait behind what rooms tell each other.
    """
    plain = {name: str(fact) if isinstance(fact, UUID) else fact for name, fact in facts.items()}
    row = Outbox(
        member_id=member_id,
        id=new_id(),
        topic=topic,
        facts=plain,
        created_at=now,
        due_at=now,
        is_notice=is_notice,
    )
    db.session.add(row)
    after_commit(lambda: queue.ring(NOTICES if is_notice else DUTY))


def drain() -> None:
    """Keep every promise that is due, but for notices. The RQ job; may run many times at once."""
    queue.begun(DUTY.job)
    _keep_all(is_notice=False)


def send_notices() -> None:
    """Send every notice that is due. The RQ job; may run many times at once."""
    queue.begun(NOTICES.job)
    _keep_all(is_notice=True)


def _undone_ids(now: datetime) -> Select[UUID]:
    return select(Outbox.id).where(*_due(now, is_notice=False))


def _notice_ids(now: datetime) -> Select[UUID]:
    return select(Outbox.id).where(*_due(now, is_notice=True))


DUTY = Duty("kernel.outbox.drain", "events", _undone_ids)
NOTICES = Duty("kernel.outbox.send_notices", "nightly", _notice_ids)
DUTIES = (DUTY, NOTICES)


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A row that is ours to act on until the lease runs out, or is taken anew."""

    member_id: UUID
    row_id: UUID
    topic: str
    facts: dict[str, Any]
    leased_until: datetime


def _due(now: datetime, *, is_notice: bool) -> tuple[Any, ...]:
    free = (Outbox.leased_until.is_(None)) | (Outbox.leased_until < now)
    lane = Outbox.is_notice if is_notice else ~Outbox.is_notice
    return (Outbox.is_open, lane, Outbox.due_at <= now, free)


def _keep_all(*, is_notice: bool) -> None:
    while claimed := again(lambda: _claim(is_notice=is_notice)):
        for one in claimed:
            _keep(one)


def _claim(*, is_notice: bool) -> list[_Claimed]:
    now = clock.now()
    with transaction():
        picked = (
            select(Outbox)
            .where(*_due(now, is_notice=is_notice))
            .order_by(Outbox.due_at)
            .limit(_BATCH)
            .with_for_update(skip_locked=True)
        )
        rows = db.session.scalars(picked).all()
        until = now + _LEASE
        for row in rows:
            row.leased_until = until
        return [_Claimed(row.member_id, row.id, row.topic, row.facts, until) for row in rows]


def _keep(one: _Claimed) -> None:
    try:
        again(lambda: _act(one))
    except Exception as problem:  # noqa: BLE001  one bad row must not stop the others
        reason = reason_of(problem)
        again(lambda: _postpone(one.member_id, one.row_id, reason))


def _act(one: _Claimed) -> None:
    now = clock.now()
    to = _subscribers[one.topic]
    if to.is_sending:
        _send(one, to.act, now)
        return
    with transaction():
        if _close(one, now):
            to.act(now=now, **one.facts)


def _send(one: _Claimed, send: Callable[..., None], now: datetime) -> None:
    with transaction():
        row = _undone(one.member_id, one.row_id)
        if row is None or row.leased_until != one.leased_until:
            return  # the lease ran out behind slow sendings, and somebody else has it now
        row.leased_until = now + _LEASE
    send(now=now, dedupe_key=str(one.row_id), **one.facts)
    with transaction():
        _close(one, now)


def _close(one: _Claimed, now: datetime) -> bool:
    """Lock the row and end it; answer whether it was still to be done, see `_undone`."""
    ended = {"of": one.member_id, "row_id": one.row_id, "now": now}
    return db.session.scalar(_CLOSE, ended) is not None


_ROW = table_of(Outbox)
_CLOSE = (
    update(_ROW)
    .where(_ROW.c.member_id == bindparam("of"), _ROW.c.id == bindparam("row_id"), _ROW.c.is_open)
    .values(done_at=bindparam("now"), is_open=False)
    .returning(_ROW.c.id)
)


def _undone(member_id: UUID, row_id: UUID) -> Outbox | None:
    """Lock the row, if it is still to be done: a lease may have run out under a slow worker."""
    mine = select(Outbox).where(Outbox.member_id == member_id, Outbox.id == row_id, Outbox.is_open)
    return db.session.scalar(mine.with_for_update())


def _postpone(member_id: UUID, row_id: UUID, reason: str) -> None:
    now = clock.now()
    with transaction():
        row = _undone(member_id, row_id)
        if row is None:
            return
        row.tries += 1
        row.last_error = reason
        row.leased_until = None
        row.due_at = now + timedelta(seconds=min(2**row.tries, 3_600))
        if row.tries >= _TRIES:
            row.dead_at, row.is_open = now, False
            log.error("outbox.dead", topic=row.topic, outbox_id=str(row_id))
            _tell_dead(row, now)
        else:
            log.warning("outbox.postponed", topic=row.topic, outbox_id=str(row_id))


def _tell_dead(row: Outbox, now: datetime) -> None:
    """What rooms tell each other is money. A letter that could not be sent is only logged."""
    from kernel.alerts import alert  # noqa: PLC0415  it stands on this module

    if row.topic in _subscribers and _subscribers[row.topic].is_sending:
        return
    alert(f"Outbox row {row.id} ({row.topic}) is given up; its last_error says why", now=now)
