"""Legal entities, and to whom stores belong, over HTTP."""

import pytest

from tests.api.desk import NOBODYS, Desk, assert_problem, wrong_fields
from tests.api.months import close

ENTITIES = "/v1/legal-entities"


def add(desk: Desk, code: str = "bob-co") -> str:
    return desk.post(ENTITIES, who="admin", code=code, name="Bob 有限公司").json["id"]


def owners(desk: Desk, store: str) -> list[tuple[str, str]]:
    items = desk.get(f"/v1/stores/{desk.store(store)}/owner").json["items"]
    return [(item["starts_on"], item["entity"]["code"]) for item in items]


def give(desk: Desk, store: str, entity_id: str, starts_on: str, who: str = "admin"):
    path = f"/v1/stores/{desk.store(store)}/owner"
    return desk.put(path, who=who, legal_entity_id=entity_id, starts_on=starts_on)


def test_an_entity_is_named_once_and_listed(desk: Desk) -> None:
    made = desk.post(ENTITIES, who="admin", code="bob-co", name="Bob 有限公司")

    assert made.status_code == 201
    assert made.json in desk.get(ENTITIES).json["items"]
    again = desk.post(ENTITIES, who="admin", code="bob-co", name="Alice")
    assert_problem(again, 409, "legal-entity-exists")


def test_entities_are_listed_page_by_page(desk: Desk) -> None:
    first = desk.get(f"{ENTITIES}?limit=3").json
    rest = desk.get(f"{ENTITIES}?limit=3&cursor={first['next_cursor']}").json

    codes = [item["code"] for item in first["items"] + rest["items"]]
    assert codes == ["entity-A", "entity-B", "entity-C", "entity-W"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("code", ["", "a b", "=1", "x" * 41, "珍"])
def test_an_entity_has_a_plain_code(desk: Desk, code: str) -> None:
    refused = desk.post(ENTITIES, who="admin", code=code, name="Bob")

    assert wrong_fields(refused)[0] == "code"


def test_a_store_changes_hands_at_the_first_of_a_month(desk: Desk) -> None:
    bobs = add(desk)

    given = give(desk, "A", bobs, "2026-02-01")

    assert given.status_code == 200
    assert (given.json["store_id"], given.json["entity"]["id"]) == (desk.store("A"), bobs)
    assert owners(desk, "A") == [("1970-01-01", "entity-A"), ("2026-02-01", "bob-co")]


def test_a_change_of_mind_replaces_the_owner_of_that_month(desk: Desk) -> None:
    give(desk, "A", add(desk), "2026-02-01")
    give(desk, "A", add(desk, "alice-co"), "2026-02-01")

    assert owners(desk, "A") == [("1970-01-01", "entity-A"), ("2026-02-01", "alice-co")]


@pytest.mark.parametrize("starts_on", ["2026-02-02", "2026-02-30", "2026-02", "0000-01-01"])
def test_an_owner_begins_with_a_month(desk: Desk, starts_on: str) -> None:
    assert wrong_fields(give(desk, "A", add(desk), starts_on)) == ["starts_on"]


def test_an_owner_of_a_closed_month_stays(desk: Desk) -> None:
    desk.sell(desk.world.add_member())
    bobs = add(desk)
    close(desk, "2026-01")

    for starts_on in ("2026-01-01", "2025-01-01"):
        assert_problem(give(desk, "A", bobs, starts_on), 409, "period-closed")
    assert give(desk, "A", bobs, "2026-02-01").status_code == 200


def test_what_is_not_there_cannot_be_given(desk: Desk) -> None:
    assert_problem(give(desk, "A", NOBODYS, "2026-02-01"), 404, "not-found")
    path = f"/v1/stores/{NOBODYS}/owner"
    refused = desk.put(path, who="admin", legal_entity_id=add(desk), starts_on="2026-02-01")
    assert_problem(refused, 404, "not-found")
    assert_problem(desk.get(path), 404, "not-found")


def test_finance_reads_owners_and_only_an_admin_changes_them(desk: Desk) -> None:
    bobs = add(desk)

    assert_problem(give(desk, "A", bobs, "2026-02-01", who="alice"), 403, "forbidden")
    assert_problem(desk.post(ENTITIES, code="x", name="x"), 403, "forbidden")
    assert owners(desk, "A") == [("1970-01-01", "entity-A")]
