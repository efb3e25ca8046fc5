from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from kernel.ids import new_id
from members.policy import code_of
from tests.api.signing_in import MovableClock, bearer, challenge, session

ORIGIN = "http://127.0.0.1:8000"


def _try(client: FlaskClient, challenge_id: str, code: str):
    body = {"challenge_id": challenge_id, "code": code, "transport": "bearer"}
    return client.post("/v1/sessions", json=body)


def _wrong(challenge_id: str) -> str:
    return f"{(int(code_of(UUID(challenge_id))) + 1) % 1_000_000:06d}"


def test_an_app_signs_in_with_a_bearer_token(client: FlaskClient):
    started = session(client)

    assert started.status_code == 201
    assert started.json.keys() == {"member_id", "is_new", "ends_at", "token"}
    assert started.json["is_new"] is True
    assert "Set-Cookie" not in started.headers
    me = client.get("/v1/members/me", headers=bearer(started.json["token"]))
    assert me.json["member_id"] == started.json["member_id"]


def test_a_browser_signs_in_with_a_cookie_that_no_script_sees(client: FlaskClient):
    started = session(client, transport="cookie")

    assert started.status_code == 201
    assert started.json.keys() == {"member_id", "is_new", "ends_at", "csrf_token"}
    cookie = started.headers["Set-Cookie"]
    assert cookie.startswith("__Host-jibei=mem_")
    for property_ in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
        assert property_ in cookie
    assert "Domain" not in cookie


def test_a_cookie_session_signs_out_from_its_own_page_only(client: FlaskClient):
    started = session(client, transport="cookie")
    value = started.headers["Set-Cookie"].partition(";")[0]
    ours = {"Cookie": value, "Origin": ORIGIN, "X-CSRF-Token": started.json["csrf_token"]}
    other = client.application.test_client(use_cookies=False)

    for headers in ({**ours, "Origin": "https://elsewhere.example"}, {"Cookie": value}):
        refused = other.delete("/v1/sessions/current", headers=headers)
        assert (refused.status_code, refused.json["reason"]) == (403, "csrf")
    ended = other.delete("/v1/sessions/current", headers=ours)

    assert ended.status_code == 204
    assert "__Host-jibei=;" in ended.headers["Set-Cookie"]
    assert other.get("/v1/members/me", headers={"Cookie": value}).status_code == 401


def test_signing_out_ends_this_session_and_no_other(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    time = MovableClock(tmp_path, monkeypatch)
    first = bearer(session(client).json["token"])
    time.advance(minutes=2)
    second = bearer(session(client).json["token"])

    assert client.delete("/v1/sessions/current", headers=first).status_code == 204

    assert client.get("/v1/members/me", headers=first).status_code == 401
    assert client.get("/v1/members/me", headers=second).status_code == 200


def test_a_session_ends_after_thirty_days(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    time = MovableClock(tmp_path, monkeypatch)
    mine = bearer(session(client).json["token"])

    time.advance(days=29)
    assert client.get("/v1/members/me", headers=mine).status_code == 200
    time.advance(days=1)
    assert client.get("/v1/members/me", headers=mine).status_code == 401


def test_wrong_codes_are_counted_and_the_fifth_is_one_too_many(client: FlaskClient):
    challenge_id = challenge(client)

    answers = [_try(client, challenge_id, _wrong(challenge_id)) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 429]
    assert answers[0].json["reason"] == "code-wrong"
    assert answers[4].json["reason"] == "rate-limited"
    assert 1 <= int(answers[4].headers["Retry-After"]) <= 300
    assert _try(client, challenge_id, code_of(UUID(challenge_id))).status_code == 429


def test_a_used_and_an_unknown_challenge_are_answered_alike(client: FlaskClient):
    challenge_id = challenge(client)
    code = code_of(UUID(challenge_id))
    assert _try(client, challenge_id, code).status_code == 201

    used = _try(client, challenge_id, code)
    unknown = _try(client, str(new_id()), code)

    assert (used.status_code, used.json) == (unknown.status_code, unknown.json)
    assert used.status_code == 422


@pytest.mark.parametrize(
    "change",
    [
        {"code": 123456},
        {"code": "12345"},
        {"code": "1234567"},
        {"code": "１２３４５６"},
        {"code": "12345\n"},
        {"challenge_id": "x"},
        {"transport": "carrier pigeon"},
        {"member_id": str(new_id())},
    ],
)
def test_a_body_that_is_not_as_described_is_not_valid(client: FlaskClient, change: dict):
    body = {"challenge_id": str(new_id()), "code": "123456", "transport": "bearer", **change}

    answer = client.post("/v1/sessions", json=body)

    assert (answer.status_code, answer.json["reason"]) == (422, "validation")
