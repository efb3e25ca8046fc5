"""Many cups at once want their owner's word, for one phone or code and for a while."""

from pathlib import Path

import pytest

from examples.qr.phone import shown_capsule, unpadded
from kernel import clock
from kernel.config import config
from redemption import token
from tests.api.signing_in import MovableClock
from tests.world import bearer, key

PATH = "/v1/wallet/credentials"


@pytest.fixture(autouse=True)
def cautious(monkeypatch):
    """The chain asks from five cups on, as it does if nothing else is set."""
    monkeypatch.setenv("APPROVAL_FROM_CUPS", "5")
    config.cache_clear()
    yield
    config.cache_clear()


@pytest.fixture
def time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MovableClock:
    return MovableClock(tmp_path, monkeypatch)


@pytest.fixture
def alice(world):
    member_id = world.add_member()
    world.add_lot(member_id, "eleven")
    return world.sign_in(member_id)


@pytest.fixture
def take(client, world):
    till = world.add_till("A")

    def scan(code, cups):
        body = {"code": code, "product_id": str(world.products["latte"]), "cups": cups}
        return client.post("/v1/redemptions", json=body, headers={**bearer(till.token), **key()})

    return scan


class Phone:
    def __init__(self, client, who):
        made = client.post(PATH, headers=who).json
        self.id, self.seed = made["id"], bytes.fromhex(made["seed"])

    def code(self, step=0):
        return token.make(
            credential_id=bytes.fromhex(self.id),
            seed=self.seed,
            step=token.step_at(clock.now()) + step,
        )


def test_five_cups_pass_once_their_owner_has_agreed(client, alice, take):
    phone = Phone(client, alice)
    asked = take(phone.code(-1), 5)
    client.post(f"{PATH}/{phone.id}/approve", json={"cups": 5}, headers=alice)

    taken = take(phone.code(), 5)

    assert (asked.status_code, asked.json["reason"]) == (409, "approval-needed")
    assert (asked.json["free"], asked.json["wanted"]) == (4, 5)
    assert taken.status_code == 201, taken.json


def test_the_code_that_was_asked_about_is_good_still(client, alice, take):
    phone = Phone(client, alice)
    code = phone.code()
    take(code, 5)
    client.post(f"{PATH}/{phone.id}/approve", json={"cups": 5}, headers=alice)

    assert take(code, 5).status_code == 201


def test_more_than_was_agreed_to_is_asked_about_again(client, alice, take):
    phone = Phone(client, alice)
    client.post(f"{PATH}/{phone.id}/approve", json={"cups": 5}, headers=alice)

    assert take(phone.code(), 6).json["reason"] == "approval-needed"


def test_an_approval_is_over_after_ten_minutes(client, alice, take, time):
    phone = Phone(client, alice)
    client.post(f"{PATH}/{phone.id}/approve", json={"cups": 5}, headers=alice)
    time.advance(minutes=10)

    assert take(phone.code(), 5).json["reason"] == "approval-needed"


def test_another_phone_is_not_approved_by_it(client, alice, take):
    lost, mine = Phone(client, alice), Phone(client, alice)
    client.post(f"{PATH}/{mine.id}/approve", json={"cups": 5}, headers=alice)

    assert take(lost.code(), 5).json["reason"] == "approval-needed"


def test_a_spoken_code_is_approved_as_a_phone_is(client, alice, take):
    made = client.post("/v1/wallet/codes", headers=alice).json
    assert take(made["code"], 5).json["reason"] == "approval-needed"

    client.post(f"{PATH}/{made['id']}/approve", json={"cups": 5}, headers=alice)

    assert take(made["code"], 5).status_code == 201


def test_a_card_gives_two_cups_and_four_a_day_whatever_is_approved(client, alice, take):
    card = client.post("/v1/wallet/cards", json={}, headers=alice).json["code"]

    assert take(card, 3).json["limit"] == "card_per_scan"
    assert [take(card, 2).status_code for _ in range(2)] == [201, 201]
    refused = take(card, 1).json
    assert (refused["reason"], refused["limit"]) == ("limit-reached", "card_per_day")
    assert refused["next_at"] is not None


def test_a_capsule_gives_its_cups_online_too(client, world, alice, take):
    phone = Phone(client, alice)
    body = {"credential_id": phone.id, "store_id": str(world.stores["A"]), "cups": 2}
    made = client.post("/v1/wallet/capsules", json=body, headers=alice).json
    now = token.step_at(clock.now())

    def shown(step):
        return shown_capsule(unpadded(made["capsule"]), bytes.fromhex(made["seed"]), now + step)

    assert take(shown(-2), 1).status_code == 201
    assert take(shown(-2), 1).json["reason"] == "token-used"
    assert take(shown(-1), 2).json["limit"] == "capsule"
    assert take(shown(0), 1).status_code == 201
    assert take(shown(1), 1).json["reason"] == "limit-reached"
