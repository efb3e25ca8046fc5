import pytest
from flask.testing import FlaskClient

from tests.world import World


def test_everyone_sees_the_products(client: FlaskClient, world: World):
    listed = client.get("/v1/products")

    assert listed.status_code == 200
    assert [product["code"] for product in listed.json["items"]] == ["latte", "mocha"]
    assert listed.json["items"][0] == {
        "id": str(world.products["latte"]),
        "code": "latte",
        "name": "latte",
        "size": "M",
        "list_price": {"amount": 50, "currency": "TWD"},
    }


@pytest.mark.usefixtures("world")
def test_the_list_goes_on_with_its_cursor_and_with_no_other_lists(client: FlaskClient):
    first = client.get("/v1/products?limit=1")
    cursor = first.json["next_cursor"]

    rest = client.get(f"/v1/products?cursor={cursor}")

    assert [product["code"] for product in rest.json["items"]] == ["mocha"]
    assert client.get(f"/v1/stores?cursor={cursor}").status_code == 422
