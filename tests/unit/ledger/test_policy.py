"""The money of a lot follows its cups, and every event books what the worked examples say."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import policy
from ledger.policy import Pair

A, B = UUID(int=1), UUID(int=2)
OFFER, LOT = UUID(int=8), UUID(int=9)


def amounts(net: int, units: int) -> list[int]:
    done, out = 0, []
    for used in range(units):
        out.append(policy.carried(net=net, units=units, used=used, net_recognised=done, cups=1))
        done += out[-1]
    return out


@pytest.mark.parametrize(
    ("net", "units", "expected"),
    [
        (952, 11, [87, 86, 87, 86, 87, 86, 87, 86, 87, 86, 87]),
        (476, 11, [43, 44, 43, 43, 43, 44, 43, 43, 43, 44, 43]),
        (475, 10, [48, 47, 48, 47, 48, 47, 48, 47, 48, 47]),
        (0, 3, [0, 0, 0]),
    ],
)
def test_cups_taken_one_by_one_carry_the_known_amounts(net, units, expected):
    assert amounts(net, units) == expected


@given(net=st.integers(0, 10**12), units=st.integers(1, 500), data=st.data())
def test_any_split_adds_up_to_the_whole(net, units, data):
    used, done = 0, 0
    while used < units:
        cups = data.draw(st.integers(1, units - used))
        amount = policy.carried(net=net, units=units, used=used, net_recognised=done, cups=cups)
        assert amount >= 0
        used, done = used + cups, done + amount
    assert done == net


@given(net=st.integers(0, 10**6), units=st.integers(2, 60), data=st.data())
def test_taking_two_times_is_taking_their_sum(net, units, data):
    first = data.draw(st.integers(1, units - 1))
    second = data.draw(st.integers(1, units - first))
    one = policy.carried(net=net, units=units, used=0, net_recognised=0, cups=first)
    two = policy.carried(net=net, units=units, used=first, net_recognised=one, cups=second)
    both = policy.carried(net=net, units=units, used=0, net_recognised=0, cups=first + second)
    assert one + two == both


@given(net=st.integers(0, 300), units=st.integers(1, 40), data=st.data())
def test_voids_in_any_order_never_make_an_amount_negative_and_end_at_net(net, units, data):
    """Each void gives back exactly what its redemption took, also out of order."""
    used, done, open_picks = 0, 0, []
    for _ in range(data.draw(st.integers(1, 30))):
        if open_picks and data.draw(st.booleans()):
            cups, amount = open_picks.pop(data.draw(st.integers(0, len(open_picks) - 1)))
            used, done = used - cups, done - amount
        elif used < units:
            cups = data.draw(st.integers(1, units - used))
            amount = policy.carried(net=net, units=units, used=used, net_recognised=done, cups=cups)
            assert amount >= 0
            used, done = used + cups, done + amount
            open_picks.append((cups, amount))
        assert 0 <= done <= net
    if used < units:
        done += policy.carried(
            net=net, units=units, used=used, net_recognised=done, cups=units - used
        )
    assert done == net


def test_the_floor_is_what_keeps_two_dollars_over_29_cups_from_going_below_zero():
    assert policy.carried(net=2, units=29, used=7, net_recognised=1, cups=1) == 0


def test_a_sale_books_cash_against_liability_and_vat_as_in_e1():
    pairs = policy.sale(
        store_id=A, account="2131", net=952, vat=48, cups=11, offer_id=OFFER, lot_id=LOT
    )
    assert pairs == [
        Pair(A, "1111", "2131", 952, 11, None, OFFER, LOT),
        Pair(A, "1111", "2194", 48, 0, None, OFFER, LOT),
    ]


def test_cups_made_where_they_were_sold_are_one_pair_as_in_e2():
    pairs = policy.hand_over(
        sold_at_id=A, made_at_id=A, account="2131", amount=260, cups=3, offer_id=OFFER, lot_id=LOT
    )
    assert pairs == [Pair(A, "2131", "4111", 260, 3, None, OFFER, LOT)]


def test_cups_made_elsewhere_are_a_debt_between_stores_as_in_e2():
    pairs = policy.hand_over(
        sold_at_id=A, made_at_id=B, account="2131", amount=173, cups=2, offer_id=OFFER, lot_id=LOT
    )
    assert pairs == [
        Pair(A, "2131", "2171", 173, 2, B, OFFER, LOT),
        Pair(B, "1171", "4111", 173, 2, A, OFFER, LOT),
    ]


def test_a_reversal_turns_every_pair_around_as_in_e8():
    pairs = policy.hand_over(
        sold_at_id=A, made_at_id=B, account="2131", amount=173, cups=2, offer_id=OFFER, lot_id=LOT
    )
    assert policy.reversal(pairs) == [
        Pair(A, "2171", "2131", 173, 2, B, OFFER, LOT),
        Pair(B, "4111", "1171", 173, 2, A, OFFER, LOT),
    ]
