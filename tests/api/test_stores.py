import pytest
from flask.testing import FlaskClient

from tests.world import World


def test_everyone_sees_the_stores(client: FlaskClient, world: World):
    listed = client.get("/v1/stores")

    assert listed.status_code == 200
    assert [store["code"] for store in listed.json["items"]] == ["A", "B", "C", "W"]
    assert listed.json["items"][3] == {
        "id": str(world.stores["W"]),
        "code": "W",
        "name": "Store W",
        "region": None,
        "time_zone": "Asia/Taipei",
        "day_ends_at": "04:00",
        "is_online": True,
        "store_group": 1,
    }
    assert listed.json["next_cursor"] is None


@pytest.mark.usefixtures("world")
def test_the_list_goes_on_with_its_cursor(client: FlaskClient):
    first = client.get("/v1/stores?limit=3")
    rest = client.get(f"/v1/stores?limit=3&cursor={first.json['next_cursor']}")

    codes = [store["code"] for store in first.json["items"] + rest.json["items"]]
    assert codes == ["A", "B", "C", "W"]
    assert rest.json["next_cursor"] is None


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("query", ["limit=-1", "limit=201", "limit=1e1", "cursor=AAAA", "page=2"])
def test_what_is_not_a_page_is_not_valid(client: FlaskClient, query: str):
    answer = client.get(f"/v1/stores?{query}")

    assert (answer.status_code, answer.json["reason"]) == (422, "validation")
