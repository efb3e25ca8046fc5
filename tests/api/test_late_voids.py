"""Voids after the store's time, over HTTP: asked by one, approved by another."""

from typing import Any

import pytest

from kernel.ids import new_id
from tests.api.desk import NOBODYS, Desk, assert_problem, wrong_fields

PATH = "/v1/late-voids"


@pytest.fixture
def redeemed(desk: Desk) -> str:
    world = desk.world
    member_id = world.add_member()
    world.add_lot(member_id, "eleven")
    return world.take(world.add_till("B"), member_id, 3).id


def ask(desk: Desk, redeemed: str, **other: Any):
    return desk.post(PATH, redemption_id=redeemed, reason="wrong wallet", **other)


def test_one_asks_another_approves_and_then_it_is_undone(desk: Desk, redeemed: str) -> None:
    asked = ask(desk, redeemed)
    assert (asked.status_code, asked.json["state"], asked.json["items"]) == (201, "waiting", [])
    assert [one["id"] for one in desk.get(f"{PATH}?state=waiting").json["items"]] == [
        asked.json["id"]
    ]

    approved = desk.post(f"{PATH}/{asked.json['id']}/approve", who="bob")

    assert (approved.status_code, approved.json["state"]) == (200, "approved")
    assert desk.get(f"{PATH}?state=waiting").json["items"] == []
    assert_problem(ask(desk, redeemed), 409, "already-voided")


def test_nobody_approves_their_own(desk: Desk, redeemed: str) -> None:
    asked = ask(desk, redeemed).json
    assert_problem(desk.post(f"{PATH}/{asked['id']}/approve"), 409, "two-people")
    assert_problem(ask(desk, redeemed), 409, "late-void-waits")
    assert desk.post(f"{PATH}/{asked['id']}/reject").json["state"] == "rejected"
    assert_problem(desk.post(f"{PATH}/{asked['id']}/reject"), 409, "late-void-decided")


def test_a_drink_is_named_once(desk: Desk, redeemed: str) -> None:
    latte = {"product_id": str(desk.world.products["latte"]), "cups": 1}
    assert "items" in wrong_fields(ask(desk, redeemed, items=[latte, latte]))
    asked = ask(desk, redeemed, items=[latte])
    assert asked.json["items"] == [latte]


def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    assert_problem(ask(desk, str(new_id())), 404, "not-found")
    for verb in ("approve", "reject"):
        assert_problem(desk.post(f"{PATH}/{NOBODYS}/{verb}"), 404, "not-found")
