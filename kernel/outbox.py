"""The outbox: what a transaction promises to do later, as a row of that same transaction.

News travels upwards by name: a room says `voucher_order.paid`, a room above it has subscribed,
and neither imports the other. One topic has one subscriber. A subscriber's effect and the row's
`done_at` commit together; a `Sending` talks to the outside instead, without a transaction, and
passes the row's id on as its dedupe key.

A subscriber may take many: what is due of its topic is then acted on as one set, in one
transaction. Where that fails each row is tried alone, so that a bad one never stops the others.

Notices to members are many at once (reminders) and may wait: they have a drain of their own, on
another queue, so that what rooms tell each other never stands behind them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    DateTime,
    Index,
    PrimaryKeyConstraint,
    Select,
    Uuid,
    bindparam,
    column,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from kernel import clock, queue
from kernel.db import Base, db, table_of
from kernel.due import of
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
    takes_many: bool


_subscribers: dict[str, _Subscriber] = {}


def subscriber(
    topic: str, *, sending: bool = False, many: bool = False
) -> Callable[[Callable[..., None]], Any]:
    """Subscribe a function to a topic. It gets the facts as keywords, and `now`.

    With `sending` it runs outside any transaction and gets `dedupe_key` too. With `many` it gets
    the facts of several rows at once, as the sequence `news`, and `now`.
    """

    def subscribe(act: Callable[..., None]) -> Callable[..., None]:
        if topic in _subscribers:
            raise RuntimeError(f"{topic} has a subscriber already")
        _subscribers[topic] = _Subscriber(act, sending, many)
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
    after_commit(_ring_for_notices if is_notice else _ring)


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


def _moments(member_id: ColumnElement[UUID]) -> Select[Any]:
    return select(Outbox.due_at).where(Outbox.member_id == member_id, Outbox.is_open)


def _undone_moments(member_id: ColumnElement[UUID]) -> Select[Any]:
    return _moments(member_id).where(~Outbox.is_notice)


def _notice_moments(member_id: ColumnElement[UUID]) -> Select[Any]:
    return _moments(member_id).where(Outbox.is_notice)


DUTY = Duty("kernel.outbox.drain", "events", _undone_ids, _undone_moments)
NOTICES = Duty("kernel.outbox.send_notices", "nightly", _notice_ids, _notice_moments)
DUTIES = (DUTY, NOTICES)


_ring, _ring_for_notices = partial(queue.ring, DUTY), partial(queue.ring, NOTICES)


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


@cache
def _claimable(*, is_notice: bool) -> Select[Outbox]:
    """What is due at `:now` and nobody holds."""
    now: Any = bindparam("now", type_=DateTime(timezone=True))
    return (
        select(Outbox)
        .where(*_due(now, is_notice=is_notice))
        .order_by(Outbox.due_at)
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
    )


def _keep_all(*, is_notice: bool) -> None:
    while claimed := again(lambda: _claim(is_notice=is_notice)):
        for ones in _sets(claimed):
            _keep(ones)


def _sets(claimed: Iterable[_Claimed]) -> Iterable[list[_Claimed]]:
    """What is acted on together: of a topic whose subscriber takes many all, else each alone."""
    sets: dict[object, list[_Claimed]] = {}
    for one in claimed:
        to = _subscribers.get(one.topic)
        sets.setdefault(one.topic if to and to.takes_many else one.row_id, []).append(one)
    return sets.values()


def _claim(*, is_notice: bool) -> list[_Claimed]:
    now = clock.now()
    with transaction():
        picked = of(_claimable(is_notice=is_notice), Outbox.member_id, clock.whose())
        rows = db.session.scalars(picked, {"now": now}).all()
        until = now + _LEASE
        for row in rows:
            row.leased_until = until
        return [_Claimed(row.member_id, row.id, row.topic, row.facts, until) for row in rows]


def _keep(ones: Sequence[_Claimed]) -> None:
    try:
        again(lambda: _act(ones))
    except Exception as problem:  # noqa: BLE001  one bad row must not stop the others
        reason = reason_of(problem)
        if len(ones) > 1:
            log.warning("outbox.one_by_one", topic=ones[0].topic, error=reason)
            for one in ones:
                _keep([one])
            return
        again(lambda: _postpone(ones[0], reason))


def _act(ones: Sequence[_Claimed]) -> None:
    now = clock.now()
    to = _subscribers[ones[0].topic]
    if to.is_sending:
        _send(ones[0], to.act, now)
        return
    with transaction():
        ours = _close(ones, now)
        if to.takes_many and ours:
            to.act(now=now, news=[one.facts for one in ours])
        elif ours:
            to.act(now=now, **ours[0].facts)


def _send(one: _Claimed, send: Callable[..., None], now: datetime) -> None:
    with transaction():
        row = _undone(one)
        if row is None or row.leased_until != one.leased_until:
            return  # the lease ran out behind slow sendings, and somebody else has it now
        row.leased_until = now + _LEASE
    send(now=now, dedupe_key=str(one.row_id), **one.facts)
    with transaction():
        _close([one], now)


def _close(ones: Sequence[_Claimed], now: datetime) -> list[_Claimed]:
    """Lock the rows and end them; answer those that were still to be done, see `_undone`."""
    keys = {"of": [one.member_id for one in ones], "row_ids": [one.row_id for one in ones]}
    ended = set(db.session.scalars(_CLOSE, {**keys, "now": now}))
    return [one for one in ones if one.row_id in ended]


_ROW = table_of(Outbox)
_KEYS = (
    func.unnest(bindparam("of", type_=ARRAY(Uuid)), bindparam("row_ids", type_=ARRAY(Uuid)))
    .table_valued(column("member_id", Uuid), column("id", Uuid), name="key")
    .render_derived()
)
_STILL_OPEN = (  # locked in one order, so that two who hold the same rows do not wait in a ring
    select(_ROW.c.member_id, _ROW.c.id)
    .join(_KEYS, (_ROW.c.member_id == _KEYS.c.member_id) & (_ROW.c.id == _KEYS.c.id))
    .where(_ROW.c.is_open)
    .order_by(_ROW.c.member_id, _ROW.c.id)
    .with_for_update(of=_ROW)
    .cte("still_open")
)
_CLOSE = (
    update(_ROW)
    .where(_ROW.c.member_id == _STILL_OPEN.c.member_id, _ROW.c.id == _STILL_OPEN.c.id)
    .values(done_at=bindparam("now"), is_open=False)
    .returning(_ROW.c.id)
)


def _undone(one: _Claimed) -> Outbox | None:
    """Lock the row, if it is still to be done: a lease may have run out under a slow worker."""
    mine = select(Outbox).where(
        Outbox.member_id == one.member_id, Outbox.id == one.row_id, Outbox.is_open
    )
    return db.session.scalar(mine.with_for_update())


def _postpone(one: _Claimed, reason: str) -> None:
    now = clock.now()
    with transaction():
        row = _undone(one)
        if row is None:
            return
        row.tries += 1
        row.last_error = reason
        row.leased_until = None
        row.due_at = now + timedelta(seconds=min(2**row.tries, 3_600))
        if row.tries >= _TRIES:
            row.dead_at, row.is_open = now, False
            log.error("outbox.dead", topic=row.topic, outbox_id=str(row.id))
            _tell_dead(row, now)
        else:
            log.warning("outbox.postponed", topic=row.topic, outbox_id=str(row.id))


def _tell_dead(row: Outbox, now: datetime) -> None:
    """What rooms tell each other is money. A letter that could not be sent is only logged."""
    from kernel.alerts import alert  # noqa: PLC0415  it stands on this module

    if row.topic in _subscribers and _subscribers[row.topic].is_sending:
        return
    alert(f"Outbox row {row.id} ({row.topic}) is given up; its last_error says why", now=now)
