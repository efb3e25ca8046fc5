"""Real engines for the suite, never the developer's data.

Each test worker has a PostgreSQL and a Valkey of its own, started in a second and gone with it;
what a test wrote is deleted after it.
"""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config as Migrations
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from psycopg._preparing import PrepareManager
from sqlalchemy import event
from sqlalchemy.pool import Pool

import tests.examples  # noqa: F401  how Hypothesis is used by all tests
from kernel import hot, secrets
from kernel.application import bare_application
from kernel.db import db
from kernel.embedded import PostgresServer, running_postgres, running_valkey
from tests.kept import Kept
from tests.rewriting import rewrite_share
from tests.world import World, small_world

ROOT = Path(__file__).parents[1]


# Before any test hashes at import: a PIN's hash is meant to take long, and hundreds are made here.
# `tests/unit/test_slow_hash.py` looks at what a PIN's hash costs outside the suite.
COSTLY = secrets._slow  # noqa: SLF001  what no test needs to reach but these lines
secrets._slow = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)  # noqa: SLF001


# No durability to wait for; and no statistics of tables that a test has just emptied.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "update_process_title": "off",
}


def pytest_configure(config: pytest.Config) -> None:
    rewrite_share(config)


def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are cores: tests wait for PostgreSQL a quarter of their time."""
    cores = os.cpu_count() or 1
    return cores + (cores + 1) // 2


def pytest_collection_finish() -> None:
    """Leave what was loaded out of every later collection, as `gunicorn.conf.py` does.

    And collect seldom: a test leaves next to nothing behind.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()  # which `tests/__init__.py` had stopped


class _Lasting(PrepareManager):
    """Thousands of tests ask the same of PostgreSQL, which plans what is prepared but once.

    psycopg would prepare a hundred statements, and forget all of them at every ROLLBACK.
    """

    prepare_threshold = 1
    prepared_max = 2_000

    def clear(self) -> bool:
        return False


@event.listens_for(Pool, "connect")
def _keep_what_is_prepared(connection: psycopg.Connection, _: object) -> None:
    connection._prepared = _Lasting()  # noqa: SLF001  it takes no other from outside


# Until a table is vacuumed, every reading of it passes by all rows that were ever deleted.
_MANY_ROWS = 20_000


@dataclass
class Engines:
    """The engines of this worker. `message_file` is where text messages end up."""

    postgres: PostgresServer
    message_file: Path
    superuser: psycopg.Connection
    _dead_rows: int = 0

    def empty(self) -> None:
        """Delete every row, on a connection that knows all tables already: in a millisecond.

        To truncate takes a hundred, so that is done where many rows have been.
        """
        ((rows,),) = self.superuser.execute("SELECT pg_temp.empty()")
        self._dead_rows += rows
        if self._dead_rows > _MANY_ROWS:
            self.superuser.execute("SELECT pg_temp.shrink()")
            self._dead_rows = 0


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """A migrated database `jibei`, and the environment that a process of Jibei needs."""
    folder = tmp_path_factory.mktemp("engines")
    with (
        running_postgres(folder / "postgres", settings=_SETTINGS) as postgres,
        running_valkey(folder / "valkey") as valkey,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in {
            "JIBEI_MODE": "development",
            "DATABASE_URL": postgres.url("jibei_app", "jibei"),
            "DATABASE_OWNER_URL": postgres.url("jibei_owner", "jibei"),
            "DATABASE_POOL_SIZE": "24",
            "APPROVAL_FROM_CUPS": "0",
            "REDIS_URL": valkey.url,
            "SECRET_KEY": "5e" * 32,
            "STRIPE_API_KEY": "sk_test_of_the_tests",
            "STRIPE_WEBHOOK_SECRET": "whsec_of_the_tests",
            "PUBLIC_ORIGIN": "http://127.0.0.1:8000",
            "MESSAGE_FILE": str(folder / "messages.log"),
        }.items():
            environment.setenv(name, value)
        for name in ("STRIPE_API_BASE", "CLOCK_FILE"):
            environment.delenv(name, raising=False)
        command.upgrade(migrations(), "head")
        with _superuser(postgres) as superuser:
            yield Engines(postgres, folder / "messages.log", superuser)


@contextmanager
def _superuser(postgres: PostgresServer) -> Iterator[psycopg.Connection]:
    """A connection with `pg_temp.empty()`, which deletes every row of the application's tables.

    It answers how many they were; `pg_temp.shrink()` takes away what large tables keep of them.
    """
    with psycopg.connect(postgres.url("postgres", "jibei"), autocommit=True) as connection:
        # Replica mode skips foreign keys and the books' refusal; only a superuser chooses it.
        connection.execute("SET session_replication_role = replica")
        tables = connection.execute(
            "SELECT tablename FROM pg_tables"
            " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        )
        deletes = "".join(
            f'DELETE FROM "{name}"; GET DIAGNOSTICS these = ROW_COUNT; gone := gone + these; '
            for (name,) in tables
        )
        connection.execute(
            "CREATE FUNCTION pg_temp.empty() RETURNS bigint LANGUAGE plpgsql AS"
            f" $$ DECLARE gone bigint := 0; these bigint; BEGIN {deletes} RETURN gone; END $$"
        )
        connection.execute(_SHRINK)
        yield connection


_SHRINK = """
CREATE FUNCTION pg_temp.shrink() RETURNS void LANGUAGE plpgsql AS $$
DECLARE large text;
BEGIN
    SELECT string_agg(oid::regclass::text, ', ') INTO large FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
      AND pg_relation_size(oid) > 500000;
    IF large IS NOT NULL THEN
        EXECUTE 'TRUNCATE ' || large || ' CASCADE';
    END IF;
EXCEPTION WHEN lock_not_available THEN
    NULL;  -- somebody is still reading: another time
END $$ SET lock_timeout = '2s'
"""


def migrations() -> Migrations:
    """How Alembic finds the project's migrations, from any folder."""
    found = Migrations(str(ROOT / "migrations" / "alembic.ini"))
    found.set_main_option("script_location", str(ROOT / "migrations"))
    return found


@pytest.fixture(scope="session")
def application(engines: Engines) -> Iterator[Flask]:
    """The application without HTTP, as workers run it; once a test worker."""
    made = bare_application()
    yield made
    hot.close()
    with made.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def http_application(engines: Engines) -> Iterator[Flask]:
    """The whole application, as gunicorn runs it."""
    from api.app import create_app  # noqa: PLC0415  only tests of HTTP pay for it

    made = create_app()
    made.testing = True
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.fixture
def app(application: Flask, engines: Engines) -> Iterator[Flask]:
    """An application context on an empty database."""
    with empty_database(application, engines):
        yield application


@pytest.fixture(scope="session")
def kept(engines: Engines) -> Kept:
    """Stories that many tests begin after, see `tests/kept.py`."""
    return Kept(engines.superuser, engines.empty)


@contextmanager
def empty_database(application: Flask, engines: Engines) -> Iterator[None]:
    """An application context, after which everything that was written in it is gone."""
    try:
        with application.app_context():
            try:
                yield
            finally:
                db.session.remove()
    finally:
        engines.empty()
        engines.message_file.unlink(missing_ok=True)


@pytest.fixture
def client(http_application: Flask, app: Flask) -> FlaskClient:
    """An HTTP client without a network."""
    return http_application.test_client()


@pytest.fixture
def books_hold(app: Flask, request: pytest.FixtureRequest) -> Iterator[None]:
    """After the test: everything that must always be true of the books is.

    A test that is marked `breaks_books` breaks them on purpose.
    """
    from tests.books import everything_wrong  # noqa: PLC0415  only tests with books pay for it

    yield
    db.session.rollback()
    if request.node.get_closest_marker("breaks_books") is None:
        assert everything_wrong() == []


@pytest.fixture
def world(app: Flask, now: datetime) -> World:
    """A small chain to act in, see `tests/world.py`."""
    return small_world(now)


@pytest.fixture
def now() -> datetime:
    """A Wednesday noon in Taipei, in whole seconds."""
    return datetime(2026, 1, 14, 4, 0, 0, tzinfo=UTC)
