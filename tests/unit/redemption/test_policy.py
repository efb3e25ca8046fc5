"""Which cups are taken, and which reason is named when none are."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redemption import policy
from redemption.errors import (
    ChannelNotAccepted,
    CoversLess,
    InsufficientCups,
    LimitReached,
    LotFrozen,
    ProductMismatch,
    StoreNotAccepted,
)
from redemption.policy import HeldLot, Wanted

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
        vat=24,
        net_recognised=0,
        vat_gone=0,
        sold_at=NOW - timedelta(days=1),
        expiry_mode="lapse" if terms.get("ends_at") else "never",
        ends_at=None,
        is_frozen=False,
        accepts_product=True,
        accepts_store=True,
        redeem_channels=None,
        covers_up_to=None,
        allows_top_up=False,
        price=500,
        paid_cups=11,
        is_taxed_at_till=False,
        vat_code="standard",
        basis_points=500,
        rounding="half_up",
        max_cups=None,
        cups_per_day=None,
        minimum_interval_s=None,
        cups_today=0,
        last_at=None,
    )
    return replace(plain, **terms)


def wanted(cups: int = 1, *, list_price: int = 50, channel: str = "counter") -> Wanted:
    return Wanted(cups=cups, list_price=list_price, channel=channel)


def choose(*lots: HeldLot, cups: int = 1, **asked):
    return policy.choose(lots, wanted=wanted(cups, **asked), now=NOW, next_day_at=TOMORROW)


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
        ({"covers_up_to": 49}, CoversLess),
        ({"redeem_channels": ["kiosk"]}, ChannelNotAccepted),
        ({"accepts_store": False}, StoreNotAccepted),
        ({"is_frozen": True}, LotFrozen),
    ],
)
def test_the_first_rule_that_leaves_nothing_names_the_refusal(terms, reason):
    with pytest.raises(reason):
        choose(lot(1, **terms))


def test_of_several_reasons_the_one_that_is_hardest_to_mend_is_named():
    """Another drink, another lot, another till, another store: in this order, then only waiting."""
    terms = {
        "accepts_product": False,
        "covers_up_to": 49,
        "redeem_channels": ["kiosk"],
        "accepts_store": False,
        "is_frozen": True,
    }
    mended = {**terms}
    for fact, fits, reason in (
        ("accepts_product", True, ProductMismatch),
        ("covers_up_to", 50, CoversLess),
        ("redeem_channels", ["kiosk", "counter"], ChannelNotAccepted),
        ("accepts_store", True, StoreNotAccepted),
        ("is_frozen", False, LotFrozen),
    ):
        with pytest.raises(reason):
            choose(lot(1, **mended))
        mended[fact] = fits
    assert choose(lot(1, **mended))


def test_a_cup_covers_a_drink_up_to_its_bound_and_not_a_dollar_more():
    assert choose(lot(1, covers_up_to=100), list_price=100)[0].top_up == 0
    with pytest.raises(CoversLess) as refusal:
        choose(lot(1, covers_up_to=80), lot(2, covers_up_to=100), list_price=101)
    assert refusal.value.facts == {"covers": 100, "list_price": 101, "currency": "TWD"}


def test_where_the_terms_allow_it_a_dearer_drink_costs_the_difference_for_each_cup():
    (taken,) = choose(lot(1, covers_up_to=100, allows_top_up=True), cups=3, list_price=120)
    assert (taken.cups, taken.top_up) == (3, 60)


def test_a_cup_without_a_bound_covers_every_listed_product():
    assert choose(lot(1, allows_top_up=True), list_price=999)[0].top_up == 0


LATE = {"ends_at": NOW, "expiry_mode": "top_up"}
LOUISA = {"price": 240, "paid_cups": 5, **LATE}


def test_a_late_cup_costs_what_its_paid_value_lacks_of_today_s_list_price():
    (taken,) = choose(lot(1, **LOUISA), cups=2, list_price=60)
    assert taken.top_up == 24


@pytest.mark.parametrize(("ends_at", "top_up"), [(NOW + timedelta(seconds=1), 0), (NOW, 20)])
def test_a_star_card_covers_135_until_its_end_and_100_afterwards(ends_at, top_up):
    card = lot(1, price=1000, paid_cups=10, covers_up_to=135, expiry_mode="top_up", ends_at=ends_at)
    assert choose(card, list_price=120)[0].top_up == top_up


def test_a_late_cup_is_good_for_no_dearer_drink_than_before():
    card = lot(1, price=1000, paid_cups=10, covers_up_to=135, **LATE)
    with pytest.raises(CoversLess):
        choose(card, list_price=136)


def test_a_late_cup_that_was_dearer_than_the_drink_costs_nothing_and_gives_nothing_back():
    assert choose(lot(1, **LOUISA), list_price=40)[0].top_up == 0


def test_the_paid_value_is_rounded_half_up():
    assert lot(1, price=500, paid_cups=11).paid_value == 45
    assert lot(1, price=5, paid_cups=2).paid_value == 3


@pytest.mark.parametrize("mode", ["lapse", "refund"])
def test_after_any_other_end_a_cup_is_good_for_nothing(mode):
    with pytest.raises(InsufficientCups):
        choose(lot(1, ends_at=NOW, expiry_mode=mode))


def test_cups_that_cost_nothing_burn_before_cups_that_end_sooner_and_cost():
    late = lot(1, **LOUISA)
    soon = lot(2, ends_at=NOW + timedelta(days=1), covers_up_to=50, allows_top_up=True)
    free = lot(3, units=1, net=43, vat=2)
    taken = choose(late, soon, free, cups=20, list_price=60)
    assert [(pick.lot.id.int, pick.cups, pick.top_up) for pick in taken] == [
        (3, 1, 0),
        (2, 11, 110),
        (1, 8, 96),
    ]


def test_a_late_cup_that_costs_nothing_waits_for_those_that_can_still_end():
    late = lot(1, **LOUISA)
    ahead = lot(2, ends_at=NOW + timedelta(days=1), units=1)
    endless = lot(3, units=1)
    taken = choose(late, ahead, endless, cups=3, list_price=40)
    assert [pick.lot.id.int for pick in taken] == [2, 3, 1]


def test_a_channel_is_refused_with_those_that_are_accepted():
    mcd = lot(1, redeem_channels=["counter", "kiosk", "drive-through"])
    with pytest.raises(ChannelNotAccepted) as refusal:
        choose(mcd, channel="delivery")
    assert refusal.value.facts == {
        "channel": "delivery",
        "accepted": ["counter", "drive-through", "kiosk"],
    }
    assert choose(mcd, channel="drive-through")


def test_what_does_not_fit_here_is_passed_over_for_what_does():
    taken = choose(
        lot(1, covers_up_to=49),
        lot(2, redeem_channels=["kiosk"]),
        lot(3, accepts_store=False),
        lot(4),
    )
    assert [pick.lot.id.int for pick in taken] == [4]


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


@pytest.mark.parametrize(
    ("apart", "limit", "next_at"),
    [
        (timedelta(minutes=30), "cups_per_day", TOMORROW),
        (timedelta(hours=20), "minimum_interval", NOW + timedelta(hours=19, minutes=55)),
    ],
)
def test_of_two_limits_that_allow_none_the_one_that_lifts_last_is_named(apart, limit, next_at):
    terms = {"cups_per_day": 2, "cups_today": 2, "minimum_interval_s": int(apart.total_seconds())}
    with pytest.raises(LimitReached) as refusal:
        choose(lot(1, last_at=NOW - timedelta(minutes=5), **terms))
    told = refusal.value.facts
    assert (told["limit"], told["next_at"]) == (limit, next_at.isoformat())


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
        lot(6, covers_up_to=49),
        lot(7, redeem_channels=["kiosk"]),
    ]
    assert policy.left_after([lot(1), *others], taken, wanted=wanted(3), now=NOW) == 8


def test_what_costs_a_top_up_is_left_too():
    assert policy.left_after([lot(1, **LOUISA)], [], wanted=wanted(list_price=60), now=NOW) == 11


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
    assert policy.left_after(lots, taken, wanted=wanted(cups), now=NOW) == total - cups


@st.composite
def acts(draw):
    """Cups that are taken, and earlier takings that are voided, in any order."""
    units = draw(st.integers(1, 30))
    steps = st.one_of(
        st.tuples(st.just("take"), st.integers(1, units)),
        st.tuples(st.just("void"), st.integers(0, 50)),
    )
    return units, draw(st.lists(steps, max_size=40))


def after(held: HeldLot, pick: policy.Taken, *, sign: int) -> HeldLot:
    return replace(
        held,
        used=held.used + sign * pick.cups,
        net_recognised=held.net_recognised + sign * pick.amount,
        vat_gone=held.vat_gone + sign * pick.vat,
    )


@given(story=acts(), net=st.integers(0, 500), vat=st.integers(0, 60))
def test_whatever_is_taken_and_voided_the_parts_of_net_and_vat_add_up(story, net, vat):
    units, steps = story
    held = lot(1, units=units, net=net, vat=vat)
    standing: list[policy.Taken] = []
    for act, number in steps:
        if act == "take" and held.left:
            (pick,) = choose(held, cups=min(number, held.left))
            standing.append(pick)
            held = after(held, pick, sign=1)
        elif act == "void" and standing:
            held = after(held, standing.pop(number % len(standing)), sign=-1)
        assert held.used == sum(pick.cups for pick in standing)
        assert held.net_recognised == sum(pick.amount for pick in standing)
        assert held.vat_gone == sum(pick.vat for pick in standing)
        assert 0 <= held.net_recognised <= net
        assert 0 <= held.vat_gone <= vat
    if held.left:
        held = after(held, choose(held, cups=held.left)[0], sign=1)
    assert (held.used, held.net_recognised, held.vat_gone) == (units, net, vat)
