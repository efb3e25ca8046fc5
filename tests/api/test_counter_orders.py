"""Sales at a till over HTTP."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

import members
from kernel import clock
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from members.models import Member
from tests.service.vouchers.conftest import lots_of, settle
from tests.service.vouchers.terminal import FakeTerminal, fake_terminal
from tests.world import Till, World, bearer, small_world

COUNTER = "/v1/counter-orders"
PHONE = {"phone": "0912345678"}

Post = Callable[..., TestResponse]


@pytest.fixture
def terminal(app: Flask) -> Iterator[FakeTerminal]:
    with fake_terminal() as fake:
        yield fake


@pytest.fixture
def world(app: Flask) -> World:
    return small_world(clock.now())


@pytest.fixture
def till(world: World) -> Till:
    return world.add_till("A")


@pytest.fixture
def post(client: FlaskClient, till: Till) -> Post:
    """Post with the till's token and a key, a fresh one unless given."""

    def post(path: str, *, key: str | None = None, who: Till = till, **body: Any) -> TestResponse:
        headers = {"Idempotency-Key": key or new_id().hex, **bearer(who.token)}
        return client.post(path, json=body, headers=headers)

    return post


def sale(world: World, **other: Any) -> dict[str, Any]:
    items = [{"offer_id": str(world.offers["eleven"][0]), "quantity": 1}]
    return {"items": items, "member": PHONE, "method": "cash", **other}


def assert_problem(answer: TestResponse, status: int, slug: str) -> None:
    assert (answer.status_code, answer.get_json()["reason"]) == (status, slug), answer.get_json()


def test_cash_is_taken_and_the_cups_are_there(world: World, post: Post, till: Till) -> None:
    sold = post(COUNTER, **sale(world))
    assert sold.status_code == 201
    order, payment = sold.get_json()["order"], sold.get_json()["payment"]
    assert (order["status"], order["channel"]) == ("fulfilled", "counter")
    assert order["store_id"] == str(till.store_id)
    assert (payment["method"], payment["status"]) == ("cash", "succeeded")
    assert payment["amount"] == {"amount": 500, "currency": "TWD"}
    with transaction():
        (alice,) = db.session.query(Member).all()
        assert members.phone_of(alice.id) == "+886912345678"
    assert [lot.units for lot in lots_of(alice.id)] == [11]


def test_somebody_who_comes_again_is_the_same_member(world: World, post: Post) -> None:
    for phone in ("0912345678", "+886 912-345-678"):
        assert post(COUNTER, **sale(world, member={"phone": phone})).status_code == 201
    with transaction():
        assert db.session.query(Member).count() == 1


def test_the_wallets_code_says_who_buys_and_is_not_used_up(
    world: World, post: Post, till: Till
) -> None:
    alice = world.add_member()
    code = world.code(world.add_credential(alice), at=clock.now())
    sold = post(COUNTER, **sale(world, member={"code": code}))
    assert sold.status_code == 201
    assert len(lots_of(alice)) == 1
    assert post(COUNTER, **sale(world, member={"code": code})).status_code == 201


@pytest.mark.parametrize("code", ["GARBAGE", "A" * 42])
def test_a_code_that_is_none_is_refused_and_counted(
    world: World, post: Post, till: Till, code: str
) -> None:
    assert_problem(post(COUNTER, **sale(world, member={"code": code})), 422, "token-invalid")
    with transaction():
        counted = db.session.execute(text("SELECT device_id, times FROM wrong_code")).all()
    assert [tuple(row) for row in counted] == [(till.device_id, 1)]


def test_an_old_code_is_refused(world: World, post: Post) -> None:
    code = world.code(world.add_credential(world.add_member()), at=clock.now(), step=-9)
    assert_problem(post(COUNTER, **sale(world, member={"code": code})), 422, "token-expired")


def test_a_retry_with_its_key_sells_nothing_twice(world: World, post: Post) -> None:
    key = new_id().hex
    first, again = (post(COUNTER, key=key, **sale(world)) for _ in range(2))
    assert again.get_json() == first.get_json()
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert_problem(
        post(COUNTER, key=key, **sale(world, method="terminal")), 422, "idempotency-key-reused"
    )


def test_the_terminal_is_asked_until_it_is_paid(
    client: FlaskClient, terminal: FakeTerminal, world: World, post: Post, till: Till
) -> None:
    sold = post(COUNTER, **sale(world, method="terminal")).get_json()
    assert (sold["order"]["status"], sold["payment"]["status"]) == ("pending", "processing")
    path = f"{COUNTER}/{sold['order']['id']}"
    waiting = post(f"{path}/pay", method="terminal")
    assert (waiting.status_code, waiting.get_json()["payment"]) == (200, sold["payment"])
    terminal.tap(next(iter(terminal.intents.values())).payment_id)  # type: ignore[arg-type]
    paid = post(f"{path}/pay", method="terminal").get_json()
    assert (paid["order"]["status"], paid["payment"]["status"]) == ("fulfilled", "succeeded")
    settle()
    shown = client.get(path, headers=bearer(till.token)).get_json()
    assert shown == paid
    assert_problem(post(f"{path}/pay", method="cash"), 409, "already-paid")


def test_a_refused_card_says_why_as_its_holder_may_hear(
    terminal: FakeTerminal, world: World, post: Post
) -> None:
    key = new_id().hex
    post(COUNTER, key=key, **sale(world, method="terminal"))
    terminal.refuse(next(iter(terminal.intents.values())).payment_id)  # type: ignore[arg-type]
    payment = post(COUNTER, key=key, **sale(world, method="terminal")).get_json()["payment"]
    assert (payment["status"], payment["decline_code"]) == ("failed", "card_declined")


def test_without_terminals_only_cash_is_taken(world: World, post: Post) -> None:
    assert_problem(post(COUNTER, **sale(world, method="terminal")), 409, "terminal-not-set-up")
    with transaction():
        assert db.session.query(Member).count() == 0


def test_a_clerk_does_not_sell_to_themselves(world: World, post: Post) -> None:
    own = world.add_member()
    clerk = world.add_till("A", own=own)
    code = world.code(world.add_credential(own), at=clock.now())
    answer = post(COUNTER, who=clerk, **sale(world, member={"code": code}))
    assert_problem(answer, 403, "own-order")
    assert lots_of(own) == []


def test_an_offer_that_is_not_sold_at_counters_is_refused_in_words(
    client: FlaskClient, world: World, till: Till
) -> None:
    world.add_offer("online", sale_channels=["web", "app"])
    items = [{"offer_id": str(world.offers["online"][0]), "quantity": 1}]
    headers = {"Idempotency-Key": new_id().hex, "Accept-Language": "zh-TW", **bearer(till.token)}
    answer = client.post(COUNTER, json=sale(world, items=items), headers=headers)
    assert_problem(answer, 409, "channel-not-sold")
    assert answer.get_json()["detail"] == "這項商品不在櫃檯販售，請至以下通路購買：手機 App、網站。"


def test_another_stores_order_is_not_there(client: FlaskClient, world: World, post: Post) -> None:
    order_id = post(COUNTER, **sale(world)).get_json()["order"]["id"]
    elsewhere = world.add_till("B")
    path = f"{COUNTER}/{order_id}"
    assert_problem(client.get(path, headers=bearer(elsewhere.token)), 404, "not-found")
    assert_problem(post(f"{path}/pay", who=elsewhere, method="cash"), 404, "not-found")


@pytest.mark.parametrize(
    "wrong",
    [
        {"items": []},
        {"items": [{"offer_id": "junk", "quantity": 1}]},
        {"items": [{"offer_id": str(new_id()), "quantity": 0}]},
        {"member": {}},
        {"member": {"phone": "0912345678", "code": "X"}},
        {"member": {"phone": "12"}},
        {"member": {"phone": 912345678}},
        {"member": {"code": ""}},
        {"member": {"id": str(new_id())}},
        {"member": None},
        {"method": "card"},
        {"method": None},
        {"buyer": {"tax_id": "1234567"}},
        {"buyer": {"tax_id": 4595257}},
        {"buyer": {"name": "Bob"}},
        {"channel": "app"},
        {"store_id": str(new_id())},
        {"shift_id": str(new_id())},
    ],
)
def test_a_body_that_is_not_as_described_is_not_valid(
    world: World, post: Post, wrong: dict[str, Any]
) -> None:
    assert_problem(post(COUNTER, **sale(world, **wrong)), 422, "validation")
    with transaction():
        assert db.session.query(Member).count() == 0


@pytest.mark.parametrize("phone", ["0223456789", "+81901234567"])
def test_a_phone_that_is_no_taiwanese_mobile_is_refused(
    world: World, post: Post, phone: str
) -> None:
    answer = post(COUNTER, **sale(world, member={"phone": phone}))
    assert_problem(answer, 422, "phone-unsupported")


def test_a_buyer_that_is_none_is_refused_with_its_field(world: World, post: Post) -> None:
    answer = post(COUNTER, **sale(world, buyer={"tax_id": "12345678"}))
    assert_problem(answer, 422, "buyer-invalid")
    assert answer.get_json()["field"] == "tax_id"


def test_only_a_till_with_a_shift_sells(client: FlaskClient, world: World) -> None:
    member = world.sign_in(world.add_member())
    for headers in ({}, member, world.open_office("manager")):
        sent = {"Idempotency-Key": new_id().hex, **headers}
        assert_problem(client.post(COUNTER, json=sale(world), headers=sent), 401, "unauthenticated")


def test_a_shift_shows_and_closes_its_money(
    client: FlaskClient, terminal: FakeTerminal, world: World, post: Post, till: Till
) -> None:
    mine = bearer(till.token)
    assert client.get("/v1/shifts/current/total", headers=mine).get_json() == {"sums": []}
    post(COUNTER, **sale(world))
    post(COUNTER, **sale(world, method="terminal"))
    open_one = [{"currency": "TWD", "amount": 500}]
    under_way = post("/v1/shifts/current/close", counted=open_one)
    assert_problem(under_way, 409, "payment-under-way")
    terminal.tap(next(iter(terminal.intents.values())).payment_id)  # type: ignore[arg-type]
    key = new_id().hex
    with transaction():
        pending = db.session.execute(
            text("SELECT id FROM voucher_order WHERE status = 'pending'")
        ).scalar_one()
    post(f"{COUNTER}/{pending}/pay", method="terminal")
    total = client.get("/v1/shifts/current/total", headers=mine).get_json()
    twd = {"currency": "TWD"}
    assert total == {"sums": [{"cash": {"amount": 500, **twd}, "terminal": {"amount": 500, **twd}}]}
    less = [{"currency": "TWD", "amount": 480}]
    assert_problem(post("/v1/shifts/current/close", counted=less), 422, "count-unexplained")
    closed = post("/v1/shifts/current/close", key=key, counted=less, note="Change for Bob.")
    assert closed.status_code == 200
    (summed,) = closed.get_json()["sums"]
    assert (summed["counted"]["amount"], summed["difference"]["amount"]) == (480, -20)
    assert closed.get_json()["note"] == "Change for Bob."
    again = post("/v1/shifts/current/close", key=key, counted=less, note="Change for Bob.")
    assert again.get_json() == closed.get_json()
    assert_problem(post(COUNTER, **sale(world)), 409, "shift-closed")
    assert client.delete("/v1/shifts/current", headers=mine).status_code == 204


@pytest.mark.parametrize(
    "counted",
    [
        None,
        {},
        [],
        [{"currency": "TWD", "amount": -1}],
        [{"currency": "twd", "amount": 1}],
        [{"currency": "TWD", "amount": 1.5}],
        [{"currency": "TWD", "amount": 1}] * 2,
        [{"amount": 1}],
    ],
)
def test_what_is_counted_is_whole_and_each_currency_once(post: Post, counted: Any) -> None:
    assert_problem(post("/v1/shifts/current/close", counted=counted), 422, "validation")
