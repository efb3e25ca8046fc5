"""Packs and plans over HTTP."""

from flask.testing import FlaskClient

from kernel import clock
from kernel.db import db
from kernel.transaction import transaction
from subs.models import PlanSchedule
from tests.world import small_world


def test_packs_are_for_everybody_to_see(client: FlaskClient) -> None:
    world = small_world(clock.now())
    answer = client.get("/v1/packs")
    assert answer.status_code == 200
    assert answer.get_json() == {
        "items": [
            {
                "id": str(world.offers["eleven"][0]),
                "code": "eleven",
                "name": "eleven",
                "version": 1,
                "price": {"amount": 500, "currency": "TWD"},
                "cups": 11,
                "bonus_cups": 1,
                "product_ids": [str(world.products["latte"])],
                "accepted_at": "all",
                "store_ids": [],
                "expiry_mode": "never",
                "max_cups_per_redemption": None,
                "cups_per_day": None,
                "minimum_interval_s": None,
                "sale_ends_at": None,
            }
        ],
        "next_cursor": None,
    }


def test_packs_come_in_pages(client: FlaskClient) -> None:
    world = small_world(clock.now())
    world.add_offer("twelve")
    first = client.get("/v1/packs?limit=1").get_json()
    second = client.get(f"/v1/packs?limit=1&cursor={first['next_cursor']}").get_json()
    assert [one["code"] for one in first["items"] + second["items"]] == ["eleven", "twelve"]
    assert second["next_cursor"] is None


def test_plans_say_how_often_they_renew(client: FlaskClient) -> None:
    world = small_world(clock.now())
    version_id = world.add_offer("monthly", kind="plan", expiry_mode="lapse")
    world.add_offer("unset", kind="plan")
    schedule = PlanSchedule(
        offer_version_id=version_id,
        every_count=1,
        every_unit="month",
        grace_days=7,
        dunning_days=[2, 5],
    )
    with transaction():
        db.session.add(schedule)
    items = client.get("/v1/plans").get_json()["items"]
    assert [(one["code"], one["every"]) for one in items] == [
        ("monthly", {"count": 1, "unit": "month"}),
        ("unset", None),
    ]
