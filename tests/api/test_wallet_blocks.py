"""Wallets are blocked and freed over HTTP, by their members and by the chain."""

from typing import Any

import pytest

from kernel import clock
from kernel.ids import new_id
from tests.api.desk import NOBODYS, Desk, assert_problem, wrong_fields
from tests.world import bearer, key

OWN, PATH = "/v1/wallet/block", "/v1/wallet-blocks"


@pytest.fixture
def alice(desk: Desk) -> dict[str, Any]:
    world = desk.world
    member_id, till = world.add_member(), world.add_till("A")
    world.add_lot(member_id, "eleven")
    return {
        "id": member_id,
        "till": till,
        "headers": world.sign_in(member_id),
        "redemption": world.take(till, member_id).id,
    }


def scan(desk: Desk, alice: dict[str, Any], **headers: str) -> Any:
    world = desk.world
    code = world.code(world.add_credential(alice["id"]), at=clock.now())
    body = {"code": code, "product_id": str(world.products["latte"]), "cups": 1}
    sent = {**bearer(alice["till"].token), **key(), **headers}
    return desk.client.post("/v1/redemptions", json=body, headers=sent)


def test_a_member_blocks_and_frees_their_wallet(desk: Desk, alice: dict[str, Any]) -> None:
    client, mine = desk.client, alice["headers"]
    blocked = client.post(OWN, headers={**mine, **key()})
    assert (blocked.status_code, blocked.json["is_blocked_by_chain"]) == (200, False)
    assert blocked.json["blocked_at"] is not None
    assert client.get(OWN, headers=mine).json == blocked.json
    assert_problem(scan(desk, alice), 409, "wallet-blocked")
    in_chinese = scan(desk, alice, **{"Accept-Language": "zh-TW"})
    assert "App" in in_chinese.json["detail"]
    assert client.delete(OWN, headers=mine).status_code == 204
    assert scan(desk, alice).status_code == 201


def test_finance_blocks_and_frees_by_a_redemption(desk: Desk, alice: dict[str, Any]) -> None:
    made = desk.post(PATH, redemption_id=alice["redemption"], reason="seen too often")
    assert (made.status_code, made.json["reason"]) == (201, "seen too often")
    assert [one["id"] for one in desk.get(PATH).json["items"]] == [made.json["id"]]
    own = desk.client.get(OWN, headers=alice["headers"]).json
    assert own == {"blocked_at": None, "is_blocked_by_chain": True}
    assert_problem(scan(desk, alice), 409, "wallet-blocked")
    lifted = desk.post(f"{PATH}/{made.json['id']}/lift", who="bob")
    assert (lifted.status_code, lifted.json["lifted_at"] is None) == (200, False)
    assert desk.get(PATH).json["items"] == []
    assert len(desk.get(f"{PATH}?state=all").json["items"]) == 1
    assert scan(desk, alice).status_code == 201


def test_what_is_not_there_is_not_found_and_a_reason_is_asked_for(
    desk: Desk, alice: dict[str, Any]
) -> None:
    assert_problem(desk.post(PATH, redemption_id=str(new_id()), reason="x"), 404, "not-found")
    assert_problem(desk.post(f"{PATH}/{NOBODYS}/lift"), 404, "not-found")
    assert "reason" in wrong_fields(desk.post(PATH, redemption_id=alice["redemption"]))
