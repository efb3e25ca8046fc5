"""Packs are proposed by one person and approved by another, over HTTP."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from chain.models import LegalEntity
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from tests.api.desk import NOBODYS, Desk, assert_problem, wrong_fields
from vouchers.models import OfferVersion

PACKS = "/v1/packs"
CHINESE = {"Accept-Language": "zh-TW"}


def terms(desk: Desk, **changed: Any) -> dict[str, Any]:
    return {
        "name": "Ten lattes",
        "price": 450,
        "cups": 10,
        "product_ids": [str(desk.world.products["latte"])],
        **changed,
    }


def propose(desk: Desk, code: str = "ten", *, key: str | None = None, **changed: Any):
    return desk.post(PACKS, who="admin", key=key, code=code, **terms(desk, **changed))


def propose_more(desk: Desk, pack_id: str, **changed: Any):
    return desk.post(f"{PACKS}/{pack_id}/versions", who="admin", **terms(desk, **changed))


def approve(desk: Desk, pack_id: str, number: int = 1, *, who: str = "alice"):
    return desk.post(f"{PACKS}/{pack_id}/versions/{number}/approve", who=who)


def sell(desk: Desk, code: str = "ten", **changed: Any) -> str:
    """Propose a pack and have it approved; answers its id."""
    pack_id = propose(desk, code, **changed).json["id"]
    assert approve(desk, pack_id).status_code == 200
    return str(pack_id)


def on_sale(desk: Desk) -> dict[str, int]:
    """The prices of what anybody can buy, by code."""
    items = desk.client.get(PACKS).json["items"]
    return {one["code"]: one["price"]["amount"] for one in items}


def test_a_pack_is_proposed_and_nothing_is_on_sale_before_somebody_else_approves(desk: Desk):
    proposed = propose(desk)

    assert proposed.status_code == 201
    made = proposed.json
    assert (made["state"], made["version"], made["approved_by_id"]) == ("proposed", 1, None)
    assert on_sale(desk) == {"eleven": 500}
    assert_problem(desk.client.get(f"{PACKS}/{made['id']}"), 404, "not-found")

    approved = approve(desk, made["id"])

    assert approved.status_code == 200
    assert approved.json["state"] == "approved"
    assert approved.json["approved_by_id"] not in {None, approved.json["proposed_by_id"]}
    assert on_sale(desk) == {"eleven": 500, "ten": 450}


def test_every_term_is_shown_as_it_was_proposed(desk: Desk):
    said = {
        "note": "Hot or iced",
        "list_price": 50,
        "unit": "item",
        "bonus_cups": 2,
        "bonus_expires_after": {"count": 3, "unit": "month"},
        "covers_up_to": 60,
        "allows_top_up": True,
        "accepted_at": "listed",
        "store_ids": [desk.store("A")],
        "redeem_channels": ["counter", "kiosk"],
        "expiry_mode": "top_up",
        "expires_after": {"count": 60, "unit": "day"},
        "max_cups_per_redemption": 4,
        "cups_per_day": 6,
        "minimum_interval_s": 60,
        "member_limit": 3,
        "sale_channels": ["web", "counter"],
        "is_giftable": False,
        "gift_unclaimed": "refund",
        "refund_basis": "list_price",
        "refund_fee_bp": 300,
        "withdrawal_days": 8,
        "guarantee_months": 24,
        "vat_timing": "redemption",
        "sale_starts_at": "2026-01-01T00:00:00+00:00",
        "sale_ends_at": "2027-01-01T00:00:00+00:00",
    }
    pack_id = sell(desk, bonus_use_bp=8000, **said)

    shown = desk.client.get(f"{PACKS}/{pack_id}").json

    as_money = {"list_price", "covers_up_to"}
    expected = {
        name: {"amount": value, "currency": "TWD"} if name in as_money else value
        for name, value in said.items()
    }
    assert {name: shown[name] for name in said} == expected
    assert (shown["accepted_regions"], shown["jurisdiction"]) == ([], "TW")
    assert "bonus_use_bp" not in shown  # an estimate of finance, and nobody else's business
    version = desk.get(f"{PACKS}/{pack_id}/versions").json["items"][0]
    assert (version["bonus_use_bp"], version["vat_code"]) == (8000, "standard")


def test_terms_are_told_in_the_language_that_was_asked_for(desk: Desk):
    pack_id = sell(desk)

    english = desk.client.get(f"{PACKS}/{pack_id}").json["terms"]
    chinese = desk.client.get(f"{PACKS}/{pack_id}", headers=CHINESE).json["terms"]

    assert "They never expire." in english
    assert "無使用期限。" in chinese
    assert len(english) == len(chinese)


def test_nobody_approves_their_own(desk: Desk):
    pack_id = propose(desk).json["id"]

    assert_problem(approve(desk, pack_id, who="admin"), 409, "two-people")
    assert on_sale(desk) == {"eleven": 500}


def test_only_an_admin_proposes(desk: Desk):
    assert_problem(desk.post(PACKS, code="ten", **terms(desk)), 403, "forbidden")


def test_a_retry_with_its_key_proposes_once(desk: Desk):
    key = new_id().hex
    first, again = (propose(desk, key=key) for _ in range(2))

    assert again.json == first.json
    assert len(desk.get(f"{PACKS}/{first.json['id']}/versions").json["items"]) == 1


def test_a_code_is_taken_once(desk: Desk):
    assert_problem(propose(desk, "eleven"), 409, "offer-exists")


def test_it_is_decided_once(desk: Desk):
    pack_id = propose(desk).json["id"]
    path = f"{PACKS}/{pack_id}/versions/1"

    assert desk.post(f"{path}/reject", who="admin").json["state"] == "rejected"

    for verb in ("approve", "reject"):
        assert_problem(desk.post(f"{path}/{verb}"), 409, "version-decided")


def test_a_new_price_takes_the_place_of_the_old_one_which_does_not_come_back(desk: Desk):
    pack_id = sell(desk)
    assert propose_more(desk, pack_id, price=480).json["version"] == 2
    assert on_sale(desk)["ten"] == 450

    approve(desk, pack_id, 2)

    assert on_sale(desk)["ten"] == 480
    desk.post(f"{PACKS}/{pack_id}/versions/2/end-sale", sale_ends_at=None)
    assert "ten" not in on_sale(desk)
    states = [
        (one["version"], one["state"])
        for one in desk.get(f"{PACKS}/{pack_id}/versions").json["items"]
    ]
    assert states == [(2, "ended"), (1, "ended")]


def test_an_older_version_is_not_approved_after_a_later_one(desk: Desk):
    pack_id = propose(desk).json["id"]
    propose_more(desk, pack_id, price=480)
    approve(desk, pack_id, 2)

    refused = approve(desk, pack_id, 1)

    assert_problem(refused, 409, "version-outdated")
    assert refused.json["latest"] == 2


def test_what_was_sold_keeps_its_version(desk: Desk):
    pack_id = sell(desk)
    alice = desk.world.sign_in(desk.world.add_member())
    wanted = {"items": [{"offer_id": pack_id, "quantity": 1}]}
    ordered = desk.client.post("/v1/orders", headers={**alice, **key()}, json=wanted).json

    propose_more(desk, pack_id, price=999, cups=5)
    approve(desk, pack_id, 2)

    kept = desk.client.get(f"/v1/orders/{ordered['id']}", headers=alice).json
    assert (kept["total"]["amount"], kept["items"][0]["version"]) == (450, 1)
    assert kept["items"][0]["cups"] == 10
    again = desk.client.post("/v1/orders", headers={**alice, **key()}, json=wanted).json
    assert (again["total"]["amount"], again["items"][0]["version"]) == (999, 2)


def key() -> dict[str, str]:
    return {"Idempotency-Key": new_id().hex}


def test_the_database_refuses_to_change_approved_terms(desk: Desk):
    pack_id = sell(desk)
    change = update(OfferVersion).where(OfferVersion.offer_id == UUID(pack_id))

    with pytest.raises(IntegrityError, match="never change"), transaction():
        db.session.execute(change.values(price=1))

    assert on_sale(desk)["ten"] == 450


def test_a_sale_ends_when_it_is_said_and_is_not_prolonged(desk: Desk):
    pack_id = sell(desk)
    path = f"{PACKS}/{pack_id}/versions/1/end-sale"
    soon, late = "2026-02-01T00:00:00+00:00", "2026-03-01T00:00:00+00:00"

    ending = desk.post(path, sale_ends_at=soon)

    assert (ending.json["state"], ending.json["sale_ends_at"]) == ("approved", soon)
    refused = desk.post(path, sale_ends_at=late)
    assert_problem(refused, 409, "sale-ends-earlier")
    assert refused.json["sale_ends_at"] == soon
    assert desk.post(path, sale_ends_at=soon).json["sale_ends_at"] == soon
    assert desk.post(path, sale_ends_at=None).json["state"] == "ended"
    assert wrong_fields(desk.post(path, sale_ends_at="2020-01-01T00:00:00Z")) == ["sale_ends_at"]


def test_there_is_no_sale_to_end_before_it_is_approved(desk: Desk):
    pack_id = propose(desk).json["id"]

    refused = desk.post(f"{PACKS}/{pack_id}/versions/1/end-sale", sale_ends_at=None)

    assert_problem(refused, 409, "version-not-approved")


def test_versions_come_in_pages_the_latest_first(desk: Desk):
    pack_id = propose(desk).json["id"]
    for price in (460, 470):
        propose_more(desk, pack_id, price=price)
    path = f"{PACKS}/{pack_id}/versions"

    first = desk.get(f"{path}?limit=2").json
    rest = desk.get(f"{path}?limit=2&cursor={first['next_cursor']}").json

    assert [one["version"] for one in first["items"] + rest["items"]] == [3, 2, 1]


@pytest.mark.parametrize("number", ["9", "0", "01", "-1", "x", "9" * 30, "１"])
@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_a_version_that_is_not_there_is_not_found(desk: Desk, verb: str, number: str):
    pack_id = propose(desk).json["id"]

    refused = desk.post(f"{PACKS}/{pack_id}/versions/{number}/{verb}")

    assert_problem(refused, 404, "not-found")


def test_what_is_no_pack_is_not_found(desk: Desk):
    desk.world.add_offer("monthly", kind="plan", expiry_mode="lapse")

    for one in (NOBODYS, desk.offer("monthly")):
        assert_problem(desk.client.get(f"{PACKS}/{one}"), 404, "not-found")
        assert_problem(desk.get(f"{PACKS}/{one}/versions"), 404, "not-found")
        assert_problem(propose_more(desk, one), 404, "not-found")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"price": 0}, "price"),
        ({"price": 1_000_000}, "price"),
        ({"price": 10.5}, "price"),
        ({"currency": "XTS"}, "currency"),
        ({"currency": "twd"}, "currency"),
        ({"currency": "MYR"}, "product_ids.0"),
        ({"cups": 0}, "cups"),
        ({"bonus_cups": 10}, "bonus_cups"),
        ({"bonus_cups": -1}, "bonus_cups"),
        ({"bonus_cups": 1, "bonus_use_bp": 8000}, "bonus_use_bp"),
        ({"refund_basis": "list_price"}, "list_price"),
        ({"expiry_mode": "top_up"}, "expires_after"),
        ({"expires_after": {"count": 1, "unit": "day"}}, "expires_after"),
        ({"expiry_mode": "top_up", "expires_after": {"count": 0, "unit": "day"}},
         "expires_after.count"),
        ({"expiry_mode": "top_up", "expires_after": {"count": 1, "unit": "hour"}},
         "expires_after.unit"),
        ({"expiry_mode": "vanish"}, "expiry_mode"),
        ({"product_ids": []}, "product_ids"),
        ({"product_ids": [NOBODYS]}, "product_ids.0"),
        ({"product_ids": [NOBODYS, NOBODYS]}, "product_ids"),
        ({"allows_top_up": True}, "allows_top_up"),
        ({"accepted_at": "listed"}, "store_ids"),
        ({"accepted_at": "listed", "store_ids": [NOBODYS]}, "store_ids.0"),
        ({"accepted_at": "regions"}, "accepted_regions"),
        ({"accepted_at": "regions", "accepted_regions": ["north", "north"]}, "accepted_regions"),
        ({"accepted_regions": ["north"]}, "accepted_regions"),
        ({"redeem_channels": []}, "redeem_channels"),
        ({"redeem_channels": ["post"]}, "redeem_channels.0"),
        ({"sale_channels": []}, "sale_channels"),
        ({"sale_channels": ["kiosk"]}, "sale_channels.0"),
        ({"is_giftable": "yes"}, "is_giftable"),
        ({"gift_unclaimed": "refund", "refund_basis": "none"}, "refund_basis"),
        ({"sale_ends_at": "2020-01-01T00:00:00Z"}, "sale_ends_at"),
        ({"sale_starts_at": "2027-01-01T00:00:00Z", "sale_ends_at": "2027-01-01T00:00:00Z"},
         "sale_ends_at"),
        ({"vat_code": "half"}, "vat_code"),
        ({"legal_entity_id": NOBODYS}, "legal_entity_id"),
        ({"withdrawal_days": 366}, "withdrawal_days"),
        ({"code": "a b"}, "code"),
        ({"points": 1}, "points"),
    ],
)  # fmt: skip
def test_what_is_no_offer_is_refused_by_its_field(desk: Desk, changed: dict, field: str):
    refused = propose(desk, **{"code": "ten", **changed})

    assert wrong_fields(refused) == [field]


def test_bonus_cups_that_lapse_need_bonus_cups_a_price_and_a_likelihood(desk: Desk):
    refused = propose(desk, bonus_expires_after={"count": 1, "unit": "month"})

    assert sorted(wrong_fields(refused)) == ["bonus_cups", "bonus_use_bp", "list_price"]


def test_the_currency_of_an_offer_stays(desk: Desk):
    pack_id = propose(desk).json["id"]

    refused = propose_more(desk, pack_id, currency="USD", product_ids=[], covers_up_to=500)

    assert_problem(refused, 422, "offer-currency")
    assert refused.json["currency"] == "TWD"


def test_an_unlawful_offer_is_refused_when_it_is_made_with_every_breach(desk: Desk):
    refused = propose(
        desk,
        expiry_mode="lapse",
        expires_after={"count": 30, "unit": "day"},
        refund_basis="none",
        refund_fee_bp=301,
        withdrawal_days=6,
        guarantee_months=11,
    )

    assert_problem(refused, 422, "unlawful-offer")
    assert refused.json["jurisdiction"] == "TW"
    allowed = {rule["code"]: rule["allowed"] for rule in refused.json["rules"]}
    assert allowed == {
        "paid-cups-lapse": {"one_of": ["never", "top_up", "refund"]},
        "no-refund": {"one_of": ["allocated", "list_price"]},
        "refund-fee": {"most": 300},
        "withdrawal-days": {"least": 7},
        "guarantee-months": {"least": 12},
    }
    assert refused.json["detail"].startswith(
        "The law of Taiwan does not allow this offer: cups that were paid for may not lapse, "
    )


def test_what_is_sold_at_the_counter_alone_needs_no_withdrawal(desk: Desk):
    made = propose(desk, withdrawal_days=0, sale_channels=["counter"])

    assert made.status_code == 201


def test_a_malaysian_seller_may_sell_cups_that_lapse(desk: Desk):
    entity = {"code": "kl", "name": "Bob Sdn Bhd", "jurisdiction": "MY"}
    bobs = desk.post("/v1/legal-entities", who="admin", **entity).json
    assert bobs["jurisdiction"] == "MY"

    lapsing = {"expiry_mode": "lapse", "expires_after": {"count": 30, "unit": "day"}}
    made = propose(desk, "pass", legal_entity_id=bobs["id"], **lapsing)

    assert (made.status_code, made.json["jurisdiction"]) == (201, "MY")


def test_an_entity_of_a_jurisdiction_without_rules_is_refused(desk: Desk):
    entity = {"code": "x", "name": "Bob", "jurisdiction": "XX"}

    refused = desk.post("/v1/legal-entities", who="admin", **entity)

    assert wrong_fields(refused) == ["jurisdiction"]


def test_entities_are_taiwanese_if_nothing_is_said(desk: Desk):
    desk.post("/v1/legal-entities", who="admin", code="bob-co", name="Bob")

    with transaction():
        made = db.session.query(LegalEntity).filter_by(code="bob-co").one()
        assert made.jurisdiction == "TW"
