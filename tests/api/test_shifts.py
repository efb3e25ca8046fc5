from datetime import datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.api.signing_in import MovableClock, desk, enrolled, shift
from tests.service.chain.staffing import PIN, add_staff
from tests.signing import SigningDevice
from tests.world import World, small_world


@pytest.fixture
def world(client: FlaskClient, now: datetime) -> World:
    made = small_world(now)
    add_staff("1001", "clerk", stores=[made.stores["A"]])
    add_staff("1002", "clerk", stores=[made.stores["B"]])
    return made


@pytest.fixture
def device(client: FlaskClient, world: World) -> SigningDevice:
    """A device at store A."""
    add_staff("4001", "admin")
    return enrolled(client, desk(client, "4001"), world.stores["A"])


def test_a_clerk_works_at_a_device_of_their_store(device: SigningDevice):
    started = shift(device, "1001")

    assert started.status_code == 201
    assert started.json["role"] == "clerk"
    mine = device.at_work(started.json["token"])
    assert mine.send("DELETE", "/v1/shifts/current").status_code == 204
    assert mine.send("DELETE", "/v1/shifts/current").status_code == 401


def test_a_shift_ends_after_twelve_hours(
    device: SigningDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    time = MovableClock(tmp_path, monkeypatch)
    mine = device.at_work(shift(device, "1001").json["token"])

    time.advance(hours=12)

    assert mine.send("DELETE", "/v1/shifts/current").status_code == 401


def test_a_clerk_of_another_store_is_out_of_scope(device: SigningDevice):
    refused = shift(device, "1002")

    assert (refused.status_code, refused.json["reason"]) == (403, "store-scope")


def test_a_pin_is_worth_nothing_without_an_enrolled_device(client: FlaskClient, world: World):
    body = {"staff_number": "1001", "pin": PIN}

    assert client.post("/v1/shifts", json=body).status_code == 401


@pytest.mark.parametrize("number", ["1001", "9999"])
def test_the_fifth_wrong_pin_locks_the_number(device: SigningDevice, number: str):
    answers = [shift(device, number, pin="000000") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 429]
    assert answers[0].json["reason"] == "sign-in-refused"
    right = shift(device, number)
    assert (right.status_code, right.json["reason"]) == (429, "rate-limited")
    assert 1 <= int(right.headers["Retry-After"]) <= 900


@pytest.mark.parametrize(
    "change",
    [
        {"pin": "12345"},
        {"pin": 135790},
        {"pin": "１３５７９０"},
        {"staff_number": "10 01"},
        {"role": "admin"},
    ],
)
def test_a_body_that_is_not_as_described_is_not_valid(device: SigningDevice, change: dict):
    body = {"staff_number": "1001", "pin": PIN, **change}

    answer = device.send("POST", "/v1/shifts", body)

    assert (answer.status_code, answer.json["reason"]) == (422, "validation")
