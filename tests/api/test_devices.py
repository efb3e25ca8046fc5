from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from chain.models import Device
from dev.device_key import DeviceKey
from kernel import clock
from kernel.config import config
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from redemption.models import OfflineItem
from tests.api.signing_in import MovableClock, desk, enrolled, shift, trade
from tests.service.chain.staffing import add_staff
from tests.service.redemption.tills import change
from tests.signing import SigningDevice
from tests.world import World

BEAT = ("POST", "/v1/devices/current/heartbeat")


@pytest.fixture
def admin(client: FlaskClient, world: World) -> dict[str, str]:
    add_staff("4001", "admin")
    return desk(client, "4001")


@pytest.fixture
def manager(client: FlaskClient, world: World) -> dict[str, str]:
    """A manager of store A."""
    add_staff("2001", "manager", stores=[world.stores["A"]])
    return desk(client, "2001")


def _new(client: FlaskClient, who: dict[str, str], store_id: object):
    return client.post("/v1/devices", json={"store_id": str(store_id), "name": "Till"}, headers=who)


def _body(code: str) -> dict[str, str]:
    return {"code": code, "public_key": DeviceKey().public_text}


def _enrol(client: FlaskClient, code: str):
    return client.post("/v1/devices/enrol", json=_body(code))


def test_a_device_is_made_at_the_desk_and_enrolled_at_the_store(
    client: FlaskClient, world: World, manager: dict[str, str]
):
    made = _new(client, manager, world.stores["A"])
    got = _enrol(client, made.json["code"])

    assert made.status_code == got.status_code == 201
    assert made.json.keys() == {"id", "store_id", "name", "code", "code_ends_at"}
    assert got.json["device_id"] == made.json["id"]
    assert got.json["store_id"] == str(world.stores["A"])
    assert got.json["token"].startswith("dev_")


def test_a_code_is_good_once_and_for_an_hour(
    client: FlaskClient,
    world: World,
    admin: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    time = MovableClock(tmp_path, monkeypatch)
    used, old = (_new(client, admin, world.stores["A"]).json["code"] for _ in range(2))
    _enrol(client, used)

    again = _enrol(client, used)
    time.advance(hours=1)
    late = _enrol(client, old)

    assert (again.status_code, again.json["reason"]) == (404, "not-found")
    assert (late.status_code, late.json) == (again.status_code, again.json)


def test_guessing_codes_ends_at_twenty(client: FlaskClient, world: World, admin: dict[str, str]):
    code = _new(client, admin, world.stores["A"]).json["code"]

    statuses = [_enrol(client, "AAAAAAAA").status_code for _ in range(20)]
    right = _enrol(client, code)

    assert statuses == [404] * 19 + [429]
    assert right.status_code == 429
    wait = int(right.headers["Retry-After"])
    assert 0 < wait <= 900
    assert right.headers["RateLimit"] == f'"rate-limited";r=0;t={wait}'


def test_the_addresses_of_one_connection_guess_together(client: FlaskClient, world: World):
    for number in range(20):
        here = {"REMOTE_ADDR": f"2001:db8:1:2::{number}"}
        client.post("/v1/devices/enrol", json=_body("AAAAAAAA"), environ_base=here)

    same, other = (
        client.post(
            "/v1/devices/enrol", json=_body("AAAAAAAA"), environ_base={"REMOTE_ADDR": address}
        )
        for address in ("2001:db8:1:2:ffff::", "2001:db8:1:3::")
    )

    assert (same.status_code, other.status_code) == (429, 404)


def test_a_manager_acts_on_devices_of_their_own_stores_only(
    client: FlaskClient, world: World, admin: dict[str, str], manager: dict[str, str]
):
    elsewhere = _new(client, admin, world.stores["B"]).json["id"]

    made = _new(client, manager, world.stores["B"])
    revoked = client.post(f"/v1/devices/{elsewhere}/revoke", headers=manager)

    for refused in (made, revoked):
        assert (refused.status_code, refused.json["reason"]) == (403, "store-scope")
    assert client.get("/v1/devices", headers=manager).json["items"] == []
    assert [each["id"] for each in client.get("/v1/devices", headers=admin).json["items"]] == [
        elsewhere
    ]


def test_a_revoked_device_may_do_nothing_and_its_shifts_end(
    client: FlaskClient, world: World, admin: dict[str, str]
):
    add_staff("1001", "clerk", stores=[world.stores["A"]])
    device = enrolled(client, admin, world.stores["A"])
    at_work = device.at_work(shift(device, "1001").json["token"])

    revoked = client.post(f"/v1/devices/{device.device_id}/revoke", headers=admin)
    again = client.post(f"/v1/devices/{device.device_id}/revoke", headers=admin)

    assert revoked.status_code == 200
    assert revoked.json["revoked_at"]
    assert again.json == revoked.json
    assert shift(device, "1001").status_code == 401
    assert at_work.send("DELETE", "/v1/shifts/current").status_code == 401


def test_only_managers_and_admins_may_see_or_make_devices(client: FlaskClient, world: World):
    add_staff("3001", "finance")
    finance = desk(client, "3001")

    for answer in (
        _new(client, finance, world.stores["A"]),
        client.get("/v1/devices", headers=finance),
        client.post(f"/v1/devices/{new_id()}/revoke", headers=finance),
    ):
        assert (answer.status_code, answer.json["reason"]) == (403, "forbidden")


def test_what_is_not_there_is_not_found(client: FlaskClient, admin: dict[str, str]):
    for answer in (
        _new(client, admin, new_id()),
        client.post(f"/v1/devices/{new_id()}/revoke", headers=admin),
    ):
        assert (answer.status_code, answer.json["reason"]) == (404, "not-found")


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "AAAA"},
        {"code": 12345678},
        {"code": "A" * 21},
        {"public_key": None},
        {"public_key": "A" * 42},
        {"public_key": "A" * 44},
        {"public_key": "A" * 42 + "="},
        {"public_key": "A" * 42 + "+"},
        {"software_version": "new"},
        {"software_version": "1.2.3.4.5"},
        {"software_version": "1.0\n"},
    ],
)
def test_a_body_that_is_not_as_described_is_not_valid(
    client: FlaskClient, wrong: dict[str, object]
):
    answer = client.post("/v1/devices/enrol", json={**_body("AAAAAAAA"), **wrong})

    assert (answer.status_code, answer.json["reason"]) == (422, "validation")


def test_a_device_leaves_its_key_and_is_told_what_it_may_do(
    client: FlaskClient, world: World, admin: dict[str, str]
):
    device = enrolled(client, admin, world.stores["A"], profile="scanner")

    (listed,) = client.get("/v1/devices", headers=admin).json["items"]

    assert (listed["profile"], listed["has_key"]) == ("scanner", True)
    assert (listed["software_version"], listed["is_outdated"]) == (None, False)
    assert listed["last_seen_at"] == listed["enrolled_at"]
    assert listed["id"] == device.device_id


def test_an_enrolment_tells_profile_and_time(
    client: FlaskClient, world: World, admin: dict[str, str]
):
    body = _body(_new(client, admin, world.stores["A"]).json["code"])

    got = client.post("/v1/devices/enrol", json={**body, "software_version": "2.1.0-rc.1"})

    assert got.json.keys() == {"device_id", "store_id", "profile", "token", "now"}
    assert got.json["profile"] == "till"
    assert abs(datetime.fromisoformat(got.json["now"]) - clock.now()) < timedelta(seconds=10)


def test_two_devices_cannot_have_one_key_and_the_code_stays_good(
    client: FlaskClient, world: World, admin: dict[str, str]
):
    first = enrolled(client, admin, world.stores["A"])
    code = _new(client, admin, world.stores["A"]).json["code"]

    refused = client.post(
        "/v1/devices/enrol", json={"code": code, "public_key": first.key.public_text}
    )

    assert (refused.status_code, refused.json["reason"]) == (409, "public-key-taken")
    assert _enrol(client, code).status_code == 201


def test_a_device_that_is_enrolled_again_loses_token_and_key_with_the_new_code(
    client: FlaskClient, world: World, manager: dict[str, str]
):
    add_staff("1001", "clerk", stores=[world.stores["A"]])
    before = enrolled(client, manager, world.stores["A"])
    at_work = before.at_work(shift(before, "1001").json["token"])

    made = client.post(f"/v1/devices/{before.device_id}/re-enrol", headers=manager)
    goes_on = at_work.send("GET", "/v1/shifts/current/total")
    after = trade(client, made.json["code"])

    assert goes_on.status_code == 200
    assert after.device_id == before.device_id
    assert shift(before, "1001").status_code == 401
    assert at_work.send("GET", "/v1/shifts/current/total").status_code == 401
    assert SigningDevice(client, before.key, after.token).send(*BEAT, {}).status_code == 401
    assert after.send(*BEAT, {}).status_code == 200
    assert _enrol(client, made.json["code"]).status_code == 404


def test_a_revoked_device_is_not_enrolled_again(
    client: FlaskClient, world: World, admin: dict[str, str], manager: dict[str, str]
):
    device_id = enrolled(client, admin, world.stores["A"]).device_id
    elsewhere = enrolled(client, admin, world.stores["B"]).device_id
    waiting = client.post(f"/v1/devices/{device_id}/re-enrol", headers=admin).json["code"]
    client.post(f"/v1/devices/{device_id}/revoke", headers=admin)

    refused = client.post(f"/v1/devices/{device_id}/re-enrol", headers=admin)
    foreign = client.post(f"/v1/devices/{elsewhere}/re-enrol", headers=manager)

    assert (refused.status_code, refused.json["reason"]) == (409, "device-revoked")
    assert _enrol(client, waiting).status_code == 404
    assert (foreign.status_code, foreign.json["reason"]) == (403, "store-scope")


def test_a_device_says_that_it_is_there_and_hears_what_it_should_know(
    client: FlaskClient, world: World, admin: dict[str, str], tmp_path, monkeypatch
):
    time = MovableClock(tmp_path, monkeypatch)
    device = enrolled(client, admin, world.stores["A"])
    time.advance(minutes=2)
    ahead = (clock.common() + timedelta(seconds=90)).isoformat()

    answer = device.send(*BEAT, {"software_version": "2.1.0", "clock": ahead})

    assert answer.status_code == 200
    assert 85_000 < answer.json["skew_ms"] < 91_000
    assert answer.json["profile"] == "till"
    assert (answer.json["minimum_software_version"], answer.json["is_outdated"]) == (None, False)
    (listed,) = client.get("/v1/devices", headers=admin).json["items"]
    assert listed["software_version"] == "2.1.0"
    assert listed["last_seen_at"] == answer.json["now"]
    assert listed["clock_skew_ms"] == answer.json["skew_ms"]


def test_the_desk_sees_how_far_a_clock_was_off_when_it_was_last_told(
    client: FlaskClient, world: World, admin: dict[str, str], tmp_path, monkeypatch
):
    time = MovableClock(tmp_path, monkeypatch)
    device = enrolled(client, admin, world.stores["A"])
    seen = []
    for minutes, behind in ((0, 0), (2, 720), (2, None), (2, -5)):
        time.advance(minutes=minutes)
        told = {} if behind is None else {"clock": behind_by(behind)}
        device.send(*BEAT, told)
        (listed,) = client.get("/v1/devices", headers=admin).json["items"]
        seen.append(listed["clock_skew_ms"])
    trade(
        client, client.post(f"/v1/devices/{device.device_id}/re-enrol", headers=admin).json["code"]
    )
    (listed,) = client.get("/v1/devices", headers=admin).json["items"]

    assert seen[0] is None  # heard from within the minute
    assert -730_000 < seen[1] < -715_000
    assert seen[2] == seen[1]
    assert -5_000 < seen[3] <= 5_000
    assert listed["clock_skew_ms"] is None


def behind_by(seconds: float) -> str:
    """What a clock shows that is so much slow."""
    return (clock.common() - timedelta(seconds=seconds)).isoformat()


def test_a_device_hears_how_far_its_log_has_come_in(
    client: FlaskClient, world: World, admin: dict[str, str]
):
    device = enrolled(client, admin, world.stores["A"])
    other = enrolled(client, admin, world.stores["A"])
    first, second = ({"number": number, "hash": f"{number:064x}"} for number in (1, 2))
    none = device.send(*BEAT, {"log": first}).json
    for number in (1, 2):
        add_item(device, world, number)

    seen = [device.send(*BEAT, {"log": log}).json for log in (None, first, second)]
    forked = device.send(*BEAT, {"log": {**second, "hash": "f" * 64}}).json
    elsewhere = other.send(*BEAT, {"log": second}).json

    assert (none["log"], none["is_log_here"]) == (None, False)
    assert [one["log"] for one in seen] == [second] * 3
    assert [one["is_log_here"] for one in seen] == [None, True, True]
    assert forked["is_log_here"] is False
    assert (elsewhere["log"], elsewhere["is_log_here"]) == (None, False)


def add_item(device: SigningDevice, world: World, number: int) -> None:
    """An item of the device's log that was uploaded."""
    item = OfflineItem(
        device_id=UUID(device.device_id),
        number=number,
        hash=number.to_bytes(32, "big"),
        previous_hash=(number - 1).to_bytes(32, "big"),
        item="{}",
        signature=bytes(64),
        signed_by=device.key.public,
        store_id=world.stores["A"],
        cups=1,
        served_at=world.now,
        business_day=world.now.date(),
        received_at=world.now,
        outcome="review",
        reason="skewed",
    )
    with transaction():
        db.session.add(item)


def test_a_device_is_written_down_once_a_minute(
    client: FlaskClient, world: World, admin: dict[str, str], tmp_path, monkeypatch
):
    time = MovableClock(tmp_path, monkeypatch)
    device = enrolled(client, admin, world.stores["A"])
    seen = []
    for seconds in (55, 10, 10):
        time.advance(seconds=seconds)
        device.send(*BEAT, {"software_version": f"1.{seconds}"})
        (listed,) = client.get("/v1/devices", headers=admin).json["items"]
        seen.append((listed["last_seen_at"], listed["software_version"]))

    assert seen[0][1] is None
    assert seen[1][1] == "1.10"
    assert seen[0][0] < seen[1][0] == seen[2][0]


def test_another_product_is_another_version_within_ten_seconds(
    client: FlaskClient, world: World, admin: dict[str, str], tmp_path, monkeypatch
):
    time = MovableClock(tmp_path, monkeypatch)
    device = enrolled(client, admin, world.stores["A"])
    before = device.send(*BEAT, {}).json["versions"]

    world.add_product("chai")
    time.advance(seconds=10)
    after = device.send(*BEAT, {}).json["versions"]

    assert before["products"] != after["products"]
    assert before["capsule_keys"] == after["capsule_keys"]
    assert before["revoked_capsules"] == after["revoked_capsules"]


def test_software_that_is_too_old_is_told_so(
    client: FlaskClient, world: World, admin: dict[str, str], monkeypatch
):
    monkeypatch.setenv("MINIMUM_SOFTWARE_VERSION", "1.10")
    config.cache_clear()
    try:
        device = enrolled(client, admin, world.stores["A"])
        old = device.send(*BEAT, {"software_version": "1.9"}).json
        change(Device, UUID(device.device_id), software_version="1.9")
        silent = device.send(*BEAT, {}).json
        new = device.send(*BEAT, {"software_version": "1.10.1"}).json
    finally:
        monkeypatch.undo()
        config.cache_clear()

    assert (old["minimum_software_version"], old["is_outdated"]) == ("1.10", True)
    assert silent["is_outdated"] is True
    assert new["is_outdated"] is False


def test_a_screen_only_shows(client: FlaskClient, world: World, admin: dict[str, str]):
    add_staff("1001", "clerk", stores=[world.stores["A"]])
    screen = enrolled(client, admin, world.stores["A"], profile="screen")

    refused = shift(screen, "1001")

    assert (refused.status_code, refused.json["reason"]) == (403, "forbidden")
    assert screen.send(*BEAT, {}).status_code == 200


def test_a_scanner_takes_no_money(client: FlaskClient, world: World, admin: dict[str, str]):
    add_staff("1001", "clerk", stores=[world.stores["A"]])
    scanner = enrolled(client, admin, world.stores["A"], profile="scanner")
    at_work = scanner.at_work(shift(scanner, "1001").json["token"])

    refused = at_work.send("GET", "/v1/shifts/current/total")

    assert (refused.status_code, refused.json["reason"]) == (403, "forbidden")
    assert at_work.send("DELETE", "/v1/shifts/current").status_code == 204
