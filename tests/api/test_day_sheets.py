"""A store's day over HTTP, for its manager, finance, and its own screens; and tickets to follow."""

from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient

from chain import policy
from kernel import clock
from stream.ticket import read_ticket
from tests.api.desk import assert_problem
from tests.api.signing_in import desk
from tests.service.chain.staffing import add_staff
from tests.world import World, bearer, key

PATH = "/v1/day-sheets"


@pytest.fixture
def manager(client: FlaskClient, world: World) -> dict[str, str]:
    """A manager of store B."""
    add_staff("2001", "manager", stores=[world.stores["B"]])
    return desk(client, "2001")


@pytest.fixture
def till(world: World):
    till, alice = world.add_till("B"), world.add_member()
    world.add_lot(alice, "eleven", store="A")
    world.take(till, alice, 3)
    return till


def test_a_manager_reads_their_own_store_with_names(client, world, till, manager) -> None:
    answer = client.get(f"{PATH}?store_id={till.store_id}&on=2026-01-14", headers=manager)
    assert answer.status_code == 200
    told = answer.json
    assert (told["cups"], told["cups_voided"], told["flags"]) == (3, 0, [])
    assert told["by_product"] == [
        {
            "code": "latte",
            "name": "latte M",
            "cups": 3,
            "cups_voided": 0,
            "amount": {"amount": 130, "currency": "TWD"},
            "top_up": {"amount": 0, "currency": "TWD"},
        }
    ]
    assert [one["code"] for one in told["by_seller"]] == ["A"]
    assert [one["name"] for one in told["by_hour"]] == ["12:00"]


def test_what_is_no_code_is_counted(client, world, till) -> None:
    scan = {"code": "garbage", "product_id": str(world.products["latte"]), "cups": 1}
    for _ in range(2):
        refused = client.post("/v1/redemptions", json=scan, headers={**bearer(till.token), **key()})
        assert_problem(refused, 422, "token-invalid")
    finance = world.open_office("finance")
    told = client.get(f"{PATH}?store_id={till.store_id}", headers=finance).json
    assert (told["wrong_codes"], told["refused"]) == (2, [])


def test_another_store_is_not_theirs(client, world, manager) -> None:
    answer = client.get(f"{PATH}?store_id={world.stores['A']}&on=2026-01-14", headers=manager)
    assert_problem(answer, 403, "store-scope")
    answer = client.post(
        "/v1/desk-streams", json={"store_id": str(world.stores["A"])}, headers=manager
    )
    assert_problem(answer, 403, "store-scope")


def test_finance_reads_any_store_and_an_unknown_one_is_not_found(client, world, till) -> None:
    finance = world.open_office("finance")
    assert client.get(f"{PATH}?store_id={till.store_id}", headers=finance).status_code == 200
    unknown = "01a205bd-0000-7000-8000-000000000000"
    for day in ("", "&on=2026-01-14"):
        answer = client.get(f"{PATH}?store_id={unknown}{day}", headers=finance)
        assert_problem(answer, 404, "not-found")


def test_a_day_that_is_none_is_refused(client, world, till) -> None:
    answer = client.get(
        f"{PATH}?store_id={till.store_id}&on=2026-02-30", headers=world.open_office("finance")
    )
    assert_problem(answer, 422, "validation")


def test_a_till_counts_its_own_store_and_may_follow_it(client, world, till) -> None:
    counted = client.get(f"{PATH}/current", headers=bearer(till.token))
    assert counted.status_code == 200
    assert counted.json["store_id"] == str(till.store_id)
    ticket = client.post("/v1/streams", headers=bearer(till.token))
    assert ticket.status_code == 201
    assert "/v1/stream?ticket=" in ticket.json["url"]


@pytest.mark.parametrize(("role", "hours"), [("finance", 1), ("manager", 8)])
def test_a_desk_follows_no_longer_than_it_is_signed_in(client, world, role, hours) -> None:
    add_staff("5001", role, stores=[world.stores["B"]])
    headers = desk(client, "5001")
    answer = client.post(
        "/v1/desk-streams", json={"store_id": str(world.stores["B"])}, headers=headers
    )
    assert answer.status_code == 201
    left = datetime.fromisoformat(answer.json["ends_at"]) - clock.now()
    assert timedelta(0) <= timedelta(hours=hours) - left < timedelta(minutes=1)
    ticket = read_ticket(answer.json["url"].partition("ticket=")[2], now=clock.now())
    assert timedelta(0) <= timedelta(hours=hours) - (ticket.ends_at - clock.now())


def test_a_screen_may_do_both_and_nothing_else_of_a_till() -> None:
    assert {"day_sheets.count_today", "streams.follow_own_store"} <= policy.MAY_CALL["screen"]
    assert "redemptions.redeem" not in policy.MAY_CALL["screen"]
