"""Several drinks in one scan are served together, or not at all."""

from itertools import product as every
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redemption import policy, several
from redemption.errors import CoversLess, InsufficientCups, LimitReached, ProductMismatch
from redemption.policy import Wanted
from redemption.several import Asked
from tests.unit.redemption.test_policy import NOW, TOMORROW, lot

LATTE, MOCHA, TEA = UUID(int=901), UUID(int=902), UUID(int=903)
OTHER = UUID(int=200)


def asked(*lots, list_price=50, **cups) -> dict[UUID, Asked]:
    """Drinks by name with their cups; a lot is given as (number, cups, good for)."""
    drinks = {"latte": LATTE, "mocha": MOCHA, "tea": TEA}
    return {
        drinks[name]: Asked(
            Wanted(many, list_price, "counter"),
            [
                lot(number, units=units, accepts_product=name in good_for, **terms)
                for number, units, good_for, terms in lots
            ],
        )
        for name, many in cups.items()
    }


def chosen(wanted) -> dict[UUID, list[tuple[int, int]]]:
    taken = several.choose_all(wanted, now=NOW, next_day_at=TOMORROW)
    return {
        product_id: [(pick.lot.id.int, pick.cups) for pick in picks]
        for product_id, picks in taken.items()
    }


def test_a_drink_leaves_to_another_what_only_that_can_have():
    wanted = asked((1, 2, {"latte", "mocha"}, {}), (2, 2, {"latte"}, {}), latte=2, mocha=2)
    assert chosen(wanted) == {LATTE: [(2, 2)], MOCHA: [(1, 2)]}


def test_a_scan_is_served_that_no_order_of_its_drinks_would_serve():
    """Whichever came first would take both of the shared cups, which burn first."""
    wanted = asked(
        (1, 1, {"latte", "mocha"}, {}),
        (2, 1, {"latte", "mocha"}, {}),
        (3, 1, {"latte"}, {}),
        (4, 1, {"mocha"}, {}),
        latte=2,
        mocha=2,
    )
    taken = chosen(wanted)
    assert sorted(taken[LATTE] + taken[MOCHA]) == [(1, 1), (2, 1), (3, 1), (4, 1)]


def test_two_drinks_of_one_lot_carry_its_money_to_the_dollar():
    wanted = asked((1, 11, {"latte", "mocha"}, {}), latte=3, mocha=8)
    taken = several.choose_all(wanted, now=NOW, next_day_at=TOMORROW)
    picks = [*taken[LATTE], *taken[MOCHA]]
    assert [(pick.cups, pick.amount) for pick in picks] == [(3, 130), (8, 346)]
    assert sum(pick.vat for pick in picks) == 24


def test_nobody_pays_besides_for_one_drink_while_another_could_have_the_dearer_cup():
    covering = {"covers_up_to": 40, "allows_top_up": True, "offer_id": OTHER}
    wanted = asked(
        (1, 1, {"latte", "mocha"}, {}), (2, 1, {"latte"}, covering), latte=1, mocha=1, list_price=40
    )
    dear = Asked(Wanted(1, 60, "counter"), wanted[MOCHA].lots)
    taken = several.choose_all({**wanted, MOCHA: dear}, now=NOW, next_day_at=TOMORROW)
    assert sum(pick.top_up for picks in taken.values() for pick in picks) == 0


def test_a_drink_that_cannot_be_had_is_named():
    wanted = asked((1, 5, {"latte"}, {}), latte=1, mocha=1)
    with pytest.raises(ProductMismatch) as refusal:
        chosen(wanted)
    assert refusal.value.facts == {"product_id": str(MOCHA)}


def test_a_drink_that_is_too_dear_is_named_with_what_a_cup_covers():
    wanted = asked((1, 5, {"latte", "mocha"}, {"covers_up_to": 50}), latte=1)
    dear = Asked(Wanted(1, 60, "counter"), wanted[LATTE].lots)
    with pytest.raises(CoversLess) as refusal:
        chosen({**wanted, MOCHA: dear})
    assert (refusal.value.facts["product_id"], refusal.value.facts["covers"]) == (str(MOCHA), 50)


def test_too_few_cups_for_all_of_them_are_told_in_sum():
    wanted = asked((1, 3, {"latte", "mocha"}, {}), latte=2, mocha=2)
    with pytest.raises(InsufficientCups) as refusal:
        chosen(wanted)
    assert refusal.value.facts == {"held": 3, "wanted": 4}


@pytest.mark.parametrize(
    ("terms", "limit", "next_at"),
    [
        ({"max_cups": 3}, "max_cups", None),
        ({"cups_per_day": 5, "cups_today": 2}, "cups_per_day", TOMORROW.isoformat()),
    ],
)
def test_a_limit_counts_all_drinks_of_its_offer(terms, limit, next_at):
    wanted = asked((1, 9, {"latte", "mocha"}, terms), latte=2, mocha=2)
    with pytest.raises(LimitReached) as refusal:
        chosen(wanted)
    assert refusal.value.facts == {"limit": limit, "allowed": 3, "wanted": 4, "next_at": next_at}


def test_of_an_interval_the_second_drink_comes_too_soon():
    wanted = asked((1, 9, {"latte", "mocha"}, {"minimum_interval_s": 1800}), latte=1, mocha=1)
    with pytest.raises(LimitReached) as refusal:
        chosen(wanted)
    assert (refusal.value.facts["limit"], refusal.value.facts["allowed"]) == ("minimum_interval", 1)


def test_uncounted_cups_serve_several_drinks_and_carry_nothing():
    wanted = asked((1, 0, {"latte", "mocha"}, {"is_unlimited": True, "net": 0}), latte=2, mocha=1)
    taken = several.choose_all(wanted, now=NOW, next_day_at=TOMORROW)
    assert [(pick.cups, pick.amount) for picks in taken.values() for pick in picks] == [
        (2, 0),
        (1, 0),
    ]


@given(cups=st.integers(1, 12), units=st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_one_drink_is_served_as_it_is_by_itself(cups, units):
    lots = [(number, many, {"latte"}, {}) for number, many in enumerate(units, 1)]
    (one,) = asked(*lots, latte=cups).values()
    when = {"now": NOW, "next_day_at": TOMORROW}
    if cups > sum(units):
        with pytest.raises(InsufficientCups):
            several.choose_all({LATTE: one}, **when)
        return
    alone = policy.choose(one.lots, wanted=one.wanted, **when)
    assert several.choose_all({LATTE: one}, **when) == {LATTE: alone}


_NAMES = ("latte", "mocha", "tea")
_LOTS = st.lists(
    st.tuples(st.integers(1, 2), st.sets(st.sampled_from(_NAMES), min_size=1)),
    min_size=1,
    max_size=4,
)


@given(lots=_LOTS, cups=st.tuples(*[st.integers(1, 2)] * 3))
def test_what_can_be_served_is_served(lots, cups):
    """Tried against giving every cup to every drink that it is good for."""
    given_lots = [(at, units, good_for, {}) for at, (units, good_for) in enumerate(lots, 1)]
    each = [good_for for units, good_for in lots for _ in range(units)]
    wanted = dict(zip(_NAMES, cups, strict=True))
    can = any(
        all(way.count(name) >= many for name, many in wanted.items())
        for way in every(*[(*sorted(good_for), None) for good_for in each])
    )
    try:
        taken = several.choose_all(asked(*given_lots, **wanted), now=NOW, next_day_at=TOMORROW)
    except (InsufficientCups, ProductMismatch):
        assert not can
        return
    assert can
    for name, product_id in zip(_NAMES, (LATTE, MOCHA, TEA), strict=True):
        assert sum(pick.cups for pick in taken[product_id]) == wanted[name]
    for at, units, good_for, _ in given_lots:
        of_lot = {
            product_id: sum(pick.cups for pick in picks if pick.lot.id.int == at)
            for product_id, picks in taken.items()
        }
        assert sum(of_lot.values()) <= units
        by_name = dict(zip(_NAMES, (of_lot[LATTE], of_lot[MOCHA], of_lot[TEA]), strict=True))
        assert not any(by_name[name] for name in _NAMES if name not in good_for)
