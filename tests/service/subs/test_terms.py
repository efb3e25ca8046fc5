"""Plans are made: offer terms and a schedule in one, agreed by two, and sound."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from chain.models import Staff
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from subs.errors import ScheduleUnsound
from subs.models import PlanSchedule
from subs.service.rows import Plan, plan_of
from subs.service.terms import (
    Schedule,
    contradictions,
    price_of_period,
    propose_plan,
    propose_plan_version,
)
from tests.club import Club
from tests.service.subs.buying import get, place
from vouchers import NotOnSale
from vouchers.models import OfferVersion
from vouchers.offer_errors import NothingSold, TwoPeople, Unlawful
from vouchers.offer_terms import OfferTerms
from vouchers.service import offer

MONTHLY = Schedule(every_count=1, every_unit="month")


@pytest.fixture
def people(club: Club) -> tuple[Any, Any]:
    """Two who may agree on a plan."""
    made = [Staff(id=new_id(), number=name, name=name, role="admin") for name in ("a", "b")]
    with transaction():
        db.session.add_all(made)
    return made[0].id, made[1].id


def terms(club: Club, **said: Any) -> OfferTerms:
    usual = {"name": "Ten", "price": 499, "cups": 10, "currency": "TWD", "expiry_mode": "lapse"}
    products = [club.world.products["latte"]]
    return OfferTerms(sale_starts_at=club.now, product_ids=products, **{**usual, **said})


def propose(club: Club, people: Any, schedule: Schedule = MONTHLY, **said: Any) -> OfferVersion:
    with transaction():
        return propose_plan(
            code="new",
            terms=terms(club, **said),
            schedule=schedule,
            by_id=people[0],
            now=club.now,
        )


def test_a_plan_is_sold_by_terms_and_schedule_once_a_second_person_agrees(club: Club, people):
    made = propose(club, people, replace(MONTHLY, carry_over="capped", carry_over_cap=5))
    known = {"offer_id": made.offer_id, "kind": "plan", "number": 1, "now": club.now}

    with pytest.raises(TwoPeople), transaction():
        offer.approve(by_id=people[0], **known)
    with transaction():
        offer.approve(by_id=people[1], **known)

    with transaction():
        plan = plan_of(made.id)
        assert (plan.version.approved_by_id, plan.schedule.carry_over_cap) == (people[1], 5)


def test_a_schedule_never_changes_once_it_is_agreed(club: Club, people):
    made = propose(club, people)
    with transaction():
        offer.approve(offer_id=made.offer_id, kind="plan", number=1, by_id=people[1], now=club.now)

    with pytest.raises(IntegrityError, match="never change"), transaction():
        db.session.get_one(PlanSchedule, made.id).grace_days = 1


@pytest.mark.parametrize(
    ("schedule", "first_price", "needs_card"),
    [
        ({}, None, False),
        ({"trial_days": 14}, 0, True),
        ({"trial_days": 14, "trial_needs_card": False}, 0, False),
        ({"intro_price": 99, "intro_periods": 3}, 99, False),
        ({"trial_days": 14, "intro_price": 99, "intro_periods": 3}, 0, True),
    ],
)
def test_the_schedule_says_what_is_asked_for_at_the_sale(
    club: Club, people, schedule, first_price, needs_card
):
    channels = {"sale_channels": ["web", "app"]}

    made = propose(club, people, replace(MONTHLY, **schedule), **channels)

    assert (made.first_price, made.needs_card) == (first_price, needs_card)


@pytest.mark.parametrize(
    ("said", "schedule", "wrong"),
    [
        ({"is_unlimited": True}, {}, "cups"),
        ({"price": 0}, {"trial_days": 7, "trial_needs_card": False}, "trial_days"),
        ({}, {"trial_cups": 3}, "trial_cups"),
        ({"is_unlimited": True, "cups": 0},
         {"trial_days": 7, "trial_needs_card": False, "trial_cups": 3}, "trial_cups"),
        ({}, {"intro_price": 499, "intro_periods": 1}, "intro_price"),
        ({}, {"intro_price": 99}, "intro_periods"),
        ({}, {"intro_periods": 1}, "intro_periods"),
        ({"cups": 0}, {"carry_over": "all"}, "carry_over"),
        ({}, {"carry_over": "capped"}, "carry_over_cap"),
        ({}, {"carry_over_cap": 3}, "carry_over_cap"),
        ({}, {"grant_count": 1, "grant_unit": "week"}, "grant_every"),
        ({"price": 0, "cups": 0}, {"grant_count": 1, "grant_unit": "week"}, "grant_every"),
        ({"cups": 0, "refund_basis": "list_price", "list_price": 50}, {}, "refund_basis"),
        ({"price": 0}, {"cancel_refund": "prorated"}, "cancel_refund"),
        ({}, {"trial_days": 7}, "sale_channels"),
        ({}, {"every_count": 4, "every_unit": "year"}, "every"),
        ({}, {"every_count": 37}, "every"),
        ({}, {"every_count": 1_000, "every_unit": "week"}, "every"),
        ({}, {"every_count": 1_096, "every_unit": "day"}, "every"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_no_plan(club: Club, people, said, schedule, wrong):
    with pytest.raises(ScheduleUnsound) as refusal:
        propose(club, people, replace(MONTHLY, **schedule), **said)

    assert list(refusal.value.facts["terms"]) == [wrong]


def test_a_membership_that_grants_by_the_week_is_sound(club: Club):
    weekly = replace(MONTHLY, grant_count=1, grant_unit="week")

    assert contradictions(terms(club, price=0, cups=1), weekly) == {}


def test_the_law_binds_plans_too(club: Club, people):
    with pytest.raises(Unlawful) as refusal:
        propose(club, people, refund_fee_bp=400)

    assert refusal.value.facts["breaches"] == ["refund-fee"]


def test_a_pack_is_cups_for_money_in_every_country(club: Club, people):
    nothing = terms(club, price=0, cups=0, is_unlimited=True, first_price=0, expiry_mode="never")

    with pytest.raises(NothingSold) as refusal, transaction():
        offer.propose_offer(code="new", kind="pack", terms=nothing, by_id=people[0], now=club.now)

    assert refusal.value.facts["terms"] == ["price", "cups", "is_unlimited", "first_price"]


def test_a_version_has_a_schedule_of_its_own(club: Club, people):
    first = propose(club, people)

    with transaction():
        second = propose_plan_version(
            offer_id=first.offer_id,
            terms=terms(club, price=1350, cups=0),
            schedule=Schedule(every_count=1, every_unit="year"),
            by_id=people[0],
            now=club.now,
        )

    with transaction():
        assert (second.version, plan_of(second.id).schedule.every_unit) == (2, "year")
        assert plan_of(first.id).schedule.every_unit == "month"


@pytest.mark.parametrize(
    ("number", "is_introduced", "price"),
    [(0, True, 0), (1, True, 99), (2, True, 99), (3, True, 499), (1, False, 499)],
)
def test_a_period_costs_what_its_number_says(number, is_introduced, price):
    plan = Plan(OfferVersion(price=499), PlanSchedule(intro_price=99, intro_periods=2))

    assert price_of_period(plan, number=number, is_introduced=is_introduced) == price


def test_a_plan_is_sold_within_its_window_and_goes_on_after_it(club: Club):
    opens_at, closes_at = club.now + timedelta(days=1), club.now + timedelta(days=2)
    club.add_plan("summer", sale_starts_at=opens_at, sale_ends_at=closes_at)
    with pytest.raises(NotOnSale):
        place(club, "summer")

    club.go_to(opens_at)
    (mine,) = get(club, "summer")
    club.go_to(closes_at)
    with pytest.raises(NotOnSale):
        place(club, "summer")
    club.go_to(club.periods(mine.id)[0].ends_at)
    club.renew()

    assert [one.status for one in club.periods(mine.id)] == ["paid", "paid"]
