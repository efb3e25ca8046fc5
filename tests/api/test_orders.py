"""Orders over HTTP."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kernel import clock
from kernel.ids import new_id
from tests.api.frame.principals import bearer, member_token
from tests.fakes import DECLINED, GOOD, WANTS_HOLDER, FakeGateway, fake_provider
from tests.service.vouchers.conftest import lots_of, settle
from tests.world import World, small_world

ORDERS = "/v1/orders"

Post = Callable[..., TestResponse]


@pytest.fixture
def provider(app: Flask) -> Iterator[FakeGateway]:
    with fake_provider() as fake:
        yield fake


@pytest.fixture
def world(app: Flask) -> World:
    return small_world(clock.now())


@pytest.fixture
def post(client: FlaskClient) -> Post:
    """Post with somebody's token and a key, a fresh one unless given."""

    def post(path: str, who: str, *, key: str | None = None, **body: Any) -> TestResponse:
        headers = {"Idempotency-Key": key or new_id().hex, **bearer(who)}
        return client.post(path, json=body, headers=headers)

    return post


def items(world: World, quantity: Any = 2) -> list[dict[str, Any]]:
    return [{"offer_id": str(world.offers["eleven"][0]), "quantity": quantity}]


def assert_problem(answer: TestResponse, status: int, slug: str) -> None:
    assert (answer.status_code, answer.get_json()["reason"]) == (status, slug), answer.get_json()


def test_an_order_is_placed_paid_and_fulfilled(
    client: FlaskClient, provider: FakeGateway, world: World, post: Post
) -> None:
    alice = new_id()
    who = member_token(member_id=alice)
    placed = post(ORDERS, who, items=items(world))
    assert placed.status_code == 201
    order = placed.get_json()
    assert order["status"] == "pending"
    assert order["total"] == {"amount": 1000, "currency": "TWD"}
    assert order["items"][0]["net"] == {"amount": 952, "currency": "TWD"}
    paid = post(f"{ORDERS}/{order['id']}/pay", who, payment_method=GOOD)
    assert paid.status_code == 200
    assert paid.get_json() == {
        "id": str(provider.taken[0]),
        "order_id": order["id"],
        "status": "succeeded",
        "amount": {"amount": 1000, "currency": "TWD"},
        "client_secret": None,
    }
    settle()
    shown = client.get(f"{ORDERS}/{order['id']}", headers=bearer(who)).get_json()
    assert (shown["status"], shown["paid_at"] is None) == ("fulfilled", False)
    assert [lot.units for lot in lots_of(alice)] == [11, 11]


def test_a_retry_with_its_key_changes_nothing(
    provider: FakeGateway, world: World, post: Post
) -> None:
    who = member_token()
    key = new_id().hex
    first, again = (post(ORDERS, who, key=key, items=items(world)) for _ in range(2))
    assert again.get_json() == first.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"
    path, key = f"{ORDERS}/{first.get_json()['id']}/pay", new_id().hex
    paid, again = (post(path, who, key=key, payment_method=GOOD) for _ in range(2))
    assert again.get_json() == paid.get_json()
    assert "Idempotency-Replayed" not in paid.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(provider.taken) == 1
    assert_problem(post(path, who, key=key, payment_method=DECLINED), 422, "idempotency-key-reused")


def test_a_refused_card_answers_402_with_what_its_holder_may_hear(
    provider: FakeGateway, world: World, post: Post
) -> None:
    who = member_token()
    path = f"{ORDERS}/{post(ORDERS, who, items=items(world)).get_json()['id']}/pay"
    key = new_id().hex
    refused = post(path, who, key=key, payment_method=DECLINED)
    assert_problem(refused, 402, "payment-declined")
    assert refused.get_json()["decline_code"] == "generic_decline"
    again = post(path, who, key=key, payment_method=DECLINED)
    assert_problem(again, 402, "payment-declined")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert post(path, who, payment_method=GOOD).status_code == 200
    assert_problem(post(path, who, payment_method=GOOD), 409, "already-paid")
    assert len(provider.taken) == 1


def test_a_card_that_wants_its_holder_answers_with_the_secret(
    provider: FakeGateway, world: World, post: Post
) -> None:
    who = member_token()
    path = f"{ORDERS}/{post(ORDERS, who, items=items(world)).get_json()['id']}/pay"
    paid = post(path, who, payment_method=WANTS_HOLDER).get_json()
    assert (paid["status"], paid["client_secret"] is None) == ("requires_action", False)


def test_a_silent_provider_answers_processing(
    provider: FakeGateway, world: World, post: Post
) -> None:
    who = member_token()
    path = f"{ORDERS}/{post(ORDERS, who, items=items(world)).get_json()['id']}/pay"
    provider.is_silent = True
    assert post(path, who, payment_method=GOOD).get_json()["status"] == "processing"


def test_an_order_that_was_not_paid_in_time_is_over(
    provider: FakeGateway, world: World, post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = member_token()
    path = f"{ORDERS}/{post(ORDERS, who, items=items(world)).get_json()['id']}/pay"
    monkeypatch.setenv("CLOCK_FILE", str(tmp_path / "clock"))
    clock.advance(timedelta(minutes=30))
    assert_problem(post(path, who, payment_method=GOOD), 409, "order-ended")


def test_orders_are_listed_from_the_newest_in_pages(
    client: FlaskClient, world: World, post: Post
) -> None:
    who = member_token()
    ids = [post(ORDERS, who, items=items(world)).get_json()["id"] for _ in range(3)]
    first = client.get(f"{ORDERS}?limit=2", headers=bearer(who)).get_json()
    assert [one["id"] for one in first["items"]] == ids[:0:-1]
    rest = client.get(
        f"{ORDERS}?limit=2&cursor={first['next_cursor']}", headers=bearer(who)
    ).get_json()
    assert [one["id"] for one in rest["items"]] == ids[:1]
    assert rest["next_cursor"] is None


def test_somebody_elses_order_is_not_there(
    client: FlaskClient, provider: FakeGateway, world: World, post: Post
) -> None:
    alice, bob = (member_token() for _ in range(2))
    order = post(ORDERS, alice, items=items(world)).get_json()["id"]
    assert_problem(client.get(f"{ORDERS}/{order}", headers=bearer(bob)), 404, "not-found")
    assert_problem(post(f"{ORDERS}/{order}/pay", bob, payment_method=GOOD), 404, "not-found")
    assert client.get(ORDERS, headers=bearer(bob)).get_json()["items"] == []
    assert_problem(client.get(f"{ORDERS}/junk", headers=bearer(bob)), 404, "not-found")
    assert provider.calls == []


def test_nobody_orders_without_signing_in(client: FlaskClient, world: World) -> None:
    answer = client.post(
        ORDERS, json={"items": items(world)}, headers={"Idempotency-Key": "k" * 16}
    )
    assert_problem(answer, 401, "unauthenticated")


@pytest.mark.parametrize("quantity", [0, -1, 100, 1.9, "1", "１", "1_0", True, None, 2**63])
def test_a_quantity_is_a_whole_number_from_1_to_99(
    world: World, post: Post, quantity: object
) -> None:
    who = member_token()
    assert_problem(post(ORDERS, who, items=items(world, quantity)), 422, "validation")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"items": []},
        {"items": None},
        {"items": [{}]},
        {"items": [{"offer_id": "junk", "quantity": 1}]},
        {"items": [{"offer_id": 7, "quantity": 1}]},
    ],
)
def test_an_order_says_what_is_wanted(world: World, post: Post, body: dict[str, Any]) -> None:
    assert_problem(post(ORDERS, member_token(), **body), 422, "validation")


def test_an_order_has_at_most_twenty_lines_and_no_other_fields(world: World, post: Post) -> None:
    who = member_token()
    assert_problem(post(ORDERS, who, items=items(world) * 21), 422, "validation")
    assert_problem(post(ORDERS, who, items=items(world), total=1), 422, "validation")
    priced = [items(world)[0] | {"price": 1}]
    assert_problem(post(ORDERS, who, items=priced), 422, "validation")


def test_an_unknown_offer_is_not_there(world: World, post: Post) -> None:
    wanted = [{"offer_id": str(new_id()), "quantity": 1}]
    assert_problem(post(ORDERS, member_token(), items=wanted), 404, "not-found")


@pytest.mark.parametrize("body", [{}, {"by_holder": False}, {"save_card": True}])
def test_what_costs_something_is_not_paid_with_nothing(
    provider: FakeGateway, world: World, post: Post, body: dict[str, Any]
) -> None:
    who = member_token()
    path = f"{ORDERS}/{post(ORDERS, who, items=items(world)).get_json()['id']}/pay"
    assert_problem(post(path, who, **body), 422, "way-of-paying-missing")
    assert provider.calls == []


@pytest.mark.parametrize(
    "body",
    [
        {"by_holder": 1},
        {"card_id": "junk"},
        {"card_id": None},
        {"payment_method": GOOD, "by_holder": True},
        {"payment_method": GOOD, "card_id": str(new_id())},
        {"card_id": str(new_id()), "by_holder": True},
        {"payment_method": None, "by_holder": True},
        {"payment_method": "4242424242424242"},
        {"payment_method": "tok_visa"},
        {"payment_method": "pm_card_visa\n"},
        {"payment_method": "pm_" + "a" * 300},
        {"payment_method": GOOD, "save_card": "yes"},
        {"payment_method": GOOD, "save_card": 1},
        {"payment_method": GOOD, "card": {"number": "4242424242424242"}},
    ],
)
def test_only_the_reference_of_a_card_is_taken(
    provider: FakeGateway, world: World, post: Post, body: dict[str, Any]
) -> None:
    who = member_token()
    path = f"{ORDERS}/{post(ORDERS, who, items=items(world)).get_json()['id']}/pay"
    assert_problem(post(path, who, **body), 422, "validation")
    assert provider.calls == []


def test_paying_needs_a_key(client: FlaskClient, world: World, post: Post) -> None:
    who = member_token()
    path = f"{ORDERS}/{post(ORDERS, who, items=items(world)).get_json()['id']}/pay"
    answer = client.post(path, json={"payment_method": GOOD}, headers=bearer(who))
    assert_problem(answer, 400, "idempotency-key-missing")


def test_the_payer_chooses_how_to_pay_in_the_providers_form(
    provider: FakeGateway, world: World, post: Post
) -> None:
    who = member_token()
    path = f"{ORDERS}/{post(ORDERS, who, items=items(world)).get_json()['id']}/pay"
    begun = post(path, who, by_holder=True).get_json()
    assert (begun["status"], begun["client_secret"] is None) == ("requires_payment_method", False)
    card = post(path, who, payment_method=WANTS_HOLDER).get_json()
    assert (card["status"], card["id"] == begun["id"]) == ("requires_action", False)
    assert provider.taken == []


def test_a_saved_card_pays(
    client: FlaskClient, provider: FakeGateway, world: World, post: Post
) -> None:
    who = member_token()
    first, second = (post(ORDERS, who, items=items(world)).get_json()["id"] for _ in range(2))
    post(f"{ORDERS}/{first}/pay", who, payment_method=GOOD, save_card=True)
    (card,) = client.get("/v1/cards", headers=bearer(who)).get_json()["items"]
    paid = post(f"{ORDERS}/{second}/pay", who, card_id=card["id"])
    assert paid.get_json()["status"] == "succeeded"
    assert_problem(post(f"{ORDERS}/{second}/pay", who, card_id=card["id"]), 409, "already-paid")
    third = post(ORDERS, who, items=items(world)).get_json()["id"]
    assert_problem(post(f"{ORDERS}/{third}/pay", who, card_id=str(new_id())), 404, "not-found")
    assert len(provider.taken) == 2


def test_an_order_says_where_it_was_placed(world: World, post: Post) -> None:
    who = member_token()
    assert post(ORDERS, who, items=items(world)).get_json()["channel"] == "app"
    assert post(ORDERS, who, items=items(world), channel="web").get_json()["channel"] == "web"


@pytest.mark.parametrize("channel", ["counter", "", None, 1, "APP"])
def test_nobody_orders_at_a_counter_by_themselves(
    world: World, post: Post, channel: object
) -> None:
    answer = post(ORDERS, member_token(), items=items(world), channel=channel)
    assert_problem(answer, 422, "validation")


@pytest.mark.parametrize(
    ("buyer", "field"),
    [
        ({"tax_id": "12345678"}, "tax_id"),
        ({"carrier": "/abc+123"}, "carrier"),
        ({"donation_code": "12"}, "donation_code"),
        ({"tax_id": "04595257", "carrier": "/ABC+123"}, "several"),
    ],
)
def test_a_buyer_that_is_none_is_refused_with_its_field(
    world: World, post: Post, buyer: dict[str, str], field: str
) -> None:
    answer = post(ORDERS, member_token(), items=items(world), buyer=buyer)
    assert_problem(answer, 422, "buyer-invalid")
    assert answer.get_json()["field"] == field


@pytest.mark.parametrize(
    "buyer",
    [
        [],
        "04595257",
        {"tax_id": 4595257},
        {"tax_id": "0459525"},
        {"carrier": "x" * 17},
        {"name": "Bob"},
    ],
)
def test_a_buyer_is_as_described(world: World, post: Post, buyer: object) -> None:
    assert_problem(post(ORDERS, member_token(), items=items(world), buyer=buyer), 422, "validation")


@pytest.mark.parametrize("buyer", [None, {}, {"tax_id": "04595257"}, {"carrier": "/ABC+123"}])
def test_a_good_buyer_or_none_is_taken(world: World, post: Post, buyer: object) -> None:
    assert post(ORDERS, member_token(), items=items(world), buyer=buyer).status_code == 201


@pytest.mark.parametrize(
    ("spoken", "told"), [("en", "Everybody may buy 1"), ("zh-TW", "每人限購 1 份")]
)
def test_a_limit_is_told_in_the_callers_words(
    client: FlaskClient, world: World, spoken: str, told: str
) -> None:
    world.add_offer("few", member_limit=1)
    wanted = [{"offer_id": str(world.offers["few"][0]), "quantity": 2}]
    headers = {
        "Idempotency-Key": new_id().hex, "Accept-Language": spoken, **bearer(member_token())
    }  # fmt: skip
    answer = client.post(ORDERS, json={"items": wanted}, headers=headers)
    assert_problem(answer, 409, "member-limit")
    assert told in answer.get_json()["detail"]
    facts = {name: answer.get_json()[name] for name in ("limit", "held", "wanted")}
    assert facts == {"limit": 1, "held": 0, "wanted": 2}
