"""The hot road to PostgreSQL: autocommit, prepared, one plan for all.

For the statements that every scan runs (who is asking; read and write of a redemption). Going
through the ORM costs twenty times the CPU (docs/adr/0003).
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg.errors import QueryCanceled
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolTimeout

from kernel.config import config
from kernel.errors import TryAgain, Unavailable
from kernel.prepared import PreparedConnection

_pool: ConnectionPool[PreparedConnection] | None = None
_opening = threading.Lock()

RETRYABLE = ("40001", "40P01")


def rows(sql: str, params: dict[str, Any]) -> list[TupleRow]:
    """Run one statement in a transaction of its own and answer its rows.

    Raises:
        TryAgain: PostgreSQL preferred another transaction.
        Unavailable: there is no connection, or it broke; a write may or may not have happened,
            so the caller's retry must carry its idempotency key.
        psycopg.IntegrityError: a named constraint said no; nothing happened.
    """
    with _connection() as connection:
        return connection.run(sql, params)


def one(sql: str, params: dict[str, Any]) -> TupleRow | None:
    """Run one statement in a transaction of its own and answer its first row, see `rows`."""
    return next(iter(rows(sql, params)), None)


def read(sql: str, params: dict[str, Any]) -> TupleRow | None:
    """Run one SELECT and answer its first row, see `read_rows`."""
    return next(iter(read_rows(sql, params)), None)


def read_rows(sql: str, params: dict[str, Any]) -> list[TupleRow]:
    """Run one SELECT, a second time if its connection had died meanwhile (a restart)."""
    try:
        return rows(sql, params)
    except Unavailable as silence:
        if isinstance(silence.__cause__, PoolTimeout | QueryCanceled):
            raise  # it has waited long enough
        pool().check()  # the others died with it, and the write must not meet one of them
        return rows(sql, params)


Run = Callable[[str, dict[str, Any]], list[TupleRow]]


@contextmanager
def together() -> Iterator[Run]:
    """Run several statements in one transaction, for the rare path that needs a lock."""
    with _connection() as connection, connection.transaction():
        yield connection.run


def array(values: Iterable[UUID | int | str | None]) -> str:
    """Write a list as PostgreSQL does, for a parameter that the statement casts (`::uuid[]`).

    A sixth of what psycopg's own lists cost, which look for their elements' type at every run. Text
    is of our own making (codes, names of rules): it must need no escaping.
    """
    return "{" + ",".join([_NULL if value is None else f'"{value}"' for value in values]) + "}"


_NULL = "NULL"


@contextmanager
def _connection() -> Iterator[PreparedConnection]:
    try:
        ours = pool()
        connection = ours.getconn(timeout=2)
        try:  # not `ours.connection()`, which also commits: each statement has done so itself
            yield connection
        finally:
            ours.putconn(connection)
    except (PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError) as problem:
        if getattr(problem, "sqlstate", None) in RETRYABLE:
            raise TryAgain from problem
        raise Unavailable from problem


def pool() -> ConnectionPool[PreparedConnection]:
    """Answer this process's pool, made at its first use and so after any fork."""
    global _pool
    if _pool is None:
        with _opening:
            if _pool is None:
                _pool = _open()
    return _pool


def close() -> None:
    """Give the connections back, before a fork or at the end of a test."""
    global _pool
    if _pool is not None:
        _pool.close()
        _pool = None


# Every hot statement looks up a handful of rows by key, so the plan that is right for it is known:
# nested loops over indexes, made once. A plan made while a table was empty would read it whole, and
# keep doing so while it grows.
_OPTIONS = (
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off"
    " -c enable_mergejoin=off -c timezone=UTC -c lock_timeout=2s -c statement_timeout=10s"
)


def _open() -> ConnectionPool[PreparedConnection]:
    return ConnectionPool(
        config().database_url.replace("+psycopg", ""),
        connection_class=PreparedConnection,
        min_size=1,
        max_size=config().database_pool_size,
        kwargs={
            "autocommit": True,
            "options": _OPTIONS,
        },
        check=None,
        # Its own patience doubles the wait between attempts, up to minutes: after an outage the
        # database would be back, and we not. Given up, the next request tries again at once.
        reconnect_timeout=1,
        open=True,
        name="hot",
    )
