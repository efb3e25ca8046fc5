"""Cards with a printed QR: of a member's own, and made at a till for whoever has no app."""

import xml.etree.ElementTree as ET
from base64 import b64decode
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

import members.jobs
import vouchers
from kernel import outbox
from kernel.db import db
from kernel.transaction import transaction
from members.models import Member, MemberSession
from members.policy import code_of
from redemption import picture, token
from redemption.models import Credential
from tests.api.signing_in import MovableClock
from tests.world import bearer, key

PATH, TILL = "/v1/wallet/cards", "/v1/wallet-cards"
PHONE = "0912345678"


@pytest.fixture
def time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MovableClock:
    return MovableClock(tmp_path, monkeypatch)


@pytest.fixture
def alice(world):
    return world.sign_in(world.add_member())


@pytest.fixture
def clerk(world):
    return bearer(world.add_till("A").token)


def issue(client, who, name=None):
    made = client.post(PATH, json={"name": name}, headers=who)
    assert made.status_code == 201, made.json
    return made.json


def ask(client, clerk, phone=PHONE):
    asked = client.post(f"{TILL}/challenges", json={"phone": phone}, headers=clerk)
    assert asked.status_code == 201, asked.json
    return asked.json["challenge_id"]


def read_aloud(client, clerk, challenge_id, code=None, *, key_=None):
    code = code or code_of(UUID(challenge_id), "card")
    body = {"challenge_id": challenge_id, "code": code}
    return client.post(TILL, json=body, headers={**clerk, **(key_ or key())})


def live_cards() -> list[str]:
    with transaction():
        live = select(Credential.id).where(Credential.revoked_at.is_(None))
        return [one.hex() for one in db.session.scalars(live)]


# A member's own


def test_a_card_has_a_code_that_stays_and_a_picture_of_it(client, alice):
    card = issue(client, alice, "For grandmother")

    text = client.get(f"{card['picture']}?format=text", headers=alice).get_data(as_text=True)
    svg = client.get(card["picture"], headers=alice)
    png = client.get(f"{card['picture']}?format=png", headers=alice)

    assert text == card["code"] == token.make_card(bytes.fromhex(card["id"]))
    assert ET.fromstring(svg.data).tag.endswith("svg")  # noqa: S314  our own picture
    assert png.data.startswith(b"\x89PNG")
    assert client.get(PATH, headers=alice).json["items"] == [card]


def test_a_card_is_good_for_a_year(client, alice, time):
    issue(client, alice)

    time.advance(days=364)
    assert len(client.get(PATH, headers=alice).json["items"]) == 1
    time.advance(days=1)
    assert client.get(PATH, headers=alice).json["items"] == []


def test_of_three_cards_the_oldest_is_over(client, alice):
    first, second, third = (issue(client, alice)["id"] for _ in range(3))

    assert [one["id"] for one in client.get(PATH, headers=alice).json["items"]] == [third, second]
    assert first not in live_cards()


def test_a_sixth_card_within_a_day_is_refused(client, alice, time):
    for _ in range(5):
        issue(client, alice)

    refused = client.post(PATH, json={}, headers=alice)

    assert (refused.status_code, refused.json["reason"]) == (429, "rate-limited")
    time.advance(days=1)
    issue(client, alice)


def test_a_revoked_card_is_drawn_no_more(client, alice):
    card = issue(client, alice)

    client.post(f"/v1/wallet/credentials/{card['id']}/revoke", headers=alice)

    assert client.get(card["picture"], headers=alice).status_code == 404


def test_somebody_else_s_card_is_not_found(client, world, alice):
    card = issue(client, alice)
    bob = world.sign_in(world.add_member())

    assert client.get(card["picture"], headers=bob).status_code == 404
    assert client.get(PATH, headers=bob).json["items"] == []


def test_a_phone_is_no_card(client, alice):
    phone = client.post("/v1/wallet/credentials", headers=alice).json["id"]

    assert client.get(f"{PATH}/{phone}/picture", headers=alice).status_code == 404


# At a till


def test_whoever_reads_the_code_to_the_clerk_gets_a_card(client, clerk):
    made = read_aloud(client, clerk, ask(client, clerk))

    assert made.status_code == 201
    kind, _, svg = made.json["picture"].partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert b64decode(svg) == picture.svg(made.json["code"])
    assert token.parse(made.json["code"]).kind == "card"
    with transaction():
        assert len(db.session.scalars(select(Member.id)).all()) == 1
        assert db.session.scalars(select(MemberSession.id)).all() == []


def test_the_card_opens_the_wallet_of_that_phone(client, world, clerk):
    till = world.add_till("B")
    made = read_aloud(client, clerk, ask(client, clerk)).json
    with transaction():
        (member_id,) = db.session.scalars(select(Member.id))
        vouchers.change_wallet(member_id)
    world.add_lot(member_id, "eleven")

    body = {"code": made["code"], "product_id": str(world.products["latte"]), "cups": 1}
    taken = client.post("/v1/redemptions", json=body, headers={**bearer(till.token), **key()})

    assert taken.status_code == 201, taken.json


def test_a_new_card_at_the_till_ends_the_earlier_ones(client, clerk, time):
    first = read_aloud(client, clerk, ask(client, clerk)).json["id"]
    time.advance(minutes=2)
    second = read_aloud(client, clerk, ask(client, clerk)).json["id"]

    assert live_cards() == [second] != [first]


def test_the_message_says_what_the_code_is_for(client, engines, clerk):
    challenge_id = ask(client, clerk)
    assert members.jobs  # what the worker imports
    outbox.drain()

    message = engines.message_file.read_text(encoding="utf-8")
    assert code_of(UUID(challenge_id), "card") in message
    assert "Jibei card" in message


def test_a_code_for_a_card_signs_nobody_in(client, clerk):
    """The clerk has heard it: it is good for nothing else."""
    challenge_id = ask(client, clerk)
    heard = code_of(UUID(challenge_id), "card")
    body = {"challenge_id": challenge_id, "code": heard, "transport": "bearer"}

    refused = client.post("/v1/sessions", json=body)

    assert (refused.status_code, refused.json["reason"]) == (422, "code-wrong")


def test_a_code_to_sign_in_makes_no_card(client, clerk):
    asked = client.post("/v1/sign-in/challenges", json={"phone": PHONE}).json["challenge_id"]

    refused = read_aloud(client, clerk, asked, code_of(UUID(asked)))

    assert refused.json["reason"] == "code-wrong"


def test_the_fifth_wrong_code_ends_the_challenge(client, clerk):
    challenge_id = ask(client, clerk)
    wrong = f"{(int(code_of(UUID(challenge_id), 'card')) + 1) % 1_000_000:06d}"

    answers = [read_aloud(client, clerk, challenge_id, wrong).status_code for _ in range(5)]

    assert answers == [422, 422, 422, 422, 429]
    assert read_aloud(client, clerk, challenge_id).status_code == 429
    assert live_cards() == []


def test_a_retry_with_the_same_key_hears_of_the_same_card(client, clerk):
    challenge_id, same = ask(client, clerk), key()

    first = read_aloud(client, clerk, challenge_id, key_=same)
    again = read_aloud(client, clerk, challenge_id, key_=same)

    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"
    assert read_aloud(client, clerk, challenge_id).json["reason"] == "code-wrong"
