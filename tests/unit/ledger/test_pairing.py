"""Legs as accountants write them become lines of the books."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import Invalid
from kernel.ids import new_id
from ledger.errors import (
    AccountNotAdjustable,
    AdjustmentOneSided,
    AdjustmentUnbalanced,
    AdjustmentUnpaired,
    CounterpartMissing,
)
from ledger.pairing import Leg, paired
from ledger.policy import Pair

A, B, C, OFFER = (new_id() for _ in range(4))


def debit(account, amount, *, store=A, **other):
    return Leg(store, account, "debit", amount, **other)


def credit(account, amount, *, store=A, **other):
    return Leg(store, account, "credit", amount, **other)


def test_one_debit_and_one_credit_are_one_line():
    assert paired([debit("6221", 5), credit("1111", 5)]) == [Pair(A, "6221", "1111", 5)]


def test_a_debit_is_split_over_the_credits_in_their_order():
    assert paired([debit("1111", 105), credit("4114", 100), credit("2194", 5)]) == [
        Pair(A, "1111", "4114", 100),
        Pair(A, "1111", "2194", 5),
    ]


def test_stores_do_not_mix():
    legs = [
        debit("1111", 5),
        debit("1111", 7, store=B),
        credit("4114", 7, store=B),
        credit("4115", 5),
    ]
    assert paired(legs) == [Pair(A, "1111", "4115", 5), Pair(B, "1111", "4114", 7)]


def test_the_offer_of_either_leg_is_kept():
    legs = [debit("4113", 5, offer_id=OFFER), credit("4111", 5)]
    assert paired(legs) == [Pair(A, "4113", "4111", 5, offer_id=OFFER)]


def test_a_debt_between_stores_changes_in_both_books():
    legs = [
        debit("6221", 9),
        credit("2171", 9, counterpart_store_id=B),
        debit("1171", 9, store=B, counterpart_store_id=A),
        credit("4111", 9, store=B),
    ]
    assert paired(legs) == [
        Pair(A, "6221", "2171", 9, counterpart_store_id=B),
        Pair(B, "1171", "4111", 9, counterpart_store_id=A),
    ]


def test_what_a_store_does_not_balance_is_named_with_the_difference():
    with pytest.raises(AdjustmentUnbalanced) as refusal:
        paired([debit("1111", 7), credit("4114", 5), debit("1111", 3, store=B)])
    assert refusal.value.facts["differences"] == [
        {"store_id": str(A), "difference": 2},
        {"store_id": str(B), "difference": 3},
    ]


def test_nothing_is_no_adjustment():
    with pytest.raises(AdjustmentUnbalanced):
        paired([])


@pytest.mark.parametrize("account", ["2131", "2132", "2134", "2138"])
def test_what_follows_the_cups_is_moved_by_verbs_only(account):
    with pytest.raises(AccountNotAdjustable) as refusal:
        paired([debit(account, 5, offer_id=OFFER), credit("4113", 5)])
    assert refusal.value.facts["account"] == account


@pytest.mark.parametrize("other", [None, A])
def test_a_leg_between_stores_names_another_store(other):
    with pytest.raises(CounterpartMissing):
        paired([debit("6221", 5), credit("2171", 5, counterpart_store_id=other)])


def test_no_leg_names_its_own_store_as_another():
    with pytest.raises(CounterpartMissing):
        paired([debit("6221", 5, counterpart_store_id=A), credit("1111", 5)])


def test_a_debt_in_one_book_only_is_refused_with_the_difference():
    with pytest.raises(AdjustmentOneSided) as refusal:
        paired([debit("6221", 5), credit("2171", 5, counterpart_store_id=B)])
    assert refusal.value.facts["differences"] == [
        {"owing_id": str(A), "owed_id": str(B), "difference": -5}
    ]


def test_one_line_cannot_name_two_counterparts():
    legs = [
        debit("2171", 5, counterpart_store_id=B),
        credit("2171", 5, counterpart_store_id=C),
        debit("6221", 5, store=B),
        credit("1171", 5, store=B, counterpart_store_id=A),
        debit("1171", 5, store=C, counterpart_store_id=A),
        credit("4114", 5, store=C),
    ]
    with pytest.raises(AdjustmentUnpaired) as refusal:
        paired(legs)
    assert refusal.value.facts == {"store_id": str(A), "account": "2171"}


def test_a_leg_between_stores_chooses_before_those_that_fit_anywhere():
    legs = [
        debit("6221", 50),
        debit("2171", 100, counterpart_store_id=B),
        credit("4111", 100),
        credit("2171", 50, counterpart_store_id=C),
        debit("4111", 100, store=B),
        credit("1171", 100, store=B, counterpart_store_id=A),
        debit("1171", 50, store=C, counterpart_store_id=A),
        credit("4111", 50, store=C),
    ]
    assert paired(legs)[:2] == [
        Pair(A, "2171", "4111", 100, counterpart_store_id=B),
        Pair(A, "6221", "2171", 50, counterpart_store_id=C),
    ]


def _sums(legs_of_pairs):
    sums = Counter()
    for store, account, amount in legs_of_pairs:
        sums[store, account] += amount
    return {key: amount for key, amount in sums.items() if amount}


@given(
    st.lists(
        st.tuples(
            st.sampled_from([A, B]),
            st.sampled_from(["1111", "4111", "4114", "6221"]),
            st.sampled_from(["debit", "credit"]),
            st.integers(1, 1_000),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_pairs_say_what_the_legs_said_or_it_is_refused(rows):
    legs = [Leg(*row) for row in rows]
    try:
        pairs = paired(legs)
    except Invalid:
        return
    from_pairs = [(pair.store_id, pair.debit, pair.amount) for pair in pairs]
    from_pairs += [(pair.store_id, pair.credit, -pair.amount) for pair in pairs]
    assert _sums(from_pairs) == _sums((leg.store_id, leg.account, leg.signed) for leg in legs)
    assert all(pair.amount > 0 and pair.debit != pair.credit for pair in pairs)
