"""One chain and one cast for a whole module: what is refused changes nothing, so it lasts."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from kernel import clock
from kernel import logging as our_logging
from kernel.db import Base
from tests.api.hostile.cast import Cast, cast_of
from tests.club import club_of
from tests.conftest import Engines, empty_database
from tests.world import small_world

Unchanged = Callable[[], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def cast(
    application: Flask, engines: Engines, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cast]:
    """Everybody who may call, and what belongs to whom."""
    offset = tmp_path_factory.mktemp("clock") / "offset"
    with (
        empty_database(application, engines),
        pytest.MonkeyPatch.context() as environment,
        club_of(small_world(clock.now()), offset=offset, environment=environment) as club,
    ):
        yield cast_of(club)


@pytest.fixture
def attacker(http_application: Flask, cast: Cast) -> FlaskClient:
    """A client that keeps no cookies, on the database with the cast."""
    return http_application.test_client(use_cookies=False)


@pytest.fixture(scope="module")
def unchanged(engines: Engines, cast: Cast) -> Iterator[Unchanged]:
    """Asserts that no row of any table has changed meanwhile.

    Where no transaction has written, none has; only else are the rows compared.
    """
    url = engines.postgres.url("postgres", "jibei")
    tables = [table.name for table in Base.metadata.sorted_tables]
    digest = " UNION ALL ".join(
        f"SELECT '{name}', md5(string_agg(one::text, ' ' ORDER BY one::text)) FROM \"{name}\" one"
        for name in tables
    )
    with psycopg.connect(url, autocommit=True) as connection:
        read_at, read = None, None

        def rows() -> list[tuple[str, str | None]] | None:
            nonlocal read_at, read
            # A transaction that writes a row is given a number; one that only reads has none.
            now = connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())").fetchone()
            if now != read_at:
                read_at, read = now, connection.execute(digest).fetchall()
            return read

        @contextmanager
        def unchanged() -> Iterator[None]:
            before = rows()
            yield
            assert rows() == before

        yield unchanged


@pytest.fixture(scope="module")
def production_log() -> Iterator[None]:
    """Log as in production."""
    our_logging.configure("production")
    yield
    our_logging.configure("development")


@pytest.fixture(autouse=True)
def canary(cast: Cast, production_log: None, capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Whatever a test does, nobody's token or phone is in the log."""
    yield
    logged = capsys.readouterr()
    leaked = [secret for secret in cast.secrets if secret in logged.err + logged.out]
    assert leaked == []
