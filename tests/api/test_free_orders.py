"""Orders that cost nothing now, over HTTP: trials and free memberships."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kernel import outbox
from kernel.ids import new_id
from tests.api.frame.principals import bearer
from tests.club import Club, club_of
from tests.fakes import DECLINED, GOOD, WANTS_HOLDER
from tests.world import World

ORDERS, MINE = "/v1/orders", "/v1/subscriptions"


@pytest.fixture
def club(
    client: FlaskClient, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Club]:
    with club_of(world, offset=tmp_path / "clock", environment=monkeypatch) as made:
        made.add_plan("trial", trial_days=14, first_price=0, needs_card=True)
        made.add_plan("free", price=0, cups=0, product=None)
        yield made


@pytest.fixture
def alice(club: Club) -> dict[str, str]:
    return bearer(club.sign_in())


def keyed(headers: dict[str, str]) -> dict[str, str]:
    return {**headers, "Idempotency-Key": new_id().hex}


def order(club: Club, client: FlaskClient, alice: dict[str, str], code: str, **item: Any) -> str:
    """The path of an order of one plan."""
    items = [{"offer_id": str(club.world.offers[code][0]), "quantity": 1, **item}]
    placed = client.post(ORDERS, json={"items": items}, headers=keyed(alice))
    assert placed.status_code == 201, placed.text
    return f"{ORDERS}/{placed.get_json()['id']}"


def pay(client: FlaskClient, alice: dict[str, str], path: str, **way: Any) -> TestResponse:
    return client.post(f"{path}/pay", json=way, headers=keyed(alice))


def assert_problem(answer: TestResponse, status: int, slug: str) -> None:
    assert (answer.status_code, answer.get_json()["reason"]) == (status, slug), answer.text


def test_a_trial_is_had_with_a_card_and_shows_as_one(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    path = order(club, client, alice, "trial")
    assert_problem(pay(client, alice, path), 409, "card-wanted")

    had = pay(client, alice, path, payment_method=GOOD)
    outbox.drain()

    assert had.status_code == 200
    assert had.get_json() == {
        "id": None,
        "order_id": path.removeprefix(f"{ORDERS}/"),
        "status": "succeeded",
        "amount": {"amount": 0, "currency": "TWD"},
        "client_secret": None,
    }
    (mine,) = client.get(MINE, headers=alice).get_json()["items"]
    assert mine["status"] == "trialing"
    assert client.get(path, headers=alice).get_json()["status"] == "fulfilled"


def test_a_retry_with_its_key_is_told_so(club: Club, client: FlaskClient, alice: dict[str, str]):
    path, headers = order(club, client, alice, "trial"), keyed(alice)

    first, again = (
        client.post(f"{path}/pay", json={"payment_method": GOOD}, headers=headers) for _ in range(2)
    )

    assert first.get_json() == again.get_json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_card_that_is_refused_or_wants_its_holder_says_so(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    path = order(club, client, alice, "trial")

    refused = pay(client, alice, path, payment_method=DECLINED)
    assert (refused.status_code, refused.get_json()["reason"]) == (402, "card-declined")
    asked = pay(client, alice, path, payment_method=WANTS_HOLDER)
    assert asked.get_json()["reason"] == "card-needs-authentication"
    assert asked.get_json()["client_secret"]


def test_a_free_membership_is_had_with_nothing(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    path = order(club, client, alice, "free")

    assert pay(client, alice, path).status_code == 200
    assert_problem(pay(client, alice, path), 409, "already-paid")


def test_there_is_no_form_for_what_costs_nothing(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    path = order(club, client, alice, "trial")

    assert_problem(pay(client, alice, path, by_holder=True), 422, "nothing-to-pay")


def test_what_costs_something_is_not_paid_with_nothing(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    path = order(club, client, alice, "monthly")

    assert_problem(pay(client, alice, path), 422, "way-of-paying-missing")


def test_a_second_trial_costs_the_price(club: Club, client: FlaskClient, alice: dict[str, str]):
    first, second = (order(club, client, alice, "trial") for _ in range(2))
    assert pay(client, alice, first, payment_method=GOOD).status_code == 200

    assert_problem(pay(client, alice, second, payment_method=GOOD), 409, "introduction-used")
    third = client.get(order(club, client, alice, "trial"), headers=alice).get_json()
    assert third["total"]["amount"] == 499


def test_periods_are_ordered_for_somebody_else(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    path = order(club, client, alice, "trial", gift_periods=3)

    (line,) = client.get(path, headers=alice).get_json()["items"]
    assert (line["gift_periods"], line["gross"]["amount"]) == (3, 1497)


def test_a_member_asks_for_a_message_every_day(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    path = f"{MINE}/{club.subscribe()}/daily-message"
    assert client.get(path, headers=alice).get_json() == {"is_wanted": False, "next_at": None}

    asked = client.put(path, json={"is_wanted": True}, headers=alice)

    assert asked.get_json() == {"is_wanted": True, "next_at": "2026-01-15T01:00:00+00:00"}
    assert client.get(path, headers=alice).get_json() == asked.get_json()
    stopped = client.put(path, json={"is_wanted": False}, headers=alice)
    assert stopped.get_json() == {"is_wanted": False, "next_at": None}
    assert client.get(f"{MINE}/{new_id()}/daily-message", headers=alice).status_code == 404
