"""The only module that reads the clock.

Everything else is given `now`. In development the clock can be moved: `CLOCK_FILE` names a
small file with the number of seconds by which all processes of one checkout run ahead of the
machine. A file, since every process (web, workers, tick, sandbox provider) has to see the same
time at once and one `stat` costs a microsecond, where a query would cost a round trip.

There, a member's clock can run ahead of everybody's besides (`apart`): whoever acts for that
member, a request or a job, reads the member's time.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

_NO_OFFSET = timedelta(0)
_offset = _NO_OFFSET
_offset_read_from = (0, 0)


class _Apart(NamedTuple):
    """Whose clock is read, and how far it runs ahead of everybody's."""

    member_id: UUID
    by: timedelta


_apart: ContextVar[_Apart | None] = ContextVar("apart", default=None)


def now() -> datetime:
    """The present moment, aware, in UTC, for whom the caller acts: mostly for everybody."""
    theirs = _apart.get()
    return common() if theirs is None else common() + theirs.by


def common() -> datetime:
    """Everybody's present, moved by the clock file where there is one. Tills and phones have it."""
    return datetime.now(UTC) + _current_offset()


@contextmanager
def apart(member_id: UUID, by: timedelta) -> Iterator[None]:
    """Within, the caller acts for one member, whose clock runs ahead of everybody's by `by`.

    Not in threads that are begun within: they have everybody's time.
    """
    before = _apart.set(_Apart(member_id, by))
    try:
        yield
    finally:
        _apart.reset(before)


def whose() -> UUID | None:
    """The member for whom the caller acts apart from everybody, so that a job leaves the others."""
    theirs = _apart.get()
    return None if theirs is None else theirs.member_id


def is_movable() -> bool:
    """Whether this installation's clock can be moved: in development, where CLOCK_FILE is set."""
    return bool(os.environ.get("CLOCK_FILE"))


def advance(by: timedelta) -> datetime:
    """Move the clock of this checkout forward by `by` and answer the new present.

    Raises:
        RuntimeError: no clock file is configured, as in production.
    """
    path = os.environ.get("CLOCK_FILE")
    if not path:
        raise RuntimeError("the clock only moves in development, where CLOCK_FILE is set")
    seconds = (_current_offset() + by).total_seconds()
    fresh = Path(f"{path}.{os.getpid()}")
    fresh.write_text(f"{seconds}\n", encoding="ascii")
    fresh.replace(path)  # atomic, so that no reader sees half a number
    return now()


def _current_offset() -> timedelta:
    global _offset, _offset_read_from
    path = os.environ.get("CLOCK_FILE")
    if not path:
        return _NO_OFFSET
    try:
        file = os.stat(path)
    except FileNotFoundError:
        return _NO_OFFSET
    version = (file.st_ino, file.st_mtime_ns)  # a time stamp may tick only every few milliseconds
    if version != _offset_read_from:
        _offset = timedelta(seconds=float(Path(path).read_text(encoding="ascii")))
        _offset_read_from = version
    return _offset
