"""An unlimited plan hands over cups that nobody counts, within its limits (Pret's: five a day)."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from kernel.db import db
from kernel.transaction import transaction
from ledger.models import Entry
from redemption.answer import Redeemed
from redemption.errors import InsufficientCups, LimitReached, ProductMismatch
from redemption.models import Redemption, RedemptionLine
from redemption.service.void import void
from tests.together import together
from tests.world import Till, World, only
from vouchers.models import Lot, Wallet

MINUTES = timedelta(minutes=1)


class Club:
    """A member of an unlimited plan, in front of a till that knows the time."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.add_offer(
            "club",
            price=3000,
            cups=0,
            bonus_cups=0,
            is_unlimited=True,
            kind="plan",
            cups_per_day=5,
            minimum_interval_s=1800,
        )
        self.till = world.add_till("A", role="manager")
        self.member_id = world.add_member()
        self.lot_id = world.add_days(self.member_id, "club", net=2857, vat=143)

    def take(self, minute: int, cups: int = 1, till: Till | None = None, **how: object) -> Redeemed:
        """A cup, so many minutes after noon of the first day."""
        now = self.world.now + minute * MINUTES
        return self.world.take(till or self.till, self.member_id, cups, now=now, **how)


@pytest.fixture
def club(world: World) -> Club:
    return Club(world)


def test_a_cup_moves_no_money_and_is_not_counted(club):
    taken = club.take(0)
    assert (taken.left, taken.is_unlimited) == (None, True)
    assert [(one["lot_id"], one["cups"]) for one in taken.taken] == [(str(club.lot_id), 1)]
    redemption, line, lot = only(Redemption), only(RedemptionLine), only(Lot)
    assert (redemption.cups, redemption.entry_id) == (1, None)
    assert (line.cups, line.amount, line.vat) == (1, 0, 0)
    assert (lot.used, lot.is_open) == (0, True)
    with transaction():
        assert db.session.scalars(select(Entry.kind)).all() == ["sale"]


def test_a_cup_29_minutes_after_the_last_is_refused_with_the_time_of_the_next(club):
    club.take(0)
    with pytest.raises(LimitReached) as refused:
        club.take(29)
    assert refused.value.facts == {
        "limit": "minimum_interval",
        "allowed": 0,
        "wanted": 1,
        "next_at": "2026-01-14T12:30:00+08:00",
    }
    assert club.take(30).cups == 1


def test_the_sixth_cup_of_a_business_day_is_refused_until_the_next_one_begins(club):
    for cup in range(5):
        club.take(30 * cup)
    with pytest.raises(LimitReached) as refused:
        club.take(150)
    begins = datetime(2026, 1, 15, 4, tzinfo=ZoneInfo("Asia/Taipei"))
    assert refused.value.facts["limit"] == "cups_per_day"
    assert datetime.fromisoformat(refused.value.facts["next_at"]) == begins
    until_then = (begins - club.world.now) // MINUTES
    with pytest.raises(LimitReached):
        club.take(until_then - 1)
    assert club.take(until_then).cups == 1


def test_limits_hold_across_stores(club):
    club.take(0)
    with pytest.raises(LimitReached):
        club.take(10, till=club.world.add_till("B"))


def test_two_cups_at_once_come_too_soon_after_one_another(club):
    with pytest.raises(LimitReached) as refused:
        club.take(0, 2)
    assert (refused.value.facts["limit"], refused.value.facts["allowed"]) == (
        "minimum_interval",
        1,
    )


def test_a_cup_that_was_undone_does_not_count(club):
    first = club.take(0)
    with transaction():
        void(
            redemption_id=UUID(first.id),
            store_id=club.till.store_id,
            staff_id=club.till.staff_id,
            role="manager",
            now=club.world.now + MINUTES,
        )
    assert club.take(5).cups == 1


def test_undoing_it_puts_nothing_back(club):
    first = club.take(0)
    with transaction():
        void(
            redemption_id=UUID(first.id),
            store_id=club.till.store_id,
            staff_id=club.till.staff_id,
            role="clerk",
            now=club.world.now + MINUTES,
        )
    assert only(Redemption).voided_at is not None
    assert (only(Lot).used, only(Lot).net_recognised) == (0, 0)


def test_uncounted_cups_go_before_counted_ones(club):
    club.world.add_lot(club.member_id, "eleven")
    assert [pick["offer"] for pick in club.take(0).taken] == ["club"]


def test_what_the_plan_does_not_allow_now_comes_from_a_pack(club):
    club.world.add_lot(club.member_id, "eleven")
    club.take(0)
    taken = club.take(10, 2)
    assert [(pick["offer"], pick["cups"]) for pick in taken.taken] == [("eleven", 2)]
    assert taken.is_unlimited


def test_one_redemption_may_take_both_and_books_what_is_counted(club):
    club.world.add_lot(club.member_id, "eleven")
    taken = club.take(0, 3)
    assert [(pick["offer"], pick["cups"]) for pick in taken.taken] == [("club", 1), ("eleven", 2)]
    with transaction():
        assert db.session.scalar(select(func.count()).where(Entry.kind == "redemption")) == 1


def test_it_ends_with_its_period(club):
    with pytest.raises(InsufficientCups):
        club.take(30 * 24 * 60)


def test_its_products_are_its_own(club):
    mocha = club.world.products["mocha"]
    with pytest.raises(ProductMismatch):
        club.take(0, product_id=mocha)


def test_a_membership_is_nothing_to_a_till(world):
    world.add_offer("member", cups=0, bonus_cups=0, kind="plan")
    bob = world.add_member()
    world.add_days(bob, "member")
    with pytest.raises(InsufficientCups):
        world.take(world.add_till("A"), bob)


def test_prepaid_periods_are_nothing_to_a_till(world):
    bob = world.add_member()
    world.add_lot(bob, "eleven", units=3, account="2132", prepays_plan=True)
    with pytest.raises(InsufficientCups):
        world.take(world.add_till("A"), bob)


def test_racing_tills_hand_over_one_cup(club, app):
    tills = [club.world.add_till("A") for _ in range(6)]
    answers = together(
        app, [lambda till=till: club.take(0, till=till) for till in tills], in_transactions=False
    )
    assert sum(isinstance(answer, Redeemed) for answer in answers) == 1
    assert sum(isinstance(answer, LimitReached) for answer in answers) == 5
    assert only(Wallet).version == 1
