"""What of a pool counts as breakage by now."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.policy import recognised
from ledger.pool import Pool, breakage_of

SOLD = Pool(
    sold=95_200,
    cups_sold=1_100,
    redeemed=38_080,
    cups_redeemed=440,
    lapsed=0,
    lapsed_at_once=0,
    booked=0,
)


def proportional(pool: Pool, rate: int) -> int:
    return breakage_of(pool, method="proportional", basis_points=rate)


def test_off_is_what_has_lapsed():
    assert breakage_of(replace(SOLD, lapsed=952), method="off", basis_points=0) == 952


def test_remote_is_all_that_is_left_and_what_has_lapsed():
    assert breakage_of(SOLD, method="remote", basis_points=0) == 57_120
    assert breakage_of(replace(SOLD, lapsed=952), method="remote", basis_points=0) == 57_120


def test_proportional_is_example_4():
    assert proportional(SOLD, 1_000) == 4_231


def test_it_is_never_less_than_has_lapsed():
    assert proportional(replace(SOLD, lapsed=10_000), 1_000) == 10_000


def test_a_pool_that_counts_no_cups_leaves_none():
    by_the_day = Pool(475, 0, 100, 0, 0, 0, 0)
    assert proportional(by_the_day, 5_000) == 0
    assert breakage_of(by_the_day, method="remote", basis_points=0) == 0


def test_what_was_booked_and_what_lapsed_at_once_is_recognised_already():
    assert replace(SOLD, booked=7, lapsed=9, lapsed_at_once=5).recognised == 12


@pytest.mark.parametrize("method", ["off", "proportional", "remote"])
@given(
    units=st.integers(1, 5_000),
    net=st.integers(0, 1_000_000),
    taken=st.floats(0, 1),
    ended=st.floats(0, 1),
    rate=st.integers(0, 9_999),
)
def test_it_lies_between_what_lapsed_and_all_that_was_not_collected(
    method, units, net, taken, ended, rate
):
    cups = int(units * taken)
    lapsed_cups = int((units - cups) * ended)
    redeemed = recognised(net=net, units=units, used=cups)
    lapsed = recognised(net=net, units=units, used=cups + lapsed_cups) - redeemed
    pool = Pool(net, units, redeemed, cups, lapsed, 0, 0)
    rate = rate if method == "proportional" else 0
    assert lapsed <= breakage_of(pool, method=method, basis_points=rate) <= net - redeemed
