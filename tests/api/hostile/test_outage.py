"""PostgreSQL goes away and comes back, on a server of the test's own."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg_pool.base
import pytest
from alembic import command

from api.app import create_app
from kernel import clock, hot
from kernel import logging as our_logging
from kernel.config import config
from kernel.db import db
from kernel.embedded import running_postgres
from kernel.ids import new_id
from tests.api.hostile.targets import TARGETS, assert_problem
from tests.conftest import migrations
from tests.events import event, signed
from tests.world import bearer, small_world

READY_WITHIN_S = 10
# What is answered from memory.
WITHOUT_DATABASE = {
    "GET /live",
    "GET /openapi.json",
    "GET /problems/{slug}",
    "GET /v1/capsule-keys",
}


@pytest.fixture
def server(engines, tmp_path, monkeypatch):
    """Starts this test's own server, the same one each time."""
    config.cache_clear()
    hot.close()

    def server():
        return running_postgres(tmp_path / "postgres", settings={"fsync": "off"})

    with server() as postgres:
        monkeypatch.setenv("DATABASE_URL", postgres.url("jibei_app", "jibei"))
        monkeypatch.setenv("DATABASE_OWNER_URL", postgres.url("jibei_owner", "jibei"))
        command.upgrade(migrations(), "head")
    yield server
    hot.close()
    monkeypatch.undo()
    config.cache_clear()
    our_logging.configure("development")


@pytest.fixture
def canary():
    """Not here: the test reads the log itself."""


def test_an_outage_is_told_and_over_when_it_is_over(server, monkeypatch, capsys):
    # So long would the pool wait for its next attempt at the end of an outage of a minute.
    monkeypatch.setattr(psycopg_pool.base.AttemptWithBackoff, "INITIAL_DELAY", 30.0)
    application = create_app()
    our_logging.configure("production")
    attacker, key = application.test_client(), {"Idempotency-Key": new_id().hex}

    with server(), application.app_context():
        world = small_world(clock.now())
        alice = world.sign_in(world.add_member())
        db.session.remove()
        order = {"items": [{"offer_id": str(world.offers["eleven"][0]), "quantity": 1}]}
        assert attacker.get("/v1/wallet", headers=alice).status_code == 200

    with ThreadPoolExecutor(len(TARGETS) + 1) as threads:
        ordering = application.test_client()
        refused = threads.submit(ordering.post, "/v1/orders", json=order, headers=alice | key)
        away = threads.map(lambda one: ask(application, one, alice), TARGETS)
        for target, answer in zip(TARGETS, away, strict=True):
            if target.label in WITHOUT_DATABASE:
                assert answer.status_code == 200, target.label
            else:
                assert_outage(answer, target)
    assert_outage(refused.result(), "an order that is asked for again below")
    logged = capsys.readouterr().err
    assert "database.unavailable" in logged
    assert alice["Authorization"].removeprefix("Bearer ") not in logged

    with server():
        back_at = time.monotonic()
        while attacker.get("/v1/wallet", headers=alice).status_code != 200:
            assert time.monotonic() < back_at + READY_WITHIN_S
        assert attacker.get("/ready").status_code == 200
        placed = attacker.post("/v1/orders", json=order, headers=alice | key)
        assert placed.status_code == 201
        listed = attacker.get("/v1/orders", headers=alice).json["items"]
        assert [one["id"] for one in listed] == [placed.json["id"]]
        with application.app_context():
            db.engine.dispose()


def ask(application, target, alice):
    """Call a route as somebody of the kind that its guard wants."""
    kinds = {"member": alice["Authorization"][7:], "till": "shf_", "device": "dev_"}
    scheme = next(iter(target.route.guard.schemes), "")
    token = kinds.get(scheme, "off_").ljust(47, "A")
    ids = {name: str(new_id()) for name in target.route.path_names} | {"slug": "not-found"}
    headers, body = bearer(token) if scheme else {}, {}
    if target.label == "POST /v1/webhooks/stripe":
        event_of_provider, seal = signed(event("payment_intent.succeeded", "pi_1"), at=clock.now())
        headers, body = {"Stripe-Signature": seal}, {"data": event_of_provider}
    return target.call(application.test_client(), ids, headers, **body)


def assert_outage(answer, what):
    assert_problem(answer, 503, "unavailable", what)
    assert int(answer.headers["Retry-After"]) >= 1
