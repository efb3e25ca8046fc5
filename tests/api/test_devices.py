from pathlib import Path

import pytest
from flask.testing import FlaskClient

from kernel.ids import new_id
from tests.api.signing_in import MovableClock, bearer, desk, enrolled, shift
from tests.service.chain.staffing import add_staff
from tests.world import World


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


def _enrol(client: FlaskClient, code: str):
    return client.post("/v1/devices/enrol", json={"code": code})


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
    assert int(right.headers["Retry-After"]) > 0


def test_the_addresses_of_one_connection_guess_together(client: FlaskClient, world: World):
    for number in range(20):
        here = {"REMOTE_ADDR": f"2001:db8:1:2::{number}"}
        client.post("/v1/devices/enrol", json={"code": "AAAAAAAA"}, environ_base=here)

    same, other = (
        client.post(
            "/v1/devices/enrol", json={"code": "AAAAAAAA"}, environ_base={"REMOTE_ADDR": address}
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
    device_id, token = enrolled(client, admin, world.stores["A"])
    at_work = bearer(shift(client, token, "1001").json["token"])

    revoked = client.post(f"/v1/devices/{device_id}/revoke", headers=admin)
    again = client.post(f"/v1/devices/{device_id}/revoke", headers=admin)

    assert revoked.status_code == 200
    assert revoked.json["revoked_at"]
    assert again.json == revoked.json
    assert shift(client, token, "1001").status_code == 401
    assert client.delete("/v1/shifts/current", headers=at_work).status_code == 401


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


@pytest.mark.parametrize("body", [{}, {"code": "AAAA"}, {"code": 12345678}, {"code": "A" * 21}])
def test_a_body_that_is_not_as_described_is_not_valid(client: FlaskClient, body: object):
    answer = client.post("/v1/devices/enrol", json=body)

    assert (answer.status_code, answer.json["reason"]) == (422, "validation")
