"""Books of any size, loaded as fast as PostgreSQL can: for figures, not for shops.

`bench/bulk.sql` says what is in them. Lots, lines and entries are made on both cores, in ranges,
without a log and before their indexes. Everything that follows from them is made by the product's
own code: roll-ups, dense balances, digests. All months but the last are closed, and the last has a
tail that came in through the books' own door and is not folded yet.
"""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
from flask import Flask
from sqlalchemy import text

from bench.site import environment_on, in_environment, migrate
from kernel.application import bare_application
from kernel.db import db
from kernel.embedded import PostgresServer, running_postgres
from kernel.ids import NOBODY
from kernel.transaction import transaction
from ledger import install_chart
from ledger.content import CONTENT_HASH
from ledger.models import BookMonth
from ledger.month import Month
from ledger.service.balances import digest, write_month_balances
from ledger.service.fold import rebuild
from ledger.service.periods import note_step

Say = Callable[[str], None]

FIRST_ON, TODAY_ON = date(2024, 1, 1), date(2026, 12, 20)
_LINES_A_BLOCK = 9.3
_BLOCKS_AT_ONCE = 50_000
_TAIL_BLOCKS = 1_100
_NEIGHBOURS = 30
_BYTES_A_LINE = 450
_BESIDES = 15 * 2**30
_CORES = 2
_UNLOGGED = ("line", "entry", "lot", "redemption", "redemption_line")

_SETTINGS = {
    "shared_buffers": "4GB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "60min",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "fsync": "off",  # what is lost is made anew
    "autovacuum": "off",
    "maintenance_work_mem": "1GB",
    "work_mem": "64MB",
    "max_parallel_maintenance_workers": "2",
    "max_connections": "40",
}


class TooLittleDisk(Exception):  # noqa: N818  names the state
    """The books would fill the disk."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How large the books become: about `lines` lines at `stores` stores.

    Whole books can be proved. Others are for reports, which read neither hashes (all entries have
    one and the same), nor seals, nor redemptions.
    """

    lines: int
    stores: int
    is_whole: bool

    @property
    def blocks(self) -> int:
        return round(self.lines / _LINES_A_BLOCK)

    @property
    def near(self) -> int:
        """How many stores around another cups are collected at."""
        return min(_NEIGHBOURS, self.stores - 1)

    @property
    def months(self) -> list[Month]:
        """All months, the last one open."""
        months = [Month.of(FIRST_ON)]
        while months[-1] < Month.of(TODAY_ON):
            months.append(months[-1].next())
        return months


@dataclass(frozen=True, slots=True)
class Books:
    """Loaded books, and an application to read them with."""

    plan: Plan
    postgres: PostgresServer
    application: Flask

    def ask(self, sql: str) -> tuple[object, ...]:
        """Ask the database one thing, as superuser."""
        url = self.postgres.url("postgres", "jibei")
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(sql).fetchone() or ()


@contextmanager
def books(plan: Plan, *, say: Say) -> Iterator[Books]:
    """Make books, let them be read, throw them away.

    Raises:
        TooLittleDisk: there is not room enough for them.
    """
    check_disk(plan)
    with (
        tempfile.TemporaryDirectory(prefix="jibei-books-") as folder,
        running_postgres(Path(folder) / "postgres", settings=_SETTINGS) as postgres,
        in_environment(environment_on(postgres, redis_url="redis://127.0.0.1:1/0")),
    ):
        migrate()
        application = bare_application()
        made = Books(plan, postgres, application)
        with application.app_context():
            Load(made, say).run()
            yield made
            db.session.remove()
            db.engine.dispose()


def check_disk(plan: Plan) -> None:
    """Refuse what would not fit: with indexes and their sorting a line takes about 450 bytes."""
    need = plan.lines * _BYTES_A_LINE + (_BESIDES if plan.lines > 10_000_000 else 0)
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < need:
        raise TooLittleDisk(
            f"{plan.lines:,} lines need {need / 2**30:.0f} GB in {tempfile.gettempdir()}, where "
            f"{free / 2**30:.0f} GB are free: choose another folder by TMPDIR, or a smaller SIZE."
        )


@dataclass(frozen=True, slots=True)
class Load:
    """One load, step by step."""

    books: Books
    say: Say

    def run(self) -> None:
        """1. Rows; 2. indexes; 3. what follows from the rows; 4. the tail."""
        plan, began = self.books.plan, time.perf_counter()
        with transaction():
            install_chart()
        with self._superuser() as connection:
            self._prepare(connection)
            kept = _take_off(connection)
        self._in_ranges("bench_lots", "bench_lines")
        of_lines = [one for one in kept if one.table == "line"]
        self._each([*of_lines, _analysis_of("line")])  # an entry's hash is over its lines
        self._in_ranges("bench_entries", *(["bench_redemptions"] if plan.is_whole else []))
        rest = [one for one in kept if one.table != "line"]
        self._each([*rest, *map(_analysis_of, _UNLOGGED)])
        self.say("roll-ups")
        self._derive()
        if plan.is_whole:
            self.say("seals")
            with self._superuser() as connection:
                _seal_all(connection)
        self._tail()
        with self._superuser() as connection:
            connection.execute("VACUUM ANALYZE")
        self.say(f"loaded in {time.perf_counter() - began:.0f} s")

    @contextmanager
    def _superuser(self, *options: str) -> Iterator[psycopg.Connection]:
        url = self.books.postgres.url("postgres", "jibei")
        with psycopg.connect(url, autocommit=True) as connection:
            for option in options:
                connection.execute(f"SET {option}")
            yield connection

    def _prepare(self, connection: psycopg.Connection) -> None:
        plan = self.books.plan
        said = {
            ":stores": str(plan.stores),
            ":near": str(plan.near),
            ":blocks": str(plan.blocks),
            ":first_on": str(FIRST_ON),
            ":today_on": str(TODAY_ON),
            ":content_hash": CONTENT_HASH if plan.is_whole else "sha256('')",
        }
        for script in ("ids.sql", "bulk.sql"):
            sql = Path(__file__).with_name(script).read_text(encoding="utf-8")
            for name, value in said.items():
                sql = sql.replace(name, value)
            connection.execute(sql)

    def _in_ranges(self, *functions: str) -> None:
        """Run functions that make rows of blocks, a range at a time on each core."""
        blocks = self.books.plan.blocks
        done = 0
        with ThreadPoolExecutor(_CORES) as pool:
            starts = range(0, blocks, _BLOCKS_AT_ONCE)
            for made in pool.map(lambda start: self._range(functions, start), starts):
                done += made
                self.say(f"{' and '.join(functions)}: {100 * done // blocks} %")

    def _range(self, functions: Sequence[str], start: int) -> int:
        end = min(start + _BLOCKS_AT_ONCE, self.books.plan.blocks)
        with self._superuser("session_replication_role = replica") as connection:
            for function in functions:
                connection.execute(f"SELECT {function}(%s, %s)", (start, end - 1))
        return end - start

    def _each(self, pieces: Sequence["_Piece"]) -> None:
        """Run statements one after the other: each may use both cores by itself."""
        with self._superuser() as connection:
            for piece in pieces:
                self.say(piece.statement[:70])
                connection.execute(piece.statement)

    def _derive(self) -> None:
        """Roll-ups, then every month but the last: balances, digest, closed."""
        with transaction():
            _take_your_time()
            rebuild()
        for month in self.books.plan.months[:-1]:
            with transaction():
                _take_your_time()
                _close(month)

    def _tail(self) -> None:
        """Let entries in by the door, as writers do; their lines, which they hash, are there."""
        first = self.books.plan.blocks
        blocks = (first, first + _TAIL_BLOCKS - 1)
        with self._superuser("session_replication_role = replica") as connection:
            for function in ("bench_lots", "bench_lines"):
                connection.execute(f"SELECT {function}(%s, %s)", blocks)
            if self.books.plan.is_whole:
                connection.execute("SELECT bench_redemptions(%s, %s)", blocks)
        with self._superuser() as connection:
            connection.execute("SELECT bench_entries(%s, %s)", blocks)


@dataclass(frozen=True, slots=True)
class _Piece:
    """What was taken off a table and has to come back."""

    table: str
    statement: str


def _analysis_of(table: str) -> _Piece:
    return _Piece(table, f"ANALYZE {table}")


_TAKEN_OFF = """
    SELECT conrelid::regclass::text, contype = 'f',
           format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
           format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname,
                  pg_get_constraintdef(oid))
    FROM pg_constraint
    WHERE conrelid = ANY(%(tables)s::regclass[]) AND contype IN ('p', 'u', 'f')
       OR confrelid = ANY(%(tables)s::regclass[]) AND contype = 'f'
    UNION ALL
    SELECT indrelid::regclass::text, false, format('DROP INDEX %%s', indexrelid::regclass),
           pg_get_indexdef(indexrelid)
    FROM pg_index
    WHERE indrelid = ANY(%(tables)s::regclass[])
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
    ORDER BY 2 DESC
"""


def _take_off(connection: psycopg.Connection) -> list[_Piece]:
    """Take keys and indexes off the large tables, and their log; answer what comes back.

    Foreign keys come back last, and unproved: the rows are known to fit. Those of other tables do
    not: what has a log may not refer to what has none, and nothing is in them here.
    """
    found = connection.execute(_TAKEN_OFF, {"tables": list(_UNLOGGED)}).fetchall()
    for _, _, drop, _ in found:
        connection.execute(drop)
    for table in _UNLOGGED:
        connection.execute(f"ALTER TABLE {table} SET UNLOGGED")
    own = [_Piece(table, back) for table, is_foreign, _, back in found if not is_foreign]
    keys = [
        _Piece("", f"{back} NOT VALID")
        for table, is_foreign, _, back in found
        if is_foreign and table in _UNLOGGED
    ]
    return own + keys


def _seal_all(connection: psycopg.Connection) -> None:
    """Chain up all entries in the order of their ids, as the fold does with those that come."""
    entries = connection.execute("SELECT id, member_id, content_hash FROM entry ORDER BY id")
    chain = bytes(32)
    with connection.cursor().copy(
        "COPY seal (number, member_id, entry_id, chain) FROM STDIN"
    ) as to:
        for number, (entry_id, member_id, content_hash) in enumerate(entries, 1):
            chain = hashlib.sha256(chain + content_hash).digest()
            to.write_row((number, member_id, entry_id, chain))


def _take_your_time() -> None:
    """What a shop does in parts is done at once here."""
    for setting in ("statement_timeout = 0", "work_mem = '512MB'", "jit = off"):
        db.session.execute(text(f"SET LOCAL {setting}"))


def _close(month: Month) -> None:
    write_month_balances(month, 1)
    closed_at = datetime.combine(month.next_on, datetime.min.time(), UTC)
    row = BookMonth(
        first_on=month.first_on,
        state="closed",
        version=1,
        closed_at=closed_at,
        digest=digest(month, 1),
    )
    db.session.add(row)
    db.session.flush()
    note_step(row, "closed", by_id=NOBODY, now=closed_at)
