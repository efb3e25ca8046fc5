"""Racing: the same moment for many threads."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, get_ident
from typing import TypeVar

import psycopg
from flask import Flask
from sqlalchemy import event, text

from kernel.db import db
from kernel.errors import Refusal
from kernel.transaction import again, transaction

T = TypeVar("T")


def together(
    app: Flask, works: Sequence[Callable[[], T]], *, in_transactions: bool = True
) -> list[T | Refusal]:
    """Start all works at once, each in a thread of its own; answer what each answered.

    Each is one committed transaction, if it does not open its own ones (`in_transactions=False`),
    as jobs do and verbs that call the provider. A refusal counts as an answer, raised or returned.
    """
    start = Barrier(len(works))

    def run(work: Callable[[], T]) -> T | Refusal:
        with app.app_context():
            db.session.execute(text("SELECT 1"))  # connecting takes longer than racing
            start.wait(timeout=10)
            db.session.rollback()
            try:
                return again(lambda: _committed(work)) if in_transactions else work()
            except Refusal as refusal:
                return refusal

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


def overtaken(
    app: Flask, superuser: psycopg.Connection, work: Callable[[], T], meanwhile: Callable[[], T]
) -> tuple[T, T]:
    """Answer what both answered, where the first lock of `work` comes after all of `meanwhile`.

    The statement that locks sees the rows as they were before; each is one committed transaction.
    """

    def run() -> T:
        with app.app_context(), _held_up_at_the_first_lock():
            return _committed(work)

    superuser.execute("SELECT pg_advisory_lock(1)")
    with ThreadPoolExecutor(1) as thread:
        try:
            late = thread.submit(run)
            until = time.monotonic() + 10
            while superuser.execute(_HELD_UP).fetchone() == (0,):
                assert time.monotonic() < until, "it locked nothing"
                time.sleep(0.01)
            early = _committed(meanwhile)
        finally:
            superuser.execute("SELECT pg_advisory_unlock(1)")
        return late.result(), early


_HELD_UP = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@contextmanager
def _held_up_at_the_first_lock() -> Iterator[None]:
    """Let the first locking statement of this thread wait between its snapshot and its rows."""
    waits = "WHERE (SELECT pg_advisory_xact_lock_shared(1)) IS NOT NULL AND "
    mine, is_to_come = get_ident(), True

    def before(_conn, _cursor, statement, parameters, _context, _many):  # type: ignore[no-untyped-def]
        nonlocal is_to_come
        if get_ident() == mine and is_to_come and " FOR UPDATE" in statement:
            is_to_come = False
            statement = statement.replace("WHERE ", waits, 1)
        return statement, parameters

    event.listen(db.engine, "before_cursor_execute", before, retval=True)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", before)


def _committed(work: Callable[[], T]) -> T:
    with transaction():
        return work()
