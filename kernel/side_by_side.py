"""Readings beside each other, or beside a writing: each on a connection and a core of its own."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from flask import current_app
from sqlalchemy import text

from kernel.db import db
from kernel.transaction import snapshot

T = TypeVar("T")


def side_by_side(
    readings: Iterable[Callable[[], list[T]]], *, prepare: Callable[[], None]
) -> list[T]:
    """Do readings as of the open snapshot, and answer what all of them have found.

    A second thread takes every other one, in a snapshot of the same moment; `prepare` makes its
    settings there. What one of them raises is raised, and the others are not begun any more.
    """
    left = deque(readings)
    moment = db.session.scalar(text("SELECT pg_export_snapshot()"))
    application = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  Flask's way to hand it to a thread

    def here() -> list[T]:
        found: list[T] = []
        try:
            while (reading := _next(left)) is not None:
                found += reading()
        except BaseException:
            left.clear()
            raise
        return found

    def beside() -> list[T]:
        with application.app_context(), snapshot():
            db.session.execute(text(f"SET TRANSACTION SNAPSHOT '{moment}'"))
            prepare()
            return here()

    with ThreadPoolExecutor(1) as other:
        theirs = other.submit(beside)
        mine = here()
        return mine + theirs.result()


@contextmanager
def beside(reading: Callable[[], T]) -> Iterator[Future[T]]:
    """Do a reading in a snapshot of its own, of what is committed, while the block does more.

    It is over when the block is.
    """
    application = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  Flask's way to hand it to a thread

    def read() -> T:
        with application.app_context(), snapshot():
            return reading()

    with ThreadPoolExecutor(1) as other:
        yield other.submit(read)


def _next(left: deque[Callable[[], list[T]]]) -> Callable[[], list[T]] | None:
    try:
        return left.popleft()
    except IndexError:  # the other thread was faster
        return None
