"""Saved cards over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from payments.models import Card
from subs import CardInUse
from subs.models import Subscription
from tests.club import Club, club_of
from tests.together import together
from tests.world import World, small_world

CARDS = "/v1/cards"


@pytest.fixture
def world(app: Flask, now: object) -> World:
    return small_world(now)  # type: ignore[arg-type]


@pytest.fixture
def club(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Club]:
    with club_of(world, offset=tmp_path / "clock", environment=monkeypatch) as made:
        yield made


def saved(club: Club) -> Card:
    card = Card(
        id=new_id(),
        member_id=club.member_id,
        provider_ref=f"pm_{new_id().hex}",
        brand="visa",
        last4="4242",
        saved_at=club.now,
    )
    with transaction():
        db.session.add(card)
    return card


def test_cards_are_listed_and_forgotten(client: FlaskClient, club: Club) -> None:
    mine = club.world.sign_in(club.member_id)
    first, second = saved(club), saved(club)
    (shown, _) = client.get(CARDS, headers=mine).get_json()["items"]
    assert set(shown) == {"id", "brand", "last4", "saved_at"}
    assert (shown["id"], shown["brand"], shown["last4"]) == (str(second.id), "visa", "4242")
    assert client.delete(f"{CARDS}/{second.id}", headers=mine).status_code == 204
    (left,) = client.get(CARDS, headers=mine).get_json()["items"]
    assert left["id"] == str(first.id)
    assert client.delete(f"{CARDS}/{second.id}", headers=mine).status_code == 404


def test_somebody_elses_card_is_not_there(client: FlaskClient, club: Club) -> None:
    card, bob = saved(club), club.world.sign_in(club.world.add_member())
    assert client.get(CARDS, headers=bob).get_json() == {"items": []}
    answer = client.delete(f"{CARDS}/{card.id}", headers=bob)
    assert (answer.status_code, answer.get_json()["reason"]) == (404, "not-found")


def test_a_card_that_renews_a_subscription_is_kept(client: FlaskClient, club: Club) -> None:
    mine, subscription_id = club.world.sign_in(club.member_id), club.subscribe()
    card_id = club.subscription(subscription_id).card_id
    answer = client.delete(f"{CARDS}/{card_id}", headers=mine)
    assert (answer.status_code, answer.get_json()["reason"]) == (409, "card-in-use")
    assert answer.get_json()["subscription_id"] == str(subscription_id)


def test_a_card_of_a_subscription_that_has_ended_is_forgotten(
    client: FlaskClient, club: Club
) -> None:
    mine, subscription_id = club.world.sign_in(club.member_id), club.subscribe()
    card_id = club.subscription(subscription_id).card_id
    with transaction():
        ended = db.session.get_one(Subscription, subscription_id)
        ended.status, ended.due_at, ended.ended_at = "cancelled", None, club.now
    assert client.delete(f"{CARDS}/{card_id}", headers=mine).status_code == 204
    assert club.subscription(subscription_id).card_id is None


def test_forgetting_and_taking_a_card_at_once_leave_no_subscription_without_one(
    app: Flask, client: FlaskClient, club: Club
) -> None:
    mine, subscription_id = club.world.sign_in(club.member_id), club.subscribe()
    card = saved(club)

    def forget() -> str:
        return str(client.delete(f"{CARDS}/{card.id}", headers=mine).status_code)

    def take() -> str:
        with transaction():
            db.session.get_one(Subscription, subscription_id).card_id = card.id
        return "taken"

    answers = set(map(str, together(app, [forget, take], in_transactions=False)))
    with transaction():
        is_there = db.session.scalar(select(Card.id).where(Card.id == card.id)) is not None
        used = db.session.get_one(Subscription, subscription_id).card_id
    assert is_there == (used == card.id)
    assert answers in ({"409", "taken"}, {"204", str(CardInUse())})
