"""Scans of a till that signs: who it is, is known before anything else is looked at or written."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from dev.device_key import DeviceKey
from kernel import clock
from kernel.db import Base, db
from kernel.ids import new_id
from tests.signing import SigningDevice
from tests.world import World, small_world

SCAN = "/v1/redemptions"
NOBODY = (401, "unauthenticated")


@pytest.fixture
def world(client: FlaskClient) -> World:
    return small_world(clock.now())


@pytest.fixture
def alice(world: World) -> UUID:
    member_id = world.add_member()
    world.add_lot(member_id, "eleven")
    return member_id


def till_of(client: FlaskClient, world: World, profile: str = "till") -> SigningDevice:
    """A till with a key, and a clerk at it."""
    till = world.add_till("A", signed=True, profile=profile)
    assert till.device_key is not None
    return SigningDevice(client, till.device_key, till.token)


def wanted(world: World, alice: UUID) -> dict[str, Any]:
    code = world.code(world.add_credential(alice), at=clock.now())
    return {"code": code, "product_id": str(world.products["latte"]), "cups": 1}


def told(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.json.get("reason")


def rows() -> dict[str, int]:
    """How many rows each table has."""
    counts = {
        table.name: db.session.scalar(select(func.count()).select_from(table))
        for table in Base.metadata.sorted_tables
    }
    db.session.rollback()
    return counts


def test_a_signed_scan_hands_cups_over_and_its_retry_is_answered_alike(client, world, alice):
    till, body, key = till_of(client, world), wanted(world, alice), new_id().hex

    first, again = (till.send("POST", SCAN, body, key=key) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"


def test_the_very_same_request_again_is_a_retry_and_takes_nothing(client, world, alice):
    till, raw = till_of(client, world), json.dumps(wanted(world, alice)).encode()
    headers = till.headers("POST", SCAN, body=raw, key=new_id().hex)
    sent = {"headers": headers, "data": raw, "content_type": "application/json"}

    first, again = (client.post(SCAN, **sent) for _ in range(2))

    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_scan_that_was_not_signed_changes_nothing_and_keeps_no_answer(client, world, alice):
    till, body, key = till_of(client, world), wanted(world, alice), new_id().hex
    raw = json.dumps(body).encode()
    good = till.headers("POST", SCAN, body=raw, key=key)
    foreign = SigningDevice(client, DeviceKey(), till.token)
    foreign.key.device_id = till.device_id
    old = int((clock.common() - timedelta(seconds=70)).timestamp())
    before = rows()

    for headers in (
        {name: good[name] for name in ("Authorization", "Idempotency-Key")},
        foreign.headers("POST", SCAN, body=raw, key=key),
        till.headers("POST", SCAN, body=raw, key=key, created=old),
        till.headers("POST", SCAN, body=raw, key=new_id().hex) | {"Idempotency-Key": key},
        till.headers("POST", "/v1/validations", body=raw, key=key),
        till.headers("POST", SCAN, body=raw + b" ", key=key),
    ):
        answer = client.post(SCAN, headers=headers, data=raw, content_type="application/json")
        assert told(answer) == NOBODY, headers

    assert rows() == before
    assert till.send("POST", SCAN, body, key=key).status_code == 201


def test_wrong_codes_without_a_signature_do_not_count_against_the_till(client, world, alice):
    till = till_of(client, world)
    guess = {**wanted(world, alice), "code": "GUESS"}
    shown = {"Authorization": f"Bearer {till.token}", "Idempotency-Key": new_id().hex}
    before = rows()

    assert told(client.post(SCAN, headers=shown, json=guess)) == NOBODY
    assert rows() == before


def test_a_known_key_is_not_answered_to_who_did_not_sign(client, world, alice):
    till, body, key = till_of(client, world), wanted(world, alice), new_id().hex
    till.send("POST", SCAN, body, key=key)
    shown = {"Authorization": f"Bearer {till.token}", "Idempotency-Key": key}

    assert told(client.post(SCAN, headers=shown, json=body)) == NOBODY


@pytest.mark.parametrize("address", [SCAN, "/v1/validations"])
def test_a_screen_hands_nothing_over(client, world, alice, address):
    screen, body = till_of(client, world, "screen"), wanted(world, alice)
    before = rows()

    answer = screen.send("POST", address, body, key=new_id().hex)

    assert told(answer) == (403, "forbidden")
    assert rows() == before


def test_a_scanner_hands_over_and_undoes(client, world, alice):
    scanner = till_of(client, world, "scanner")

    made = scanner.send("POST", SCAN, wanted(world, alice), key=new_id().hex)
    path = f"{SCAN}/{made.json['id']}/void"

    assert made.status_code == 201
    assert scanner.send("POST", path, {}, key=new_id().hex).status_code == 200
