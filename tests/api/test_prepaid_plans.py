"""A plan is given over HTTP: bought for somebody, sent by a link, begun by who got it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

import vouchers.jobs  # noqa: F401  its subscribers register themselves
from chain.models import LegalEntity
from kernel import outbox
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from tests.api.frame.principals import bearer
from tests.club import SAVED, Club, club_of
from tests.fakes import GOOD
from tests.world import World, key

pytestmark = pytest.mark.usefixtures("books_hold")

Headers = dict[str, str]


@pytest.fixture
def club(
    client: FlaskClient, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Club]:
    with club_of(world, offset=tmp_path / "clock", environment=monkeypatch) as made:
        yield made


@pytest.fixture
def alice(club: Club) -> Headers:
    return bearer(club.sign_in())


@pytest.fixture
def bob(world: World, club: Club) -> Headers:
    return world.sign_in(world.add_member())


def buy(client: FlaskClient, club: Club, headers: Headers, *, periods: int) -> Any:
    """Periods of the monthly plan, paid; answers the order."""
    item = {"offer_id": offer(club), "quantity": 1, "gift_periods": periods}
    order = client.post("/v1/orders", headers={**headers, **key()}, json={"items": [item]})
    assert order.status_code == 201
    paid = client.post(
        f"/v1/orders/{order.get_json()['id']}/pay",
        headers={**headers, **key()},
        json={"payment_method": GOOD},
    )
    assert paid.status_code == 200, paid.text
    outbox.drain()
    return order.get_json()


def offer(club: Club) -> str:
    return str(club.world.offers["monthly"][0])


def begin(client: FlaskClient, club: Club, headers: Headers, **body: Any) -> TestResponse:
    asked = {"offer_id": offer(club), **body}
    return client.post("/v1/subscriptions", headers={**headers, **key()}, json=asked)


def test_periods_are_bought_given_and_begun(
    client: FlaskClient, club: Club, alice: Headers, bob: Headers
):
    order = buy(client, club, alice, periods=3)
    assert order["total"]["amount"] == 1497
    wallet = client.get("/v1/wallet", headers=alice).get_json()
    assert (wallet["cups"], wallet["periods"]) == (0, 3)
    (lot,) = client.get("/v1/wallet/lots", headers=alice).get_json()["items"]
    assert (lot["benefit"], lot["unit"], lot["left"]) == ("periods", "period", 3)

    gift = client.post(
        "/v1/gifts", headers={**alice, **key()}, json={"lot_id": lot["id"], "cups": 3}
    ).get_json()
    claim = f"/v1/gifts/{gift['token']}/claim"
    assert client.post(claim, headers={**bob, **key()}).status_code == 200

    begun = begin(client, club, bob)
    assert begun.status_code == 201
    body = begun.get_json()
    assert (body["status"], body["card"], body["current_period"]["number"]) == ("active", None, 1)
    assert body["next_charge_at"] is None
    wallet = client.get("/v1/wallet", headers=bob).get_json()
    assert (wallet["cups"], wallet["periods"]) == (10, 2)
    history = client.get("/v1/wallet/history", headers=bob).get_json()["items"]
    assert [(one["cups"], one["periods"], one["left"]) for one in history] == [
        (10, -1, 10),
        (0, 3, 0),
    ]
    assert {(part["unit"], part["cups"]) for part in history[0]["parts"]} == {
        ("period", -1),
        ("cup", 10),
    }


def test_who_holds_none_is_told_so(client: FlaskClient, club: Club, bob: Headers):
    for asked in (offer(club), str(new_id())):
        answer = begin(client, club, bob, offer_id=asked)
        assert (answer.status_code, answer.get_json()["reason"]) == (409, "nothing-prepaid")


def test_a_replayed_beginning_is_one_plan(client: FlaskClient, club: Club, alice: Headers):
    buy(client, club, alice, periods=2)
    same = {**alice, **key()}
    asked = {"offer_id": offer(club)}
    first, again = (client.post("/v1/subscriptions", headers=same, json=asked) for _ in range(2))
    assert (again.get_json(), again.headers["Idempotency-Replayed"]) == (first.get_json(), "true")
    assert client.get("/v1/wallet", headers=alice).get_json()["periods"] == 1


def test_a_saved_card_goes_on_afterwards_but_not_somebody_elses(
    client: FlaskClient, club: Club, alice: Headers, bob: Headers
):
    buy(client, club, alice, periods=1)
    with transaction():
        card_id = str(club.keep_card(GOOD))
    begun = begin(client, club, alice, card_id=card_id, channel="web")
    assert (begun.status_code, begun.get_json()["card"]["last4"]) == (201, "4242")

    buy(client, club, bob, periods=1)
    answer = begin(client, club, bob, card_id=card_id)
    assert (answer.status_code, answer.get_json()["reason"]) == (404, "not-found")
    assert client.get("/v1/wallet", headers=bob).get_json()["periods"] == 1


def test_no_charge_is_shown_as_next_before_the_last_prepaid_period(
    client: FlaskClient, club: Club, alice: Headers
):
    buy(client, club, alice, periods=2)
    with transaction():
        card_id = str(club.keep_card(GOOD))
    begun = begin(client, club, alice, card_id=card_id).get_json()
    mine = UUID(begun["id"])
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()

    last = client.get(f"/v1/subscriptions/{mine}", headers=alice).get_json()

    assert begun["next_charge_at"] is None
    assert last["next_charge_at"] == last["current_period"]["ends_at"]


def test_a_saved_card_is_named_by_the_providers_reference_too(
    client: FlaskClient, club: Club, alice: Headers, bob: Headers
):
    buy(client, club, alice, periods=1)
    with transaction():
        club.keep_card(GOOD)
    begun = begin(client, club, alice, payment_method=SAVED + GOOD)
    assert (begun.status_code, begun.get_json()["card"]["last4"]) == (201, "4242")

    buy(client, club, bob, periods=1)
    answer = begin(client, club, bob, payment_method="pm_of_somebody_else")
    assert (answer.status_code, answer.get_json()["reason"]) == (404, "not-found")
    assert client.get("/v1/wallet", headers=bob).get_json()["periods"] == 1


def test_a_card_is_named_once(client: FlaskClient, club: Club, alice: Headers):
    buy(client, club, alice, periods=1)
    answer = begin(client, club, alice, card_id=str(new_id()), payment_method=SAVED + GOOD)
    assert (answer.status_code, answer.get_json()["reason"]) == (422, "validation")


def test_the_store_of_sign_up_is_named_and_sells_what_is_charged_later(
    client: FlaskClient, club: Club, alice: Headers
):
    buy(client, club, alice, periods=1)
    with transaction():
        club.keep_card(GOOD)
    store_id = club.world.stores["A"]
    asked = {"payment_method": SAVED + GOOD, "store_id": str(store_id)}
    mine = UUID(begin(client, club, alice, **asked).get_json()["id"])
    assert club.subscription(mine).store_id == store_id
    club.go_to(club.periods(mine)[0].ends_at)

    club.renew()

    first, second = (lot for lot in club.lots() if lot.subscription_id == mine)
    assert first.store_id == club.world.stores["W"]
    assert second.store_id == store_id


def test_a_store_that_is_not_there_signs_nobody_up(client: FlaskClient, club: Club, alice: Headers):
    buy(client, club, alice, periods=1)
    answer = begin(client, club, alice, store_id=str(new_id()))
    assert (answer.status_code, answer.get_json()["reason"]) == (404, "not-found")


def test_a_store_under_another_law_signs_nobody_up(client: FlaskClient, club: Club, alice: Headers):
    buy(client, club, alice, periods=1)
    with transaction():
        db.session.execute(
            update(LegalEntity).where(LegalEntity.code == "entity-A").values(jurisdiction="JP")
        )
    answer = begin(client, club, alice, store_id=str(club.world.stores["A"]))
    assert (answer.status_code, answer.get_json()["reason"]) == (409, "store-not-selling")
