"""The only module that reads the clock.

Everything else is given `now`. In development the clock can be moved: `CLOCK_FILE` names a
small file with the number of seconds by which all processes of one checkout run ahead of the
machine. A file, since every process (web, workers, tick, sandbox provider) has to see the same
time at once and one `stat` costs a microsecond, where a query would cost a round trip.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

_NO_OFFSET = timedelta(0)
_offset = _NO_OFFSET
_offset_read_from = (0, 0)


def now() -> datetime:
    """The present moment, aware, in UTC, moved by the clock file where there is one."""
    return datetime.now(UTC) + _current_offset()


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
