"""What all tests of HTTP share."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.api.conforming import ConformingClient
from tests.api.desk import Desk
from tests.world import World


@pytest.fixture(scope="session", autouse=True)
def conforming(http_application: Flask) -> None:
    """Hold every answer against the documents."""
    http_application.test_client_class = ConformingClient


@pytest.fixture
def desk(
    client: FlaskClient, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Desk:
    """Finance at work, on 14 January 2026 at noon in Taipei."""
    offset = tmp_path / "clock"
    monkeypatch.setenv("CLOCK_FILE", str(offset))
    people = {
        name: world.open_office(role)
        for name, role in (("alice", "finance"), ("bob", "finance"), ("admin", "admin"))
    }
    made = Desk(client, world, offset, people)
    made.go_to(world.now)
    return made
