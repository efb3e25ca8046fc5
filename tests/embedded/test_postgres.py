"""A running server: who may do what on it, and how databases are copied."""

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from kernel.embedded import PostgresServer, running_postgres
from tests.embedded.sql import one, run


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[PostgresServer]:
    with running_postgres(folder) as running:
        yield running


@pytest.fixture
def owner(server: PostgresServer) -> str:
    return server.url("jibei_owner", "jibei")


@pytest.fixture
def app(server: PostgresServer) -> str:
    return server.url("jibei_app", "jibei")


def test_a_server_is_durable_and_heard_on_loopback_only(server: PostgresServer) -> None:
    root = server.url("postgres", "postgres")

    assert one(root, "SHOW fsync") == "on"
    assert one(root, "SHOW synchronous_commit") == "on"
    assert one(root, "SHOW listen_addresses") == "127.0.0.1"
    assert one(root, "SHOW unix_socket_directories") == ""


def test_text_is_utf_8_and_sorted_by_code_point(app: str) -> None:
    assert one(app, "SHOW server_encoding") == "UTF8"
    assert one(app, "SELECT '寄' < '杯' AND upper('é') = 'É'") is True


def test_nobody_enters_without_a_password(server: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(f"postgresql://jibei_app@127.0.0.1:{server.port}/jibei")


def test_passwords_are_neither_printed_nor_open_to_others(
    server: PostgresServer, folder: Path
) -> None:
    secret = server.passwords["jibei_app"]

    holding = [path for path in folder.rglob("*.json") if secret in path.read_text()]

    assert secret not in repr(server)
    assert [oct(path.stat().st_mode & 0o777) for path in holding] == ["0o600"]
    assert folder.stat().st_mode & 0o077 == 0


def test_the_app_changes_rows_but_makes_no_tables(app: str) -> None:
    run(app, "UPDATE lot SET cups = cups")

    for statement in ("CREATE TABLE mine (a int)", "CREATE TEMPORARY TABLE mine (a int)"):
        with pytest.raises(InsufficientPrivilege):
            run(app, statement)
    with pytest.raises(InsufficientPrivilege):
        run(app, "DROP TABLE lot")


def test_finance_reads_and_changes_nothing(server: PostgresServer) -> None:
    finance = server.url("jibei_finance", "jibei")

    assert one(finance, "SELECT cups FROM lot") == 11
    for statement in ("UPDATE lot SET cups = 0", "DELETE FROM lot", "CREATE TABLE mine (a int)"):
        with pytest.raises(InsufficientPrivilege):
            run(finance, statement)


def test_a_clone_has_the_rows_and_the_rights_within_a_second(server: PostgresServer) -> None:
    began = time.monotonic()

    server.create_database("clone", template="jibei")

    assert time.monotonic() - began < 1.0
    assert one(server.url("jibei_app", "clone"), "SELECT cups FROM lot") == 11
    with pytest.raises(InsufficientPrivilege):
        run(server.url("jibei_app", "clone"), "CREATE TEMPORARY TABLE mine (a int)")
    run(server.url("jibei_owner", "clone"), "CREATE TABLE more (a int)")
    run(server.url("jibei_app", "clone"), "INSERT INTO more VALUES (1)")
    server.drop_database("clone")


def test_a_database_is_dropped_although_somebody_is_connected(server: PostgresServer) -> None:
    server.create_database("crowded")
    connection = psycopg.connect(server.url("jibei_app", "crowded"))

    server.drop_database("crowded")

    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection.close()
    assert one(server.url("postgres", "postgres"), _COUNT_CROWDED) == 0


_COUNT_CROWDED = "SELECT count(*) FROM pg_database WHERE datname = 'crowded'"
