"""One key, one piece of work, one answer: retries, racers, refusals and crashes."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from kernel import clock, idempotency
from kernel.config import config
from kernel.db import db
from kernel.idempotency import LEASE, IdempotencyKey, Key
from kernel.ids import new_id
from kernel.transaction import transaction

from .conftest import rows_written
from .principals import bearer, member_token

ROADS = ["once", "apart"]
KEY = "the-key-of-a-test"


def asking(probe: FlaskClient, road: str, token: str, key: str = KEY, **body: Any) -> TestResponse:
    headers = {**bearer(token), "Idempotency-Key": key}
    return probe.post(f"/v1/probes/{road}", json={"name": "Alice", **body}, headers=headers)


def keys_kept() -> int:
    with transaction():
        return db.session.scalar(select(func.count()).select_from(IdempotencyKey)) or 0


@pytest.mark.parametrize("road", [*ROADS, "domain"])
def test_a_key_must_come(probe: FlaskClient, road: str) -> None:
    token = "shf_" + "A" * 43 if road == "domain" else member_token()

    answer = probe.post(f"/v1/probes/{road}", json={"name": "Alice"}, headers=bearer(token))

    assert (answer.status_code, answer.json["reason"]) == (400, "idempotency-key-missing")


@pytest.mark.parametrize(
    "key",
    ["", " ", "short", "a" * 15, "a" * 65, "a" * 15 + "!", '"' + "a" * 16, "a" * 16 + '"',
     "a" * 16 + " b", "a" * 16 + "," + "a" * 16, "é" * 16, "１" * 16, '""', "a" * 16 + "\x7f"],
)  # fmt: skip
@pytest.mark.parametrize("road", ROADS)
def test_a_key_that_is_no_key_is_refused(probe: FlaskClient, road: str, key: str) -> None:
    answer = asking(probe, road, member_token(), key.encode().decode("latin-1"))

    assert (answer.status_code, answer.json["reason"]) == (400, "idempotency-key-malformed")


def test_a_key_that_came_twice_is_refused(probe: FlaskClient) -> None:
    """A server joins two headers of one name with a comma, as the test client does."""
    headers = [("Idempotency-Key", KEY), ("Idempotency-Key", KEY), *bearer(member_token()).items()]

    answer = probe.post("/v1/probes/once", json={"name": "Alice"}, headers=headers)

    assert (answer.status_code, answer.json["reason"]) == (400, "idempotency-key-malformed")


@pytest.mark.parametrize("road", ROADS)
def test_a_retry_gets_the_first_answer_again(probe: FlaskClient, road: str) -> None:
    token = member_token()

    first = asking(probe, road, token, name="珍珠")
    quoted = asking(probe, road, token, f'"{KEY}"', name="珍珠")

    assert (first.status_code, quoted.status_code) == (201, 201)
    assert quoted.data == first.data == '{"name":"珍珠"}'.encode()
    assert quoted.content_type == first.content_type
    assert "Idempotency-Replayed" not in first.headers
    assert quoted.headers["Idempotency-Replayed"] == "true"
    assert rows_written() == 1


@pytest.mark.parametrize("road", ROADS)
def test_a_key_with_another_body_is_refused(probe: FlaskClient, road: str) -> None:
    token = member_token()
    asking(probe, road, token)

    answer = asking(probe, road, token, name="Bob")

    assert (answer.status_code, answer.json["reason"]) == (422, "idempotency-key-reused")
    assert rows_written() == 1


def test_a_key_at_another_address_is_refused(probe: FlaskClient) -> None:
    token = member_token()
    asking(probe, "once", token)

    assert asking(probe, "apart", token).json["reason"] == "idempotency-key-reused"


def test_the_same_body_written_otherwise_is_the_same(probe: FlaskClient) -> None:
    token = member_token()
    asking(probe, "once", token)

    answer = probe.post(
        "/v1/probes/once",
        data=b'{ "then": "", "name": " Alice " }',
        content_type="application/json",
        headers={**bearer(token), "Idempotency-Key": KEY},
    )

    assert answer.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("road", ROADS)
def test_a_key_belongs_to_one_caller(probe: FlaskClient, road: str) -> None:
    for token in (member_token(), member_token()):
        assert "Idempotency-Replayed" not in asking(probe, road, token).headers

    assert rows_written() == 2


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize(("then", "status"), [("full", 409), ("odd", 422)])
def test_a_refusal_of_the_business_is_kept(
    probe: FlaskClient, road: str, then: str, status: int
) -> None:
    token = member_token()

    first = asking(probe, road, token, then=then)
    second = asking(probe, road, token, then=then)

    assert (first.status_code, second.status_code) == (status, status)
    assert second.data == first.data
    assert second.content_type == "application/problem+json"
    assert second.headers["Idempotency-Replayed"] == "true"
    assert rows_written() == (0 if road == "once" else 1)


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize(("then", "status"), [("absent", 404), ("outage", 503), ("bug", 500)])
def test_what_is_no_decision_of_the_business_is_not_kept(
    probe: FlaskClient, road: str, then: str, status: int
) -> None:
    token = member_token()

    for _ in range(2):
        answer = asking(probe, road, token, then=then)
        assert answer.status_code == status
        assert "Idempotency-Replayed" not in answer.headers

    assert keys_kept() == 0


@pytest.mark.parametrize("road", ROADS)
def test_what_was_not_valid_may_be_put_right_under_the_same_key(
    probe: FlaskClient, road: str
) -> None:
    token = member_token()
    assert asking(probe, road, token, name="").status_code == 422

    assert asking(probe, road, token).status_code == 201


@pytest.mark.parametrize("road", ROADS)
def test_twenty_racers_do_the_work_once(probe_app: Flask, road: str) -> None:
    token = member_token()

    answers = race(20, lambda: asking(probe_app.test_client(), road, token, then="wait"))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert rows_written() == 1


@pytest.mark.parametrize("road", ROADS)
def test_racers_who_are_refused_hear_one_refusal(probe_app: Flask, road: str) -> None:
    token = member_token()

    answers = race(12, lambda: asking(probe_app.test_client(), road, token, then="full"))

    assert {answer.status_code for answer in answers} == {409}
    assert len({answer.data for answer in answers}) == 1
    assert keys_kept() == 1


@pytest.mark.parametrize("road", ROADS)
def test_racers_with_two_bodies_are_not_mixed_up(probe_app: Flask, road: str) -> None:
    token = member_token()
    names = iter(["Alice", "Bob"] * 6)

    answers = race(
        12, lambda: asking(probe_app.test_client(), road, token, name=next(names), then="wait")
    )

    served = [answer for answer in answers if answer.status_code == 201]
    others = {answer.json["reason"] for answer in answers if answer.status_code != 201}
    assert (len(served), len({answer.data for answer in served})) == (6, 1)
    assert others == {"idempotency-key-reused"}
    assert rows_written() == 1


def test_a_racer_waits_two_seconds_for_an_open_transaction(probe: FlaskClient) -> None:
    token, member_id = known_member()
    with psycopg.connect(config().database_url) as holding:
        holding.execute(
            "INSERT INTO idempotency_key VALUES (%s, %s, '\\x00', 'null', now())", (member_id, KEY)
        )
        began_at = time.monotonic()
        answer = asking(probe, "once", token)
        waited_s = time.monotonic() - began_at
        holding.rollback()

    assert (answer.status_code, answer.json["reason"]) == (409, "idempotency-in-flight")
    assert answer.headers["Retry-After"] == "1"
    assert 1.8 < waited_s < 3.5
    assert asking(probe, "once", token).status_code == 201


def test_a_racer_waits_two_seconds_for_a_claim(probe: FlaskClient) -> None:
    token, member_id = known_member()
    claim_of_a_crash(member_id, age=timedelta(seconds=1))

    began_at = time.monotonic()
    answer = asking(probe, "apart", token)
    waited_s = time.monotonic() - began_at

    assert (answer.status_code, answer.json["reason"]) == (409, "idempotency-in-flight")
    assert 1.8 < waited_s < 3.5
    assert rows_written() == 0


def test_the_claim_of_a_crash_runs_out(probe: FlaskClient) -> None:
    token, member_id = known_member()
    claim_of_a_crash(member_id, age=LEASE)

    answer = asking(probe, "apart", token)

    assert answer.status_code == 201
    assert "Idempotency-Replayed" not in answer.headers
    assert asking(probe, "apart", token).headers["Idempotency-Replayed"] == "true"


def test_the_claim_of_a_crash_is_not_for_another_body(probe: FlaskClient) -> None:
    token, member_id = known_member()
    claim_of_a_crash(member_id, age=LEASE)

    answer = asking(probe, "apart", token, name="Bob")

    assert answer.json["reason"] == "idempotency-key-reused"


def test_a_claim_that_ran_out_goes_to_one_racer_only(probe_app: Flask) -> None:
    token, member_id = known_member()
    claim_of_a_crash(member_id, age=LEASE, then="wait")

    answers = race(12, lambda: asking(probe_app.test_client(), "apart", token, then="wait"))

    assert {answer.status_code for answer in answers} == {201}
    assert rows_written() == 1


def test_the_slower_of_two_at_work_gives_the_answer_of_the_faster(app: Flask) -> None:
    del app
    key, now = Key(new_id(), KEY, b"print"), clock.now()
    with transaction():
        idempotency.claim(key, now=now)
    with transaction():
        assert idempotency.claim(key, now=now + LEASE) is None

    with transaction():
        assert idempotency.answer(key, {"by": "the faster"})
    with transaction():
        assert not idempotency.answer(key, {"by": "the slower"})
        assert idempotency.find_answer(key) == {"by": "the faster"}


def test_who_lost_a_claim_does_not_take_it_from_who_has_it(app: Flask) -> None:
    del app
    key, now = Key(new_id(), KEY, b"print"), clock.now()
    with transaction():
        idempotency.claim(key, now=now)
    with transaction():
        idempotency.claim(key, now=now + LEASE)

    with transaction():
        idempotency.give_up(key, claimed_at=now)
    assert keys_kept() == 1
    with transaction():
        idempotency.give_up(key, claimed_at=now + LEASE)
    assert keys_kept() == 0


def test_a_domain_gets_the_key_and_says_when_it_replays(probe: FlaskClient) -> None:
    token = "shf_" + "A" * 43

    new = asking(probe, "domain", token, name="new")
    old = asking(probe, "domain", token, name="old")

    assert new.json == {"key": KEY, "principal": str(UUID(int=0))}
    assert "Idempotency-Replayed" not in new.headers
    assert old.headers["Idempotency-Replayed"] == "true"


def known_member() -> tuple[str, UUID]:
    """Sign somebody in whose id is known; answer the token and the id."""
    member_id = new_id()
    return member_token(member_id=member_id), member_id


def claim_of_a_crash(member_id: UUID, *, age: timedelta, then: str = "") -> None:
    """Claim the key for what `asking` sends, and never answer."""
    body = {"name": "Alice", "then": then}
    print_of_it = idempotency.fingerprint("POST /v1/probes/apart", body)
    with transaction():
        idempotency.claim(Key(member_id, KEY, print_of_it), now=clock.now() - age)


def race(racers: int, ask: Callable[[], TestResponse]) -> list[TestResponse]:
    """Ask at the same moment from many threads."""
    ready = threading.Barrier(racers)

    def run() -> TestResponse:
        ready.wait()
        return ask()

    with ThreadPoolExecutor(racers) as pool:
        return [task.result() for task in [pool.submit(run) for _ in range(racers)]]
