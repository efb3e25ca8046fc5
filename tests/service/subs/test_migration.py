"""An old version of a plan is left behind, with notice, or everybody keeps what they bought."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from chain.models import Staff
from kernel import outbox
from kernel.db import db
from kernel.errors import NotFound, Refusal
from kernel.ids import new_id
from kernel.outbox import Outbox
from kernel.transaction import transaction
from subs import plan_jobs
from subs.migration_errors import (
    MigrationDecided,
    MigrationExists,
    MigrationTooSoon,
    NotANewerVersion,
    TwoPeople,
)
from subs.models import PlanMigration
from subs.plan_notices import MIGRATES
from subs.service import migration
from subs.service.migration import Leading
from subs.service.start import start
from subs.service.terms import Schedule, propose_plan_version
from tests.club import Club
from tests.service.subs.buying import place
from tests.service.vouchers.conftest import pay
from tests.together import overtaken, together
from vouchers.offer_terms import OfferTerms
from vouchers.service import offer

NOTICE = timedelta(days=31)


@pytest.fixture
def people(club: Club) -> list[UUID]:
    made = [Staff(id=new_id(), number=name, name=name, role="admin") for name in ("a", "b")]
    with transaction():
        db.session.add_all(made)
    return [one.id for one in made]


@pytest.fixture
def dearer(club: Club, people: list[UUID]) -> UUID:
    """A second version of the monthly plan, at 549; answers its id."""
    schedule = Schedule(every_count=1, every_unit="month")
    return new_terms(club, people, schedule=schedule, price=549)


def new_terms(club: Club, people: list[UUID], *, schedule: Schedule, **other: Any) -> UUID:
    """A second version of the monthly plan; answers its id."""
    plan_id = club.world.offers["monthly"][0]
    terms: dict[str, Any] = {
        "name": "monthly",
        "price": 499,
        "cups": 10,
        "currency": "TWD",
        "expiry_mode": "lapse",
        "sale_starts_at": club.now,
        "product_ids": [club.world.products["latte"]],
        **other,
    }
    with transaction():
        made = propose_plan_version(
            offer_id=plan_id,
            terms=OfferTerms(**terms),
            schedule=schedule,
            by_id=people[0],
            now=club.now,
        )
        offer.approve(offer_id=plan_id, kind="plan", number=2, by_id=people[1], now=club.now)
        return made.id


def propose(club: Club, people: list[UUID], **other: Any) -> Leading:
    with transaction():
        return migration.propose(
            **{
                "plan_id": club.world.offers["monthly"][0],
                "from_version": 1,
                "to_version": 2,
                "from_at": club.now + NOTICE,
                "by_id": people[0],
                "now": club.now,
                **other,
            }
        )


def agree(club: Club, people: list[UUID]) -> PlanMigration:
    """A migration that two people want; nobody has been told yet."""
    made = propose(club, people).migration
    with transaction():
        return migration.approve(migration_id=made.id, by_id=people[1], now=club.now).migration


def told(club: Club) -> list[dict[str, Any]]:
    """The facts of the notices of new terms, in order."""
    notice = Outbox.facts["notice"].astext == MIGRATES.name
    with transaction():
        rows = db.session.scalars(select(Outbox.facts).where(notice).order_by(Outbox.id))
        return [facts["facts"] for facts in rows]


def price_after(club: Club, subscription_id: UUID, *, renewals: int) -> list[int]:
    for _ in range(renewals):
        club.go_to(club.periods(subscription_id)[-1].ends_at)
        club.renew()
    return [one.price for one in club.periods(subscription_id)]


def test_who_bought_an_old_version_keeps_it(club: Club, dearer: UUID):
    mine = club.subscribe()

    assert price_after(club, mine, renewals=3) == [499] * 4


def test_it_moves_members_with_the_first_period_after_the_notice(
    club: Club, people: list[UUID], dearer: UUID
):
    mine = club.subscribe()
    agree(club, people)
    plan_jobs.announce_migrations()

    assert price_after(club, mine, renewals=3) == [499, 499, 549, 549]
    assert club.subscription(mine).offer_version_id == dearer
    assert "migrated" in club.causes(mine)


def test_members_are_told_from_when_on_what_it_costs(club: Club, people: list[UUID], dearer: UUID):
    mine = club.subscribe()
    agree(club, people)

    plan_jobs.announce_migrations()

    assert told(club) == [
        {
            "plan": "monthly",
            "from_on": "2026-02-14",
            "changes_zh": "新條款：每月 NT$549。原條款：每月 NT$499。",
            "changes_en": "New: NT$549 every month. Until now: NT$499 every month.",
            "subscription_id": str(mine),
        }
    ]
    with transaction():
        assert db.session.scalars(select(PlanMigration.announced_at)).one() is not None
    outbox.send_notices()


def test_members_are_told_of_every_term_that_is_another(club: Club, people: list[UUID]):
    mine = club.subscribe()
    new_terms(
        club,
        people,
        schedule=Schedule(
            every_count=2, every_unit="week", sharers=1, intro_price=99, intro_periods=1
        ),
        cups=8,
        cups_per_day=2,
        accepted_at="listed",
        store_ids=[club.world.stores["A"]],
        product_ids=[club.world.products["mocha"]],
    )
    agree(club, people)

    plan_jobs.announce_migrations()

    (facts,) = told(club)
    assert facts["subscription_id"] == str(mine)
    new, old = facts["changes_en"].removeprefix("New: ").split(" Until now: ")
    for sentence in (
        "NT$499 every 2 weeks.",
        "8 cups every 2 weeks.",
        "One other person can collect from it.",
        "Good for: mocha (M).",
        "Collect them at: Store A.",
        "At most 2 cups a day.",
    ):
        assert sentence in new
    for sentence in ("NT$499 every month.", "10 cups every month.", "Good for: latte (M)."):
        assert sentence in old
    assert "first time" not in facts["changes_en"]  # a trial is for who begins


def test_members_are_told_where_nothing_changes_for_them(club: Club, people: list[UUID]):
    club.subscribe()
    new_terms(
        club,
        people,
        schedule=Schedule(every_count=1, every_unit="month", intro_price=99, intro_periods=1),
    )
    agree(club, people)

    plan_jobs.announce_migrations()

    (facts,) = told(club)
    assert facts["changes_zh"] == "價格與權益不變。"


def test_a_member_with_several_is_told_once_and_who_has_left_is_not(
    club: Club, people: list[UUID], dearer: UUID
):
    item = club.buy(quantity=3)
    with transaction():
        start(order_item_id=item.id, paid_at=club.now)
    left = club.subscribe()
    club.cancel(left)
    club.go_to(club.periods(left)[0].ends_at)
    club.renew()
    agree(club, people)

    plan_jobs.announce_migrations()

    assert len(told(club)) == 1


def test_many_members_are_told_in_sets_each_once_whoever_tells(
    club: Club, people: list[UUID], dearer: UUID, app
):
    members = {club.member_id, *(club.world.add_member() for _ in range(6))}
    for club.member_id in members:
        club.subscribe()
    agree(club, people)

    def tell() -> bool:
        return migration.announce_some(limit=2, now=club.now)

    while any(together(app, [tell] * 3)):
        pass

    assert len(told(club)) == len(members)
    with transaction():
        announced = db.session.scalars(select(PlanMigration)).one()
        assert (announced.told_to, announced.announced_at is None) == (None, False)


def test_nobody_is_told_again_by_who_saw_that_some_were_not_told(
    club: Club, people: list[UUID], dearer: UUID, app, engines
):
    agree(club, people)

    def tell() -> bool:
        return migration.announce_some(limit=2, now=club.now)

    assert overtaken(app, engines.superuser, tell, tell) == (False, True)


def test_who_ordered_the_old_version_before_is_told_when_it_begins(
    club: Club, people: list[UUID], dearer: UUID
):
    agree(club, people)
    plan_jobs.announce_migrations()
    assert told(club) == []

    club.subscribe()  # the old version: the order was placed before its sale ended

    assert len(told(club)) == 1


def test_who_buys_the_new_version_hears_nothing(club: Club, people: list[UUID], dearer: UUID):
    agree(club, people)
    plan_jobs.announce_migrations()

    placed = place(club, "monthly")
    pay(placed.order).outcome()
    outbox.drain()

    assert placed.order.total == 549
    assert told(club) == []


def test_nothing_happens_before_a_second_person_agrees(
    club: Club, people: list[UUID], dearer: UUID
):
    mine = club.subscribe()
    made = propose(club, people).migration

    with pytest.raises(TwoPeople), transaction():
        migration.approve(migration_id=made.id, by_id=people[0], now=club.now)
    plan_jobs.announce_migrations()

    assert told(club) == []
    assert price_after(club, mine, renewals=2) == [499] * 3


def test_two_who_agree_at_once_agree_once(club: Club, people: list[UUID], dearer: UUID, app):
    made = propose(club, people).migration

    def approve() -> Leading:
        return migration.approve(migration_id=made.id, by_id=people[1], now=club.now)

    answers = together(app, [approve] * 4)

    refused = [one.code for one in answers if isinstance(one, Refusal)]
    assert refused == ["migration-decided"] * 3


@pytest.mark.parametrize("days", [0, 29, 29.99])
def test_members_are_told_thirty_days_before(
    club: Club, people: list[UUID], dearer: UUID, days: float
):
    with pytest.raises(MigrationTooSoon):
        propose(club, people, from_at=club.now + timedelta(days=days))


def test_what_waited_too_long_for_a_second_person_is_too_late(
    club: Club, people: list[UUID], dearer: UUID
):
    made = propose(club, people).migration
    club.pass_time(days=2)

    with pytest.raises(MigrationTooSoon), transaction():
        migration.approve(migration_id=made.id, by_id=people[1], now=club.now)


def test_it_leads_to_a_later_version_that_is_agreed(club: Club, people: list[UUID], dearer: UUID):
    for versions in ({"from_version": 2, "to_version": 1}, {"to_version": 1}):
        with pytest.raises(NotANewerVersion):
            propose(club, people, **versions)
    for unknown in ({"to_version": 3}, {"plan_id": club.world.offers["eleven"][0]}):
        with pytest.raises(NotFound):
            propose(club, people, **unknown)


def test_one_leads_from_a_version_unless_it_was_turned_down(
    club: Club, people: list[UUID], dearer: UUID
):
    made = propose(club, people).migration
    with pytest.raises(MigrationExists):
        propose(club, people)

    with transaction():
        turned_down = migration.reject(migration_id=made.id, by_id=people[0], now=club.now)

    assert turned_down.state == "rejected"
    assert propose(club, people).state == "proposed"
    with pytest.raises(MigrationDecided), transaction():
        migration.approve(migration_id=made.id, by_id=people[1], now=club.now)


def test_two_proposals_at_once_are_one(club: Club, people: list[UUID], dearer: UUID, app):
    def work() -> Leading:
        return migration.propose(
            plan_id=club.world.offers["monthly"][0],
            from_version=1,
            to_version=2,
            from_at=club.now + NOTICE,
            by_id=people[0],
            now=club.now,
        )

    answers = together(app, [work] * 4)

    refused = [one.code for one in answers if isinstance(one, Refusal)]
    assert refused == ["migration-exists"] * 3
