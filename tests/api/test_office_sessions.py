from pathlib import Path

import pytest
from flask.testing import FlaskClient

from kernel import clock
from tests.api.signing_in import MovableClock, desk
from tests.service.chain.staffing import PASSWORD, TOTP, add_staff

SESSIONS = "/v1/office-sessions"


def _start(client: FlaskClient, number: str = "4001", **change: object):
    proofs = {"staff_number": number, "password": PASSWORD, "totp": TOTP.at(clock.now()), **change}
    return client.post(SESSIONS, json=proofs)


def test_an_admin_signs_in_and_out(client: FlaskClient):
    add_staff("4001", "admin")

    started = _start(client)
    mine = {"Authorization": f"Bearer {started.json['token']}"}

    assert started.status_code == 201
    assert started.json["role"] == "admin"
    assert client.get("/v1/devices", headers=mine).status_code == 200
    assert client.delete(f"{SESSIONS}/current", headers=mine).status_code == 204
    assert client.get("/v1/devices", headers=mine).status_code == 401


@pytest.mark.parametrize(("role", "hours"), [("manager", 8), ("admin", 1)])
def test_a_desk_is_signed_out_after_its_hours(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str, hours: int
):
    time = MovableClock(tmp_path, monkeypatch)
    add_staff("2001", role)
    mine = desk(client, "2001")

    time.advance(hours=hours, minutes=-1)
    assert client.get("/v1/devices", headers=mine).status_code == 200
    time.advance(minutes=1)
    assert client.get("/v1/devices", headers=mine).status_code == 401


def test_a_wrong_password_code_or_number_are_answered_alike(client: FlaskClient):
    add_staff("4001", "admin")

    answers = [
        _start(client, password="wrong"),
        _start(client, totp="000000"),
        _start(client, number="9999"),
    ]

    assert {answer.status_code for answer in answers} == {422}
    assert answers[0].json == answers[1].json == answers[2].json
    assert answers[0].json["reason"] == "sign-in-refused"


def test_a_one_time_code_is_good_once(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    MovableClock(tmp_path, monkeypatch)
    add_staff("4001", "admin")
    totp = TOTP.at(clock.now())

    assert _start(client, totp=totp).status_code == 201
    assert _start(client, totp=totp).status_code == 422


def test_five_failures_lock_the_number(client: FlaskClient):
    add_staff("4001", "admin")

    statuses = [_start(client, password="wrong").status_code for _ in range(5)]
    right = _start(client)

    assert statuses == [422, 422, 422, 422, 429]
    assert (right.status_code, right.json["reason"]) == (429, "rate-limited")
    assert 1 <= int(right.headers["Retry-After"]) <= 900


@pytest.mark.parametrize(
    "change",
    [
        {"totp": "12345"},
        {"totp": 123456},
        {"password": ""},
        {"password": "a" * 201},
        {"password": "\ud800"},
    ],
)
def test_a_body_that_is_not_as_described_is_not_valid(client: FlaskClient, change: dict):
    answer = _start(client, **change)

    assert (answer.status_code, answer.json["reason"]) == (422, "validation")
