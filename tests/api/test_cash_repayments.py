"""Cash goes back to its payer, once, from the drawer of whoever hands it out."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import members
import vouchers
from kernel import clock, outbox
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from payments import Repayment
from tests.world import Till, World, bearer, small_world
from vouchers import Wish

WAITING = "/v1/cash-repayments"
PHONE = {"phone": "0912345678"}

Post = Callable[..., TestResponse]


@pytest.fixture
def world(app: Flask) -> World:
    del app
    return small_world(clock.now())


@pytest.fixture
def till(world: World) -> Till:
    return world.add_till("A")


@pytest.fixture
def post(client: FlaskClient, till: Till) -> Post:
    def post(path: str, *, key: str | None = None, who: Till = till, **body: Any) -> TestResponse:
        headers = {"Idempotency-Key": key or new_id().hex, **bearer(who.token)}
        return client.post(path, json=body, headers=headers)

    return post


@pytest.fixture
def owed(world: World, post: Post) -> str:
    """A pack for 500, sold for cash and given back: its repayment."""
    items = [{"offer_id": str(world.offers["eleven"][0]), "quantity": 1}]
    order = post("/v1/counter-orders", items=items, member=PHONE, method="cash").get_json()["order"]
    with transaction():
        alice = members.member_of_phone(phone=PHONE["phone"], now=clock.now())
        wish = Wish(alice, order_id=UUID(order["id"]))
        vouchers.refund(wish, asked_by_id=alice, now=clock.now())
    outbox.drain()
    return str(only_repayment())


def only_repayment() -> UUID:
    with transaction():
        return db.session.query(Repayment).one().id


def listed(client: FlaskClient, till: Till) -> list[dict[str, Any]]:
    answer = client.get(WAITING, headers=bearer(till.token))
    assert answer.status_code == 200
    items: list[dict[str, Any]] = answer.get_json()["items"]
    return items


def test_what_waits_is_listed_and_handed_out_once(client, till, post, owed) -> None:
    (waiting,) = listed(client, till)
    assert (waiting["id"], waiting["status"]) == (owed, "processing")
    assert waiting["amount"] == {"amount": 500, "currency": "TWD"}

    key = new_id().hex
    given = post(f"{WAITING}/{owed}/hand-out", key=key, member=PHONE)
    again = post(f"{WAITING}/{owed}/hand-out", key=key, member=PHONE)

    assert (given.status_code, given.get_json()["status"]) == (200, "succeeded")
    assert again.get_json() == given.get_json()
    assert listed(client, till) == []


def test_the_drawer_is_empty_again(client, till, post, owed) -> None:
    post(f"{WAITING}/{owed}/hand-out", member=PHONE)

    total = client.get("/v1/shifts/current/total", headers=bearer(till.token)).get_json()

    assert [money["cash"]["amount"] for money in total["sums"]] == [0]


def test_the_refund_is_paid(post, owed) -> None:
    post(f"{WAITING}/{owed}/hand-out", member=PHONE)
    outbox.drain()

    with transaction():
        (refund,) = vouchers.list_refunds(member_id=None, status="paid", before=None, limit=9)
    assert refund.refund.payable == 500


def test_nobody_else_gets_the_money(client, till, post, owed) -> None:
    stranger = post(f"{WAITING}/{owed}/hand-out", member={"phone": "0987654321"})

    assert (stranger.status_code, stranger.get_json()["reason"]) == (404, "not-found")
    assert [one["status"] for one in listed(client, till)] == ["processing"]


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), ({"member": {}}, 422), ({"member": {"phone": "12"}}, 422), ({"member": 5}, 422)],
)
def test_what_names_nobody_is_refused(post, owed, body, status) -> None:
    assert post(f"{WAITING}/{owed}/hand-out", **body).status_code == status


def test_what_is_not_there_is_not_found(post, owed) -> None:
    del owed
    answer = post(f"{WAITING}/{new_id()}/hand-out", member=PHONE)
    assert (answer.status_code, answer.get_json()["reason"]) == (404, "not-found")
