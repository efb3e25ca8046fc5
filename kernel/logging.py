"""What is written to the log: one JSON object a line in production, readable in development.

Nothing personal gets there: callers log ids and names of rules; in production an exception shows
its types and places but not its words, which may quote what somebody sent; and whatever still
looks like a token or a phone number is blotted out at the end.
"""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from kernel.config import Mode

_SECRET = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"(?:mem|shf|dev|off|whsec)_[A-Za-z0-9_+/=-]{8,}"
    r"|[sr]k_(?:test|live)_[A-Za-z0-9]{4,}"
    r"|(?:\+|%2B)?886[ -]?0?9\d{2}[ -]?\d{3}[ -]?\d{3}"
    r"|09\d{2}[ -]?\d{3}[ -]?\d{3}"
    r")(?![0-9A-Za-z])"
)
_BLOT = "…"
_NOISY = (
    "alembic.autogenerate",
    "alembic.runtime.plugins",
    "httpcore",
    "httpx",
    "stripe",
    "urllib3",
)

Event = MutableMapping[str, Any]


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to whatever standard error is now, so that it may be redirected later."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _stream: TextIO) -> None:
        raise AttributeError("standard error it is")


def configure(mode: Mode) -> None:
    """Send structlog's and the standard library's lines to standard error, once a process."""
    readable = mode == "development"
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info if readable else places_of_exception,
        blot,
    ]
    last: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if readable
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )
    lines = _StandardError()
    lines.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not isinstance(other, _StandardError)]
    root.addHandler(lines)
    root.setLevel(logging.INFO)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def places_of_exception(_logger: Any, _method: str, event: Event) -> Event:
    """Write an exception as types and places: `ValueError at api/orders.py:41 in place_order`."""
    problem = event.pop("exc_info", None)
    if problem is True:
        problem = sys.exc_info()[1]
    elif isinstance(problem, tuple):
        problem = problem[1]
    if isinstance(problem, BaseException):
        event["exception"] = list(_chain(problem))
    return event


def _chain(problem: BaseException) -> list[dict[str, Any]]:
    links: list[dict[str, Any]] = []
    seen: BaseException | None = problem
    while seen is not None and len(links) < _LONGEST_CHAIN:
        frames = traceback.extract_tb(seen.__traceback__)
        links.append(
            {
                "type": f"{type(seen).__module__}.{type(seen).__qualname__}",
                "at": [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames],
                **_diagnosis(seen),
            }
        )
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return links


_LONGEST_CHAIN = 5


def _diagnosis(problem: BaseException) -> dict[str, str]:
    """What a database error may say: names that we chose, never values."""
    diagnosis = getattr(problem, "diag", None)
    said = {
        "sqlstate": getattr(problem, "sqlstate", None),
        "constraint": getattr(diagnosis, "constraint_name", None),
        "table": getattr(diagnosis, "table_name", None),
        "column": getattr(diagnosis, "column_name", None),
    }
    return {name: value for name, value in said.items() if isinstance(value, str)}


def blot(_logger: Any, _method: str, event: Event) -> Event:
    """Blot out whatever looks like a token or a phone number."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _SECRET.sub(_BLOT, value)
    return event
