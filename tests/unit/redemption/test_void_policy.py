"""What goes back of a redemption: which cups, and that the parts add up to the whole."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redemption.errors import AlreadyVoided, NotSoManyTaken
from redemption.void_policy import Standing, choose_back, share

NOON = datetime(2026, 1, 15, 4, tzinfo=UTC)
LATTE, MOCHA = UUID(int=1), UUID(int=2)


def line(lot=1, product=LATTE, cups=3, amount=130, vat=7, **other) -> Standing:
    return Standing(
        **{
            "lot_id": UUID(int=lot),
            "product_id": product,
            "cups": cups,
            "amount": amount,
            "vat": vat,
            "top_up": 0,
            "cups_voided": 0,
            "amount_voided": 0,
            "vat_voided": 0,
            "top_up_voided": 0,
            "ends_at": None,
            "sold_at": NOON,
            **other,
        }
    )


def test_all_that_is_left_goes_back_where_nothing_is_named():
    (back,) = choose_back([line(cups_voided=1, amount_voided=43, vat_voided=2)], items=None)
    assert (back.cups, back.amount, back.vat) == (2, 87, 5)


def test_the_cups_that_burned_last_go_back_first():
    soon = line(lot=1, ends_at=NOON + timedelta(days=1))
    late = line(lot=2, ends_at=NOON + timedelta(days=9))
    never = line(lot=3)
    backs = choose_back([soon, never, late], items={LATTE: 4})
    assert [(back.line.lot_id.int, back.cups) for back in backs] == [(3, 3), (2, 1)]


def test_what_was_topped_up_goes_back_before_what_cost_nothing():
    dear = line(lot=1, top_up=20, ends_at=NOON)
    backs = choose_back([dear, line(lot=2)], items={LATTE: 1})
    assert [(back.line.lot_id.int, back.top_up) for back in backs] == [(1, 7)]


@pytest.mark.parametrize(
    ("burned_first", "burned_last"),
    [
        ({"is_unlimited": True, "ends_at": NOON + timedelta(days=30)}, {"ends_at": NOON}),
        ({"ends_at": NOON + timedelta(days=30)}, {"was_late": True, "ends_at": NOON}),
    ],
)
def test_an_end_says_nothing_of_cups_that_nobody_counts_nor_of_late_ones(burned_first, burned_last):
    lines = [line(lot=1, cups=1, **burned_first), line(lot=2, cups=1, **burned_last)]
    (back,) = choose_back(lines, items={LATTE: 1})
    assert back.line.lot_id.int == 2


def test_only_the_named_drink_goes_back():
    backs = choose_back([line(product=LATTE), line(product=MOCHA)], items={MOCHA: 2})
    assert [(back.line.product_id, back.cups) for back in backs] == [(MOCHA, 2)]


def test_more_than_is_left_of_a_drink_is_refused_with_how_many_are():
    with pytest.raises(NotSoManyTaken) as refusal:
        choose_back([line(cups_voided=1, amount_voided=43, vat_voided=2)], items={LATTE: 3})
    assert refusal.value.facts == {"taken": 2, "wanted": 3}


@pytest.mark.parametrize("items", [None, {LATTE: 1}])
def test_nothing_goes_back_twice(items):
    gone = line(cups_voided=3, amount_voided=130, vat_voided=7)
    with pytest.raises(AlreadyVoided):
        choose_back([gone], items=items)


@given(
    cups=st.integers(1, 40),
    money=st.tuples(*[st.integers(0, 5_000)] * 3),
    parts=st.lists(st.integers(1, 10)),
)
def test_parts_give_back_the_whole_by_the_dollar_and_never_less_than_nothing(cups, money, parts):
    amount, vat, top_up = money
    gone = {"cups_voided": 0, "amount_voided": 0, "vat_voided": 0, "top_up_voided": 0}
    for part in [*parts, None]:
        standing = line(cups=cups, amount=amount, vat=vat, top_up=top_up, **gone)
        if not standing.left or (part and part > standing.left):
            continue
        (back,) = choose_back([standing], items=part and {LATTE: part})
        assert min(back.amount, back.vat, back.top_up) >= 0
        gone = {
            "cups_voided": standing.cups_voided + back.cups,
            "amount_voided": standing.amount_voided + back.amount,
            "vat_voided": standing.vat_voided + back.vat,
            "top_up_voided": standing.top_up_voided + back.top_up,
        }
    assert tuple(gone.values()) == (cups, amount, vat, top_up)


@given(whole=st.integers(0, 500), of=st.integers(1, 10_000), data=st.data())
def test_the_vat_of_a_sum_goes_back_wholly_with_its_last_part(whole, of, data):
    left_of_it, left = whole, of
    while left:
        part = data.draw(st.integers(1, left))
        going = share(left_of_it, part=part, of=left)
        assert 0 <= going <= left_of_it
        left_of_it, left = left_of_it - going, left - part
    assert left_of_it == 0
