"""A shopper looks at the wallet: what is in it, how it came and went, and the code that spends."""

import xml.etree.ElementTree as ET

import pytest

from kernel import clock
from redemption import token
from redemption.models import Credential
from tests.world import only


@pytest.fixture
def alice(world):
    member_id = world.add_member()
    world.add_lot(member_id, "eleven")
    return member_id


def test_the_wallet_shows_what_can_be_collected(client, world, alice):
    world.add_lot(alice, "eleven")
    wallet = client.get("/v1/wallet", headers=world.sign_in(alice)).json
    assert wallet == {
        "cups": 22,
        "balances": [{"offer": "eleven", "name": "eleven", "left": 22, "ends_at": None}],
    }


def test_an_ended_lot_is_no_longer_shown(client, world):
    bob = world.add_member()
    world.add_lot(bob, "eleven", ends_at=world.now)
    assert client.get("/v1/wallet", headers=world.sign_in(bob)).json["cups"] == 0


def test_lots_are_listed_page_by_page_the_newest_first(client, world):
    bob = world.add_member()
    made = [str(world.add_lot(bob, "eleven")) for _ in range(5)]
    headers, seen, cursor = world.sign_in(bob), [], ""
    while True:
        page = client.get(f"/v1/wallet/lots?limit=2{cursor}", headers=headers).json
        seen += [lot["id"] for lot in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == made[::-1]


@pytest.mark.parametrize(
    "query",
    ["limit=-1", "limit=0", "limit=201", "limit=x", "limit=1&limit=2", "cursor=forged", "x=1"],
)
def test_a_wrong_query_is_refused(client, world, alice, query):
    answer = client.get(f"/v1/wallet/lots?{query}", headers=world.sign_in(alice))
    assert (answer.status_code, answer.json["reason"]) == (422, "validation")


def test_the_history_explains_every_cup(client, world, alice):
    world.take(world.add_till("B"), alice, 2)
    events = client.get("/v1/wallet/history", headers=world.sign_in(alice)).json["items"]
    assert [(event["kind"], event["cups"], event["amount"]["amount"]) for event in events] == [
        ("redemption", -2, -87),
        ("sale", 11, 476),
    ]
    assert events[0]["store_id"] == str(world.stores["B"])


def test_a_phone_gets_a_credential_whose_codes_the_server_takes(client, world, alice):
    answer = client.post("/v1/wallet/credentials", headers=world.sign_in(alice))
    assert answer.status_code == 201
    credential_id, seed = bytes.fromhex(answer.json["id"]), bytes.fromhex(answer.json["seed"])
    code = token.make(credential_id=credential_id, seed=seed, step=token.step_at(clock.now()))
    parsed = token.parse(code)
    assert parsed.is_genuine
    assert only(Credential).id == credential_id


def test_only_the_five_newest_credentials_stay_alive(client, world, alice):
    headers = world.sign_in(alice)
    made = [client.post("/v1/wallet/credentials", headers=headers).json["id"] for _ in range(6)]
    from kernel.db import db  # noqa: PLC0415

    alive = db.session.query(Credential).filter(Credential.revoked_at.is_(None)).all()
    assert sorted(one.id.hex() for one in alive) == sorted(made[1:])


def test_the_code_is_shown_as_text_and_as_pictures(client, world, alice):
    headers = world.sign_in(alice)
    text = client.get("/v1/wallet/code?format=text", headers=headers)
    svg = client.get("/v1/wallet/code", headers=headers)
    png = client.get("/v1/wallet/code?format=png", headers=headers)
    assert token.parse(text.get_data(as_text=True)).is_genuine
    assert ET.fromstring(svg.data).tag.endswith("svg")  # noqa: S314  our own picture
    assert png.data.startswith(b"\x89PNG")
    assert client.get("/v1/wallet/code?format=gif", headers=headers).status_code == 422


def test_nobody_sees_somebody_else_s_wallet(client, world, alice):
    bob = world.add_member()
    assert client.get("/v1/wallet", headers=world.sign_in(bob)).json["cups"] == 0
    assert client.get("/v1/wallet").status_code == 401
