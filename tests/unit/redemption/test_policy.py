"""Which cups are taken, and which reason is named when none are."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redemption import policy
from redemption.errors import (
    InsufficientCups,
    LimitReached,
    LotFrozen,
    ProductMismatch,
    StoreNotAccepted,
)
from redemption.policy import HeldLot

NOW = datetime(2026, 1, 14, 4, tzinfo=UTC)
TOMORROW = NOW + timedelta(hours=16)
A = UUID(int=1)


def lot(number: int, **terms) -> HeldLot:
    plain = HeldLot(
        id=UUID(int=number),
        offer_id=UUID(int=100),
        offer_code="eleven",
        sold_at_id=A,
        account="2131",
        currency="TWD",
        units=11,
        used=0,
        net=476,
        net_recognised=0,
        sold_at=NOW - timedelta(days=1),
        ends_at=None,
        is_frozen=False,
        accepts_product=True,
        accepts_store=True,
        max_cups=None,
        cups_per_day=None,
        minimum_interval_s=None,
        cups_today=0,
        last_at=None,
    )
    return replace(plain, **terms)


def choose(*lots: HeldLot, cups: int = 1):
    return policy.choose(lots, cups=cups, now=NOW, next_day_at=TOMORROW)


def test_the_lot_that_ends_soonest_is_taken_first_then_the_oldest_sale_then_the_id():
    endless_old = lot(1, sold_at=NOW - timedelta(days=9))
    endless_new = lot(2)
    endless_twin = lot(3)
    late = lot(4, ends_at=NOW + timedelta(days=30))
    soon = lot(5, ends_at=NOW + timedelta(days=2))
    taken = choose(endless_twin, endless_new, late, endless_old, soon, cups=55)
    assert [pick.lot.id.int for pick in taken] == [5, 4, 1, 2, 3]


def test_a_split_over_two_lots_takes_the_rest_of_the_first_and_the_money_follows():
    nearly_empty = lot(1, used=10, net_recognised=433, sold_at=NOW - timedelta(days=9))
    taken = choose(nearly_empty, lot(2), cups=3)
    assert [(pick.cups, pick.amount) for pick in taken] == [(1, 43), (2, 87)]


def test_a_lot_that_has_ended_is_not_taken_though_no_job_has_been_there():
    with pytest.raises(InsufficientCups) as refusal:
        choose(lot(1, ends_at=NOW))
    assert refusal.value.facts == {"held": 0, "wanted": 1}


def test_more_cups_than_held_are_refused_with_both_numbers():
    with pytest.raises(InsufficientCups) as refusal:
        choose(lot(1, used=8), cups=4)
    assert refusal.value.facts == {"held": 3, "wanted": 4}


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"accepts_product": False}, ProductMismatch),
        ({"accepts_store": False}, StoreNotAccepted),
        ({"is_frozen": True}, LotFrozen),
    ],
)
def test_the_first_rule_that_leaves_nothing_names_the_refusal(terms, reason):
    with pytest.raises(reason):
        choose(lot(1, **terms))


def test_a_daily_limit_refuses_and_says_when_the_next_cup_is_allowed():
    with pytest.raises(LimitReached) as refusal:
        choose(lot(1, cups_per_day=5, cups_today=4), cups=2)
    assert refusal.value.facts == {
        "limit": "cups_per_day",
        "allowed": 1,
        "wanted": 2,
        "next_at": TOMORROW.isoformat(),
    }


def test_a_minimum_interval_refuses_29_minutes_after_and_allows_after_30():
    terms = {"minimum_interval_s": 1800}
    with pytest.raises(LimitReached) as refusal:
        choose(lot(1, last_at=NOW - timedelta(minutes=29), **terms))
    assert refusal.value.facts["next_at"] == (NOW + timedelta(minutes=1)).isoformat()
    assert choose(lot(1, last_at=NOW - timedelta(minutes=30), **terms))


def test_a_limit_counts_per_offer_so_two_lots_of_one_plan_share_it():
    plan = {"cups_per_day": 3, "cups_today": 1}
    with pytest.raises(LimitReached):
        choose(lot(1, **plan), lot(2, **plan), cups=3)


def test_of_two_versions_in_a_wallet_the_terms_of_the_lot_that_burns_first_hold():
    newer = lot(1, cups_per_day=9, cups_today=2)
    older = lot(2, cups_per_day=3, cups_today=2, sold_at=NOW - timedelta(days=40))
    for lots in ((newer, older), (older, newer)):
        with pytest.raises(LimitReached) as refusal:
            choose(*lots, cups=2)
        assert refusal.value.facts["allowed"] == 1


def test_another_offer_fills_up_what_a_limited_one_does_not_allow():
    limited = lot(1, max_cups=1, ends_at=NOW + timedelta(days=1))
    free = lot(2, offer_id=UUID(int=101))
    taken = choose(limited, free, cups=3)
    assert [(pick.lot.id.int, pick.cups) for pick in taken] == [(1, 1), (2, 2)]


def test_what_is_left_is_what_can_still_be_taken_here():
    taken = choose(lot(1), cups=3)
    others = [
        lot(2, is_frozen=True),
        lot(3, accepts_store=False),
        lot(4, accepts_product=False),
        lot(5, ends_at=NOW),
    ]
    assert policy.left_after([lot(1), *others], taken, now=NOW) == 8


@given(
    held=st.lists(st.tuples(st.integers(1, 12), st.integers(0, 12)), min_size=1, max_size=6),
    cups=st.integers(1, 40),
)
def test_exactly_the_wanted_cups_are_taken_and_never_more_than_a_lot_has(held, cups):
    lots = [
        lot(number, units=units, used=min(used, units - 1), net=units * 10, net_recognised=0)
        for number, (units, used) in enumerate(held, 1)
    ]
    total = sum(one.left for one in lots)
    if cups > total:
        with pytest.raises(InsufficientCups):
            choose(*lots, cups=cups)
        return
    taken = choose(*lots, cups=cups)
    assert sum(pick.cups for pick in taken) == cups
    assert all(1 <= pick.cups <= pick.lot.left for pick in taken)
    assert policy.left_after(lots, taken, now=NOW) == total - cups
