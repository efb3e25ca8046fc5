"""Packs and plans over HTTP."""

from datetime import timedelta

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
    told = answer.get_json()
    assert "They never expire." in told["items"][0].pop("terms")
    assert told == {
        "items": [
            {
                "id": str(world.offers["eleven"][0]),
                "code": "eleven",
                "name": "eleven",
                "note": None,
                "version": 1,
                "price": {"amount": 500, "currency": "TWD"},
                "list_price": None,
                "vat_timing": "sale",
                "jurisdiction": "TW",
                "cups": 11,
                "unit": "cup",
                "bonus_cups": 1,
                "bonus_expires_after": None,
                "product_ids": [str(world.products["latte"])],
                "covers_up_to": None,
                "allows_top_up": False,
                "accepted_at": "all",
                "store_ids": [],
                "accepted_regions": [],
                "redeem_channels": None,
                "expiry_mode": "never",
                "expires_after": None,
                "max_cups_per_redemption": None,
                "cups_per_day": None,
                "minimum_interval_s": None,
                "member_limit": None,
                "sale_channels": ["web", "app", "counter"],
                "is_giftable": True,
                "gift_unclaimed": "return",
                "refund_basis": "allocated",
                "refund_fee_bp": 0,
                "withdrawal_days": 7,
                "guarantee_months": 12,
                "sale_starts_at": (world.now - timedelta(days=1000)).isoformat(),
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
