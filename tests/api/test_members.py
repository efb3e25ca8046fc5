from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from kernel import clock
from tests.api.signing_in import bearer, session

ME = "/v1/members/me"


@pytest.fixture
def alice(client: FlaskClient) -> dict[str, str]:
    return bearer(session(client).json["token"])


def test_a_new_member_has_told_nothing_but_a_phone(client: FlaskClient, alice: dict[str, str]):
    me = client.get(ME, headers=alice)

    assert me.status_code == 200
    told = me.json
    assert told.pop("member_id")
    assert told.pop("joined_at")
    assert told == {
        "phone": "+8869•••••678",
        "name": None,
        "birthday": None,
        "email": None,
        "locale": "en",
    }


def test_what_is_told_stays_and_can_be_taken_back(client: FlaskClient, alice: dict[str, str]):
    told = {"name": " Alice 愛麗絲 ", "birthday": "1990-02-28", "email": "alice@example.com"}

    first = client.patch(ME, json=told, headers=alice)
    second = client.patch(ME, json={"email": None, "locale": "zh-TW"}, headers=alice)

    assert first.json["name"] == "Alice 愛麗絲"
    assert first.json["birthday"] == "1990-02-28"
    assert second.json == client.get(ME, headers=alice).json
    assert (second.json["email"], second.json["locale"]) == (None, "zh-TW")
    assert second.json["name"] == "Alice 愛麗絲"


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "   "},
        {"name": "Al\u0000ice"},
        {"name": "Al\u202eice"},
        {"name": "Al\u200bice"},
        {"name": "\ud800"},
        {"name": "A" * 101},
        {"name": 7},
        {"birthday": "1990-02-30"},
        {"birthday": "1990-2-3"},
        {"birthday": "1899-12-31"},
        {"birthday": (clock.now() + timedelta(days=2)).date().isoformat()},
        {"email": "alice"},
        {"email": "alice@example.com\n"},
        {"email": '"a\u0001b"@example.com'},
        {"email": "a" * 250 + "@example.com"},
        {"locale": None},
        {"locale": "zh"},
        {"phone": "0987654321"},
        {"role": "admin"},
        {"balance": 1000},
    ],
)
def test_what_is_not_as_described_is_not_valid(
    client: FlaskClient, alice: dict[str, str], change: dict
):
    answer = client.patch(ME, json=change, headers=alice)

    assert (answer.status_code, answer.json["reason"]) == (422, "validation")
    assert client.get(ME, headers=alice).json["name"] is None


def test_nobody_sees_a_member_without_their_session(client: FlaskClient):
    assert client.get(ME).status_code == 401
    assert client.patch(ME, json={"name": "Bob"}).status_code == 401


def test_everything_that_is_held_is_told_in_one_document(client: FlaskClient, alice):
    client.patch(ME, json={"name": "Alice 愛麗絲"}, headers=alice)

    answer = client.get(f"{ME}/export", headers=alice)

    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="jibei-export.json"'
    (profile,) = answer.json["profile"]
    assert (profile["phone"], profile["name"]) == ("+886912345678", "Alice 愛麗絲")
    assert [session["ended_at"] for session in answer.json["sessions"]] == [None]
    assert alice["Authorization"].removeprefix("Bearer ") not in answer.text


def test_the_export_takes_no_wishes(client: FlaskClient, alice):
    assert client.get(f"{ME}/export?member_id=1", headers=alice).status_code == 422
    assert client.get(f"{ME}/export").status_code == 401
