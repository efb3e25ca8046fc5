from typing import Any

import pytest
from flask.testing import FlaskClient

from kernel.ids import new_id
from tests.api.signing_in import MovableClock, desk, enrolled, shift
from tests.service.chain.staffing import PIN, add_staff
from tests.signing import SigningDevice
from tests.world import World

OWN = "271828"


@pytest.fixture
def admin(client: FlaskClient, world: World) -> dict[str, str]:
    add_staff("4001", "admin")
    return desk(client, "4001")


@pytest.fixture
def manager(client: FlaskClient, world: World) -> dict[str, str]:
    """A manager of store A."""
    add_staff("2001", "manager", stores=[world.stores["A"]])
    return desk(client, "2001")


@pytest.fixture
def device(client: FlaskClient, world: World, manager: dict[str, str]) -> SigningDevice:
    """A device at store A."""
    return enrolled(client, manager, world.stores["A"])


def add(client: FlaskClient, who: dict[str, str], world: World, store: str = "A", **about: Any):
    body = {"number": "1001", "name": "Alice", "store_ids": [str(world.stores[store])], **about}
    return client.post("/v1/staff", json=body, headers=who)


def choose(device: SigningDevice, pin: str, new_pin: str = OWN, number: str = "1001"):
    body = {"staff_number": number, "pin": pin, "new_pin": new_pin}
    return device.send("POST", "/v1/staff/pin", body)


def told(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["reason"]


def test_somebody_who_is_added_chooses_a_pin_and_begins_a_shift(
    client: FlaskClient, world: World, manager: dict[str, str], device: SigningDevice
):
    made = add(client, manager, world)
    first = made.json["pin"]

    early = shift(device, "1001", pin=first)
    chosen = choose(device, first)
    by_first, by_own = (shift(device, "1001", pin=pin) for pin in (first, OWN))

    assert made.status_code == 201
    assert made.json["staff"]["pin_ends_at"]
    assert told(early) == (409, "first-pin")
    assert chosen.status_code == 204
    assert told(by_first) == (422, "sign-in-refused")
    assert (by_own.status_code, by_own.json["name"]) == (201, "Alice")
    (_, listed) = client.get("/v1/staff", headers=manager).json["items"]
    assert (listed["number"], listed["role"], listed["pin_ends_at"]) == ("1001", "clerk", None)
    assert listed["store_ids"] == [str(world.stores["A"])]


def test_a_first_pin_ends_after_a_day(
    client: FlaskClient,
    world: World,
    manager: dict[str, str],
    device: SigningDevice,
    tmp_path,
    monkeypatch,
):
    time = MovableClock(tmp_path, monkeypatch)
    first = add(client, manager, world).json["pin"]

    time.advance(hours=24)

    assert told(choose(device, first)) == (422, "sign-in-refused")
    assert told(shift(device, "1001", pin=first)) == (422, "sign-in-refused")


def test_a_reset_ends_the_pin_at_once(
    client: FlaskClient, world: World, manager: dict[str, str], device: SigningDevice
):
    clerk = add_staff("1001", "clerk", stores=[world.stores["A"]])

    given = client.post(f"/v1/staff/{clerk}/reset-pin", headers=manager)

    assert given.status_code == 200
    assert told(shift(device, "1001", pin=PIN)) == (422, "sign-in-refused")
    assert choose(device, given.json["pin"]).status_code == 204
    assert shift(device, "1001", pin=OWN).status_code == 201


def test_anybody_may_change_their_own_pin(client: FlaskClient, world: World, device: SigningDevice):
    add_staff("1001", "clerk", stores=[world.stores["A"]])

    assert choose(device, PIN).status_code == 204
    assert shift(device, "1001", pin=OWN).status_code == 201


@pytest.mark.parametrize("new_pin", [PIN, "111111", "123456", "987654", "12345", "１２３４５６"])
def test_a_poor_pin_is_not_taken(world: World, device: SigningDevice, new_pin: str):
    add_staff("1001", "clerk", stores=[world.stores["A"]])

    refused = choose(device, PIN, new_pin)

    assert told(refused) == (422, "validation")
    assert refused.json["errors"][0]["field"] == "new_pin"
    assert shift(device, "1001", pin=PIN).status_code == 201


def test_wrong_pins_count_together_wherever_they_are_tried(world: World, device: SigningDevice):
    add_staff("1001", "clerk", stores=[world.stores["A"]])

    answers = [choose(device, "000000").status_code for _ in range(2)]
    answers += [shift(device, "1001", pin="000000").status_code for _ in range(2)]
    answers += [choose(device, "000000").status_code]

    assert answers == [422, 422, 422, 422, 429]
    assert choose(device, PIN).status_code == 429


def test_a_pin_is_chosen_at_a_device_of_ones_own_store(
    client: FlaskClient, world: World, device: SigningDevice
):
    add_staff("1001", "clerk", stores=[world.stores["B"]])

    assert told(choose(device, PIN)) == (403, "store-scope")


def test_who_is_disabled_is_out_at_once(
    client: FlaskClient, world: World, manager: dict[str, str], device: SigningDevice
):
    clerk = add_staff("1001", "clerk", stores=[world.stores["A"]])
    at_work = device.at_work(shift(device, "1001").json["token"])

    answers = [client.post(f"/v1/staff/{clerk}/disable", headers=manager) for _ in range(2)]

    assert answers[0].json["disabled_at"]
    assert answers[0].json == answers[1].json
    assert at_work.send("GET", "/v1/shifts/current/total").status_code == 401
    assert told(shift(device, "1001")) == (422, "sign-in-refused")
    assert told(choose(device, PIN)) == (422, "sign-in-refused")
    assert told(client.post(f"/v1/staff/{clerk}/reset-pin", headers=manager)) == (
        409,
        "not-at-tills",
    )


def test_a_number_is_somebodys_for_good(client: FlaskClient, world: World, manager: dict[str, str]):
    clerk = add(client, manager, world).json["staff"]["id"]
    client.post(f"/v1/staff/{clerk}/disable", headers=manager)

    assert told(add(client, manager, world)) == (409, "staff-number-taken")


def test_a_manager_acts_on_clerks_of_their_own_stores_only(
    client: FlaskClient, world: World, manager: dict[str, str]
):
    elsewhere = add_staff("1002", "clerk", stores=[world.stores["B"]])
    colleague = add_staff("2002", "manager", stores=[world.stores["A"]])
    both = [str(world.stores["A"]), str(world.stores["B"])]

    refused = [
        add(client, manager, world, "B"),
        add(client, manager, world, store_ids=both),
        add(client, manager, world, role="manager"),
        *(
            client.post(f"/v1/staff/{one}/{what}", headers=manager)
            for one in (elsewhere, colleague)
            for what in ("disable", "reset-pin")
        ),
    ]

    assert {told(answer) for answer in refused} == {(403, "store-scope")}
    seen = client.get("/v1/staff", headers=manager).json["items"]
    assert {one["number"] for one in seen} == {"2001", "2002"}


def test_an_admin_acts_on_everybody(client: FlaskClient, world: World, admin: dict[str, str]):
    both = [str(world.stores["A"]), str(world.stores["B"])]

    made = add(client, admin, world, role="manager", store_ids=both)
    seen = client.get("/v1/staff", headers=admin).json["items"]
    staff_id = made.json["staff"]["id"]

    assert made.status_code == 201
    assert [(one["number"], one["store_ids"]) for one in seen] == [("4001", []), ("1001", both)]
    assert client.post(f"/v1/staff/{staff_id}/disable", headers=admin).status_code == 200
    of_office = add_staff("3001", "finance")
    refused = client.post(f"/v1/staff/{of_office}/reset-pin", headers=admin)
    assert told(refused) == (409, "not-at-tills")


def move(client: FlaskClient, who: dict[str, str], staff_id: object, *stores: object):
    body = {"store_ids": [str(one) for one in stores]}
    return client.put(f"/v1/staff/{staff_id}/stores", json=body, headers=who)


def test_who_moves_works_there_at_once_and_here_no_more(
    client: FlaskClient, world: World, admin: dict[str, str], device: SigningDevice
):
    clerk = add_staff("1001", "clerk", stores=[world.stores["A"]])
    there = enrolled(client, admin, world.stores["B"])
    at_work = device.at_work(shift(device, "1001").json["token"])

    moved = move(client, admin, clerk, world.stores["B"])

    assert (moved.status_code, moved.json["store_ids"]) == (200, [str(world.stores["B"])])
    assert at_work.send("GET", "/v1/shifts/current/total").status_code == 401
    assert told(shift(device, "1001")) == (403, "store-scope")
    assert shift(there, "1001").status_code == 201


def test_who_works_at_one_more_store_goes_on_with_their_shift(
    client: FlaskClient, world: World, admin: dict[str, str], device: SigningDevice
):
    clerk = add_staff("1001", "clerk", stores=[world.stores["A"]])
    other = add_staff("1002", "clerk", stores=[world.stores["A"]])
    at_work, colleague = (
        device.at_work(shift(device, one).json["token"]) for one in ("1001", "1002")
    )

    answers = [move(client, admin, clerk, *map(world.stores.get, "AB")) for _ in range(2)]
    move(client, admin, other, world.stores["B"])

    assert [one.status_code for one in answers] == [200, 200]
    assert answers[0].json == answers[1].json
    assert at_work.send("GET", "/v1/shifts/current/total").status_code == 200
    assert colleague.send("GET", "/v1/shifts/current/total").status_code == 401


def test_a_manager_says_who_works_at_their_own_stores_only(
    client: FlaskClient, world: World, manager: dict[str, str]
):
    a, b = world.stores["A"], world.stores["B"]
    here, elsewhere, both = (
        add_staff(number, "clerk", stores=stores)
        for number, stores in (("1001", [a]), ("1002", [b]), ("1003", [a, b]))
    )
    colleague = add_staff("2002", "manager", stores=[a])

    refused = [
        move(client, manager, here, a, b),
        move(client, manager, here, b),
        move(client, manager, elsewhere, a),
        move(client, manager, elsewhere, a, b),
        move(client, manager, both, a),
        move(client, manager, colleague, b),
    ]
    left = move(client, manager, both, b)
    gone = move(client, manager, both, a, b)

    assert {told(answer) for answer in refused} == {(403, "store-scope")}
    assert (left.status_code, left.json["store_ids"]) == (200, [str(b)])
    assert told(gone) == (403, "store-scope")  # they are none of theirs any more


def test_nobody_works_nowhere_or_where_no_store_is(
    client: FlaskClient, world: World, admin: dict[str, str]
):
    clerk = add_staff("1001", "clerk", stores=[world.stores["A"]])

    assert told(move(client, admin, clerk)) == (422, "validation")
    assert told(move(client, admin, clerk, new_id())) == (404, "not-found")
    assert told(move(client, admin, new_id(), world.stores["A"])) == (404, "not-found")


def test_what_is_not_there_is_not_found(client: FlaskClient, world: World, admin: dict[str, str]):
    for answer in (
        add(client, admin, world, store_ids=[str(new_id())]),
        client.post(f"/v1/staff/{new_id()}/disable", headers=admin),
        client.post(f"/v1/staff/{new_id()}/reset-pin", headers=admin),
    ):
        assert told(answer) == (404, "not-found")


def test_the_staff_is_listed_page_by_page(client: FlaskClient, world: World, admin: dict[str, str]):
    for number in ("1001", "1002", "1003"):
        add(client, admin, world, number=number)

    first = client.get("/v1/staff?limit=3", headers=admin).json
    rest = client.get(f"/v1/staff?limit=3&cursor={first['next_cursor']}", headers=admin).json

    numbers = [one["number"] for one in (*first["items"], *rest["items"])]
    assert numbers == ["4001", "1001", "1002", "1003"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    "wrong",
    [{"role": "admin"}, {"store_ids": []}, {"number": "10 01"}, {"name": " "}, {"pin": "271828"}],
)
def test_a_body_that_is_not_as_described_is_not_valid(
    client: FlaskClient, world: World, admin: dict[str, str], wrong: dict[str, Any]
):
    assert told(add(client, admin, world, **wrong)) == (422, "validation")
