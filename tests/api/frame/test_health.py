"""Live and ready: what a machine may ask."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from flask.testing import FlaskClient

from kernel import hot
from kernel.config import config
from tests.conftest import Engines


@pytest.fixture
def unreachable(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    """A client of an application whose database is not there."""
    hot.close()
    config.cache_clear()
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    yield client
    hot.close()
    monkeypatch.undo()
    config.cache_clear()


@pytest.fixture
def other_schema(client: FlaskClient, engines: Engines) -> Iterator[FlaskClient]:
    """A client of an application that is newer than its database."""
    head = (Path(__file__).parents[3] / "migrations" / "HEAD").read_text().strip()
    with psycopg.connect(engines.postgres.url("postgres", "jibei"), autocommit=True) as database:
        database.execute("UPDATE alembic_version SET version_num = '0000_before'")
        yield client
        database.execute("UPDATE alembic_version SET version_num = %s", (head,))


def test_a_process_that_answers_is_live(client: FlaskClient) -> None:
    answer = client.get("/live")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_with_database_and_schema_it_is_ready(client: FlaskClient) -> None:
    answer = client.get("/ready")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_without_its_database_it_lives_and_is_not_ready(unreachable: FlaskClient) -> None:
    answer = unreachable.get("/ready")

    assert (answer.status_code, answer.json["reason"]) == (503, "unavailable")
    assert answer.json["missing"] == "The database cannot be reached."
    assert answer.headers["Retry-After"] == "2"
    assert unreachable.get("/live").status_code == 200


def test_with_another_schema_it_is_not_ready(other_schema: FlaskClient) -> None:
    answer = other_schema.get("/ready")

    assert answer.status_code == 503
    assert answer.json["missing"].startswith("The database is at revision 0000_before, ")
