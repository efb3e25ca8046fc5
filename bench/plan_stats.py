"""Statistics of a million subscriptions over three years: all of it, and what a day changes.

`bench/plan_stats.sql` says what is in them.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from threading import Event, Thread

import psutil
import psycopg

from bench.figures import Figures
from bench.site import environment_on, in_environment, migrate
from kernel.application import bare_application
from kernel.db import db
from kernel.embedded import PostgresServer, running_postgres
from kernel.transaction import transaction
from ledger import install_chart
from subs.statistics import counting

_MANY, _FEW = 1_000_000, 5_000
_TIMES = 4
_NOW = datetime(2026, 12, 30, 3, tzinfo=UTC)
_DAYS = 4

# The product's own settings but for the room that a shop of this size gives its database.
_SETTINGS = {
    "shared_buffers": "512MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "maintenance_work_mem": "512MB",
}
_INDEXES = ("uq_period_numbered", "ix_period_ends", "ix_period_grant",
            "ix_subscription_event_history", "ix_subscription_event_at")  # fmt: skip


def measure(figures: Figures, short: bool) -> None:
    """Take the seconds of a full count, and of counting the open months on the days after it.

    These are around the end of a month, when the most months are open: the last day of it, and
    three of the next; on the first of those the past month is reported, too (`…_worst_s`).

    `stats_worker_mb` and `stats_postgres_mb` are the most memory of their own that the worker and
    PostgreSQL's processes had meanwhile; shared buffers, which are as large as somebody has set
    them, are not in it. `stats_memory_growth_4x` is by how much all of them together grew, over the
    same for a quarter of the subscriptions. With `short` there are fewer, too few to fill what
    memory they may take, and the figures say little.
    """
    subscriptions = _FEW if short else _MANY
    of_quarter = _counted_once(subscriptions // _TIMES)
    with _loaded(subscriptions) as postgres:
        figures.add("stats_subscriptions", subscriptions, "count")
        figures.add("stats_periods", _ask(postgres, "SELECT count(*) FROM period"), "count")
        with _memory(postgres, worker_before=of_quarter.worker_before) as taken:
            figures.add("stats_full_s", _seconds(_all), "s")
            days = [_seconds(partial(_open, day)) for day in range(1, _DAYS + 1)]
            figures.add("stats_daily_s", median(days), "s")
            figures.add("stats_daily_worst_s", max(days), "s")
        figures.add("stats_worker_mb", taken.worker / 2**20, "MB")
        figures.add("stats_postgres_mb", taken.postgres / 2**20, "MB")
        figures.add("stats_quarter_postgres_mb", of_quarter.postgres / 2**20, "MB")
        growth = taken.grown / of_quarter.grown
        figures.add(f"stats_memory_growth_{_TIMES}x", growth, "of_quarter")
        _check(postgres)


def _counted_once(subscriptions: int) -> "_Taken":
    with _loaded(subscriptions) as postgres, _memory(postgres) as taken:
        _all()
        _open(1)
    return taken


def _all() -> None:
    with transaction():
        counting.count_all(now=_NOW)


def _open(day: int) -> None:
    with transaction():
        counting.count_open(now=_NOW + timedelta(days=day))


def _check(postgres: PostgresServer) -> None:
    """What was measured must also be right: a month begins with what the last one ended with."""
    torn = _ask(postgres, """
        SELECT count(*) FROM (
            SELECT sum(opening) AS opening, lag(sum(closing)) OVER (ORDER BY month_on) AS closing
            FROM plan_revenue GROUP BY month_on
        ) AS month WHERE opening <> closing
    """)  # fmt: skip
    if torn or not _ask(postgres, "SELECT count(*) FROM plan_renewal"):
        raise RuntimeError(f"{torn} months do not begin with what the last one ended with")


@contextmanager
def _loaded(subscriptions: int) -> Iterator[PostgresServer]:
    with (
        tempfile.TemporaryDirectory(prefix="jibei-stats-") as folder,
        running_postgres(Path(folder) / "postgres", settings=_SETTINGS) as postgres,
        in_environment(environment_on(postgres, redis_url="redis://127.0.0.1:1/0")),
    ):
        migrate()
        with bare_application().app_context():
            with transaction():
                install_chart()
            _load(postgres, subscriptions)
            yield postgres
            db.session.remove()
            db.engine.dispose()


def _load(postgres: PostgresServer, subscriptions: int) -> None:
    """Write the rows first and their indexes afterwards; the foreign keys are known to fit."""
    folder = Path(__file__).parent
    with psycopg.connect(postgres.url("postgres", "jibei"), autocommit=True) as connection:
        for setting in ("session_replication_role = replica", "work_mem = '256MB'"):
            connection.execute(f"SET {setting}")
        made = [
            row[0]
            for row in connection.execute(
                "SELECT pg_get_indexdef(oid) FROM pg_class WHERE relname = ANY(%s)",
                (list(_INDEXES),),
            )
        ]
        for name in _INDEXES:
            connection.execute(f"DROP INDEX {name}")
        for script in ("ids.sql", "plan_stats.sql"):
            sql = (folder / script).read_text(encoding="utf-8")
            sql = sql.replace(":subscriptions", str(subscriptions))
            connection.execute(sql.replace(":now", _NOW.isoformat()))
        for definition in made:
            connection.execute(definition)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


@dataclass
class _Taken:
    """Bytes that were of the processes' own: before, and the most of worker and PostgreSQL."""

    worker_before: int
    postgres_before: int
    worker: int = 0
    postgres: int = 0
    together: int = 0

    @property
    def grown(self) -> int:
        """By how much more there was at most."""
        return self.together - self.worker_before - self.postgres_before

    def look(self, server: psutil.Process) -> None:
        worker, postgres = _own(os.getpid()), _own_of_all(server)
        self.worker = max(self.worker, worker)
        self.postgres = max(self.postgres, postgres)
        self.together = max(self.together, worker + postgres)


@contextmanager
def _memory(postgres: PostgresServer, *, worker_before: int | None = None) -> Iterator[_Taken]:
    """Look again and again at the memory of worker and server."""
    server, is_over = psutil.Process(postgres.pid), Event()
    before = _own(os.getpid()) if worker_before is None else worker_before
    taken = _Taken(before, _own_of_all(server))

    def watch() -> None:
        while not is_over.wait(0.1):
            taken.look(server)

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield taken
    finally:
        is_over.set()
        watcher.join()


def _own_of_all(server: psutil.Process) -> int:
    return sum(_own(one.pid) for one in (server, *server.children(recursive=True)))


def _own(pid: int) -> int:
    """The resident memory of a process that is no file's and shared with nobody."""
    with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            name, _, said = line.partition(":")
            if name == "RssAnon":
                return int(said.split()[0]) * 1024
    return 0


def _ask(postgres: PostgresServer, sql: str) -> int:
    with psycopg.connect(postgres.url("postgres", "jibei"), autocommit=True) as connection:
        row = connection.execute(sql).fetchone()
        assert row is not None
        return int(row[0])


def _seconds(act: Callable[[], None]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun
