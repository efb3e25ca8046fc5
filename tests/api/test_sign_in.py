from pathlib import Path

import pytest
from flask.testing import FlaskClient

from kernel import clock
from tests.api.signing_in import PHONE, MovableClock, session

ASK = "/v1/sign-in/challenges"


def test_a_code_is_on_its_way(client: FlaskClient):
    before = clock.now()

    asked = client.post(ASK, json={"phone": PHONE})

    assert asked.status_code == 201
    assert asked.json.keys() == {"challenge_id", "ends_at", "resend_after"}
    assert asked.json["ends_at"] > asked.json["resend_after"] > before.isoformat()


def test_the_answer_is_the_same_whether_a_member_has_the_phone_or_not(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    time = MovableClock(tmp_path, monkeypatch)
    session(client)
    time.advance(minutes=2)

    known = client.post(ASK, json={"phone": PHONE})
    unknown = client.post(ASK, json={"phone": "0987654321"})

    assert known.status_code == unknown.status_code == 201
    assert known.json.keys() == unknown.json.keys()
    assert {name: len(value) for name, value in known.json.items()} == {
        name: len(value) for name, value in unknown.json.items()
    }


@pytest.mark.parametrize("phone", ["+819012345678", "0223456789", "+886223456789", "091234567"])
def test_a_foreign_or_landline_phone_is_not_supported(client: FlaskClient, phone: str):
    asked = client.post(ASK, json={"phone": phone})

    assert (asked.status_code, asked.json["reason"]) == (422, "phone-unsupported")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"phone": None},
        {"phone": 912345678},
        {"phone": ""},
        {"phone": "０９１２３４５６７８"},
        {"phone": "0912345678\n"},
        {"phone": "0912345678;ext=1"},
        {"phone": "٠٩١٢٣٤٥٦٧٨"},
        {"phone": "0" * 26},
        {"phone": PHONE, "locale": "fr"},
        {"phone": PHONE, "code": "123456"},
    ],
)
def test_a_body_that_is_not_as_described_is_not_valid(client: FlaskClient, body: object):
    asked = client.post(ASK, json=body)

    assert (asked.status_code, asked.json["reason"]) == (422, "validation")


def test_asking_again_at_once_is_too_often(client: FlaskClient):
    client.post(ASK, json={"phone": PHONE})

    again = client.post(ASK, json={"phone": "+886 912 345 678"})

    assert (again.status_code, again.json["reason"]) == (429, "rate-limited")
    assert 1 <= int(again.headers["Retry-After"]) <= 60


def test_the_sixth_code_in_an_hour_is_too_much(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    time = MovableClock(tmp_path, monkeypatch)
    for _ in range(5):
        assert client.post(ASK, json={"phone": PHONE}).status_code == 201
        time.advance(minutes=2)

    sixth = client.post(ASK, json={"phone": PHONE})

    assert (sixth.status_code, sixth.json["reason"]) == (429, "rate-limited")
    assert 49 * 60 < int(sixth.headers["Retry-After"]) <= 50 * 60
