"""Plans are proposed by one person and approved by another, over HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api.desk import NOBODYS, Desk, assert_problem, wrong_fields

PLANS = "/v1/plans"
MIGRATIONS = "/v1/plan-migrations"


def terms(desk: Desk, **changed: Any) -> dict[str, Any]:
    return {
        "name": "Ten a month",
        "price": 499,
        "cups": 10,
        "every": {"count": 1, "unit": "month"},
        "product_ids": [str(desk.world.products["latte"])],
        **changed,
    }


def propose(desk: Desk, code: str = "ten", **changed: Any):
    return desk.post(PLANS, who="admin", code=code, **terms(desk, **changed))


def approve(desk: Desk, plan_id: str, number: int = 1, *, who: str = "alice"):
    return desk.post(f"{PLANS}/{plan_id}/versions/{number}/approve", who=who)


def sell(desk: Desk, code: str = "ten", **changed: Any) -> str:
    plan_id = propose(desk, code, **changed).json["id"]
    assert approve(desk, plan_id).status_code == 200
    return str(plan_id)


def propose_more(desk: Desk, plan_id: str, **changed: Any):
    return desk.post(f"{PLANS}/{plan_id}/versions", who="admin", **terms(desk, **changed))


def test_a_plan_is_proposed_and_not_on_sale_before_somebody_else_approves(desk: Desk):
    made = propose(desk)

    assert (made.status_code, made.json["state"]) == (201, "proposed")
    assert desk.client.get(PLANS).json["items"] == []
    assert_problem(approve(desk, made.json["id"], who="admin"), 409, "two-people")
    assert approve(desk, made.json["id"]).json["state"] == "approved"

    (sold,) = desk.client.get(PLANS).json["items"]
    assert (sold["code"], sold["price"]["amount"], sold["cups"]) == ("ten", 499, 10)
    assert desk.client.get(f"{PLANS}/{sold['id']}").json == sold


def test_every_term_of_the_schedule_is_shown_as_it_was_proposed(desk: Desk):
    said = {
        "every": {"count": 2, "unit": "week"},
        "grace_days": 10,
        "benefits_in_grace": True,
        "back_dates": False,
        "trial_days": 7,
        "trial_cups": 2,
        "trial_needs_card": True,
        "intro_periods": 3,
        "carry_over": "capped",
        "carry_over_cap": 5,
        "sharers": 4,
        "most_pause_days": 60,
        "cancel_refund": "prorated",
        "is_unlimited": False,
        "sale_channels": ["web", "app"],
    }
    plan_id = sell(desk, intro_price=99, dunning_days=[1, 2], **said)

    shown = desk.client.get(f"{PLANS}/{plan_id}").json

    assert {name: shown[name] for name in said} == said
    assert (shown["first_price"]["amount"], shown["intro_price"]["amount"]) == (0, 99)
    assert (shown["expiry_mode"], shown["grant_every"], shown["vat_timing"]) == (
        "lapse", None, "sale"
    )  # fmt: skip
    assert "dunning_days" not in shown
    (version,) = desk.get(f"{PLANS}/{plan_id}/versions").json["items"]
    assert (version["dunning_days"], version["vat_code"]) == ([1, 2], "standard")


def test_what_is_not_said_is_as_usual(desk: Desk):
    shown = desk.client.get(f"{PLANS}/{sell(desk)}").json

    assert (shown["grace_days"], shown["trial_days"], shown["first_price"]) == (28, None, None)
    assert (shown["carry_over"], shown["sharers"], shown["cancel_refund"]) == ("none", 0, "none")


def test_a_membership_and_an_unlimited_plan_are_plans(desk: Desk):
    member = sell(
        desk, "club", price=1350, cups=0, product_ids=[], every={"count": 1, "unit": "year"}
    )
    free = sell(desk, "card", price=0, cups=1, grant_every={"count": 1, "unit": "week"})
    unlimited = sell(
        desk, "open", cups=0, is_unlimited=True, cups_per_day=5, minimum_interval_s=1800
    )

    shown = {one: desk.client.get(f"{PLANS}/{one}").json for one in (member, free, unlimited)}
    assert (shown[member]["cups"], shown[member]["product_ids"]) == (0, [])
    assert shown[free]["grant_every"] == {"count": 1, "unit": "week"}
    assert shown[unlimited]["is_unlimited"] is True


def test_only_an_admin_proposes(desk: Desk):
    refused = desk.post(PLANS, who="alice", code="ten", **terms(desk))

    assert_problem(refused, 403, "forbidden")


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"price": -1}, ["price"]),
        ({"cups": -1}, ["cups"]),
        ({"every": {"count": 0, "unit": "month"}}, ["every.count"]),
        ({"every": {"count": 1, "unit": "hour"}}, ["every.unit"]),
        ({"every": None}, ["every"]),
        ({"grace_days": -1}, ["grace_days"]),
        ({"dunning_days": [0]}, ["dunning_days.0"]),
        ({"dunning_days": [1] * 13}, ["dunning_days"]),
        ({"trial_days": 0}, ["trial_days"]),
        ({"sharers": 21}, ["sharers"]),
        ({"carry_over": "some"}, ["carry_over"]),
        ({"is_unlimited": True}, ["cups"]),
        ({"carry_over": "capped"}, ["carry_over_cap"]),
        ({"intro_price": 99}, ["intro_periods"]),
        ({"intro_price": 499, "intro_periods": 1}, ["intro_price"]),
        ({"trial_days": 7}, ["sale_channels"]),
        ({"grant_every": {"count": 1, "unit": "week"}}, ["grant_every"]),
        ({"price": 0, "grant_every": {"count": 2, "unit": "month"}}, ["grant_every"]),
        ({"price": 0, "grant_every": {"count": 1, "unit": "month"}}, ["grant_every"]),
        ({"product_ids": []}, ["product_ids"]),
        ({"product_ids": [NOBODYS]}, ["product_ids.0"]),
        ({"expiry_mode": "never"}, ["expiry_mode"]),
        ({"bonus_cups": 1}, ["bonus_cups"]),
        ({"first_price": 0}, ["first_price"]),
    ],
)
def test_what_is_no_plan_is_refused_by_its_field(desk: Desk, changed: dict, fields: list):
    assert sorted(wrong_fields(propose(desk, **changed))) == fields


def test_a_new_version_is_proposed_rejected_approved_and_its_sale_ended(desk: Desk):
    plan_id = sell(desk)
    path = f"{PLANS}/{plan_id}/versions"

    assert propose_more(desk, plan_id, price=549).json["version"] == 2
    assert desk.post(f"{path}/2/reject").json["state"] == "rejected"
    assert propose_more(desk, plan_id, price=529).json["version"] == 3
    assert approve(desk, plan_id, 3).status_code == 200
    assert desk.client.get(f"{PLANS}/{plan_id}").json["price"]["amount"] == 529
    assert desk.post(f"{path}/3/end-sale", sale_ends_at=None).json["state"] == "ended"

    states = [(one["version"], one["state"]) for one in desk.get(path).json["items"]]
    assert states == [(3, "ended"), (2, "rejected"), (1, "ended")]
    assert desk.client.get(PLANS).json["items"] == []


def test_what_is_no_plan_is_not_found(desk: Desk):
    for one in (NOBODYS, desk.offer("eleven")):
        assert_problem(desk.client.get(f"{PLANS}/{one}"), 404, "not-found")
        assert_problem(desk.get(f"{PLANS}/{one}/versions"), 404, "not-found")
        assert_problem(propose_more(desk, one), 404, "not-found")
        assert_problem(approve(desk, one), 404, "not-found")


def migrate(desk: Desk, plan_id: str, *, days: int = 31, **changed: Any):
    return desk.post(
        MIGRATIONS,
        who="admin",
        **{
            "plan_id": plan_id,
            "from_version": 1,
            "to_version": 2,
            "from_at": (desk.now + timedelta(days=days)).isoformat(),
            **changed,
        },
    )


@pytest.fixture
def changed(desk: Desk) -> str:
    """A plan with a newer version; its id."""
    plan_id = sell(desk)
    propose_more(desk, plan_id, price=549)
    approve(desk, plan_id, 2)
    return plan_id


def test_two_people_leave_an_old_version_behind(desk: Desk, changed: str):
    made = migrate(desk, changed)
    path = f"{MIGRATIONS}/{made.json['id']}"

    assert (made.status_code, made.json["state"]) == (201, "proposed")
    assert_problem(desk.post(f"{path}/approve", who="admin"), 409, "two-people")
    agreed = desk.post(f"{path}/approve").json
    assert (agreed["state"], agreed["announced_at"]) == ("approved", None)
    assert_problem(desk.post(f"{path}/reject"), 409, "migration-decided")
    assert desk.get(MIGRATIONS).json["items"] == [agreed]


def test_a_migration_that_is_turned_down_makes_room_for_another(desk: Desk, changed: str):
    first = migrate(desk, changed).json
    assert_problem(migrate(desk, changed), 409, "migration-exists")

    assert desk.post(f"{MIGRATIONS}/{first['id']}/reject").json["state"] == "rejected"
    second = migrate(desk, changed).json

    listed = desk.get(f"{MIGRATIONS}?limit=1").json
    rest = desk.get(f"{MIGRATIONS}?limit=1&cursor={listed['next_cursor']}").json
    assert [one["id"] for one in listed["items"] + rest["items"]] == [second["id"], first["id"]]


def test_a_migration_that_cannot_be_is_refused(desk: Desk, changed: str):
    assert_problem(migrate(desk, changed, days=29), 422, "migration-too-soon")
    backwards = {"from_version": 2, "to_version": 1}
    assert_problem(migrate(desk, changed, **backwards), 422, "not-a-newer-version")
    assert_problem(migrate(desk, changed, to_version=3), 404, "not-found")
    assert_problem(migrate(desk, NOBODYS), 404, "not-found")
    assert_problem(desk.post(f"{MIGRATIONS}/{NOBODYS}/approve"), 404, "not-found")
    assert wrong_fields(migrate(desk, changed, from_version=0)) == ["from_version"]
    told_nowhere = "9999-12-31T23:59:59Z"  # in Taipei the year 10000 has begun
    assert wrong_fields(migrate(desk, changed, from_at=told_nowhere)) == ["from_at"]
