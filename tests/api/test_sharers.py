"""Sharing a plan over HTTP: places offered by a link, taken, seen, left; codes of who shares."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kernel import clock
from redemption import token
from tests.api.frame.principals import bearer
from tests.club import Club, club_of
from tests.world import World, key

pytestmark = pytest.mark.usefixtures("books_hold")

Headers = dict[str, str]


@pytest.fixture
def club(
    client: FlaskClient, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Club]:
    with club_of(world, offset=tmp_path / "clock", environment=monkeypatch) as made:
        made.add_plan("family", sharers=1)
        yield made


@pytest.fixture
def alice(club: Club) -> Headers:
    return bearer(club.sign_in())


@pytest.fixture
def bob(world: World, club: Club) -> Headers:
    return world.sign_in(world.add_member())


@pytest.fixture
def plan(club: Club) -> str:
    """Alice's plan, that one other may share."""
    return f"/v1/subscriptions/{club.subscribe('family')}"


def invite(client: FlaskClient, plan: str, headers: Headers, **sent: str) -> TestResponse:
    return client.post(f"{plan}/sharers", headers={**headers, **key(), **sent})


def join(client: FlaskClient, offered: Any, headers: Headers) -> TestResponse:
    return client.post(f"/v1/invitations/{offered['token']}/join", headers={**headers, **key()})


def shared(client: FlaskClient, headers: Headers) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get("/v1/shared-plans", headers=headers).get_json()[
        "items"
    ]
    return items


def reason(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["reason"]


def test_a_place_is_offered_taken_and_left(
    client: FlaskClient, plan: str, alice: Headers, bob: Headers
):
    offered = invite(client, plan, alice).get_json()
    assert (offered["status"], offered["joined_at"]) == ("offered", None)
    assert offered["link"].endswith(f"/j/{offered['token']}")
    link = client.get(f"/v1/invitations/{offered['token']}", headers=bob).get_json()
    assert (link["plan"], link["unit"], link["ends_at"]) == ("family", "cup", offered["ends_at"])

    joined = join(client, offered, bob)
    assert joined.status_code == 200
    assert (joined.get_json()["left"], joined.get_json()["is_unlimited"]) == (10, False)
    assert shared(client, bob) == [joined.get_json()]
    places = client.get(f"{plan}/sharers", headers=alice).get_json()
    assert (places["most"], [one["status"] for one in places["items"]]) == (1, ["taken"])
    assert (places["items"][0]["token"], places["items"][0]["link"]) == (None, None)

    address = f"/v1/shared-plans/{joined.get_json()['id']}"
    assert [client.delete(address, headers=bob).status_code for _ in range(2)] == [204, 204]
    assert shared(client, bob) == []


@pytest.mark.parametrize(
    ("shape", "kind", "begins"),
    [("svg", "image/svg+xml", b"<?xml"), ("png", "image/png", b"\x89PNG")],
)
def test_a_link_is_a_picture_too(
    client: FlaskClient, plan: str, alice: Headers, shape: str, kind: str, begins: bytes
):
    offered = invite(client, plan, alice).get_json()
    address = f"{plan}/sharers/{offered['id']}/code?format="

    drawn = client.get(address + shape, headers=alice)
    text = client.get(address + "text", headers=alice)

    assert drawn.content_type.split(";")[0] == kind
    assert drawn.data.startswith(begins)
    assert text.get_data(as_text=True) == offered["link"]


def test_nobody_but_its_owner_sees_a_link_drawn_and_a_taken_place_has_none(
    client: FlaskClient, plan: str, alice: Headers, bob: Headers
):
    offered = invite(client, plan, alice).get_json()
    address = f"{plan}/sharers/{offered['id']}/code"
    assert reason(client.get(address, headers=bob)) == (404, "not-found")

    join(client, offered, bob)

    assert reason(client.get(address, headers=alice)) == (404, "not-found")


def test_an_owner_is_not_told_who_shares(
    client: FlaskClient, plan: str, alice: Headers, bob: Headers, world: World
):
    place = join(client, invite(client, plan, alice).get_json(), bob).get_json()
    answer = client.get(f"{plan}/sharers", headers=alice).get_json()
    assert set(answer["items"][0]) == {
        "id", "status", "invited_at", "ends_at", "joined_at", "token", "link",
    }  # fmt: skip
    assert answer["items"][0]["id"] == place["id"]


def test_an_owner_takes_a_place_back(client: FlaskClient, plan: str, alice: Headers, bob: Headers):
    place = join(client, invite(client, plan, alice).get_json(), bob).get_json()
    address = f"{plan}/sharers/{place['id']}"
    assert reason(client.delete(address, headers=bob)) == (404, "not-found")
    assert client.delete(address, headers=alice).status_code == 204
    assert shared(client, bob) == []


def test_a_replayed_offer_is_one_offer(client: FlaskClient, plan: str, alice: Headers):
    same = key()
    first, again = (invite(client, plan, alice, **same) for _ in range(2))
    assert (again.get_json(), again.headers["Idempotency-Replayed"]) == (first.get_json(), "true")
    assert reason(invite(client, plan, alice)) == (409, "no-place-left")


def test_who_may_not_join_is_told_why(
    client: FlaskClient, plan: str, alice: Headers, bob: Headers, world: World
):
    offered = invite(client, plan, alice).get_json()
    carol = world.sign_in(world.add_member())
    assert reason(join(client, offered, alice)) == (409, "own-plan")
    assert join(client, offered, bob).status_code == 200
    assert reason(join(client, offered, carol)) == (409, "invitation-over")
    assert reason(join(client, {"token": "A" * 43}, carol)) == (404, "not-found")


def test_a_plan_for_one_is_told_so(client: FlaskClient, club: Club, alice: Headers):
    one = f"/v1/subscriptions/{club.subscribe()}"
    assert reason(invite(client, one, alice)) == (409, "plan-not-shared")
    assert client.get(f"{one}/sharers", headers=alice).get_json() == {"most": 0, "items": []}


def test_a_plan_that_is_over_is_not_shared(
    client: FlaskClient, club: Club, plan: str, alice: Headers
):
    club.cancel(UUID(plan.rsplit("/", 1)[1]), at="now")
    assert reason(invite(client, plan, alice)) == (409, "subscription-ended")


def test_a_sharers_phone_makes_codes_that_a_till_takes(
    client: FlaskClient, club: Club, plan: str, alice: Headers, bob: Headers
):
    join(client, invite(client, plan, alice).get_json(), bob)
    answer = client.post(f"{plan}/credentials", headers=bob)
    assert answer.status_code == 201
    made = answer.get_json()
    code = token.make(
        credential_id=bytes.fromhex(made["id"]),
        seed=bytes.fromhex(made["seed"]),
        step=token.step_at(clock.now()),
    )
    till = club.world.add_till("A")
    asked = {"code": code, "product_id": str(club.world.products["latte"]), "cups": 2}
    redeemed = client.post("/v1/redemptions", headers={**bearer(till.token), **key()}, json=asked)
    assert (redeemed.status_code, redeemed.get_json()["left"]) == (201, 8)
    assert shared(client, bob)[0]["left"] == 8


def test_only_who_shares_a_plan_gets_its_codes(
    client: FlaskClient, plan: str, alice: Headers, bob: Headers
):
    for nobody in (alice, bob):
        answer = client.post(f"{plan}/credentials", headers=nobody)
        assert reason(answer) == (404, "not-found")


@pytest.mark.parametrize("made_up", ["a", "A" * 43, "%E7%8F%8D"])
def test_the_page_of_a_link_says_the_same_to_everybody(client: FlaskClient, made_up: str):
    answer = client.get(f"/j/{made_up}")
    assert answer.status_code == 200
    assert "App" in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
