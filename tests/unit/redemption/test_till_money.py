"""What a till books and taxes: top-ups, and cups of vouchers that stand for money."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import NotFound
from redemption import till_money
from redemption.policy import Taken
from tests.unit.redemption.test_policy import NOW, A, lot

B = UUID(int=2)


def booked(*taken: Taken, made_at_id=A):
    return [
        (pair.store_id.int, pair.debit, pair.credit, pair.amount, pair.qty)
        for pair in till_money.postings(taken, made_at_id=made_at_id)
    ]


def cash_value(**terms):
    """A lot that carries its whole price as net, since none of it was taxed."""
    return lot(1, **{"net": 500, "vat": 0, "is_taxed_at_till": True, **terms})


def test_nothing_is_taxed_at_the_till_that_was_taxed_when_it_was_sold():
    taken = Taken(lot(1), 3, 130, 7)
    assert booked(taken) == [(1, "2131", "4111", 130, 3)]
    assert till_money.top_ups_of([taken]) == []
    assert not till_money.is_taxed([taken])


def test_a_top_up_is_taken_apart_by_the_rate_of_the_day_and_booked_last():
    taken = Taken(lot(1), 1, 46, 2, top_up=20)
    assert booked(taken, made_at_id=B) == [
        (1, "2131", "2171", 46, 1),
        (2, "1171", "4111", 46, 1),
        (2, "1111", "4115", 19, 0),
        (2, "1111", "2194", 1, 0),
    ]
    assert till_money.is_taxed([taken])


def test_a_top_up_over_two_lots_is_taxed_in_one_sum():
    """12 and 12 are 11 + 11 by themselves; 24 is 23: the shopper pays one amount."""
    taken = [Taken(lot(1), 1, 46, 2, top_up=12), Taken(lot(2), 1, 46, 2, top_up=12)]
    (paid,) = till_money.top_ups_of(taken)
    assert (paid.net, paid.vat, paid.gross) == (23, 1, 24)


def test_top_ups_of_two_tax_codes_are_taxed_apart():
    plain = Taken(lot(1), 1, 46, 2, top_up=20)
    free = Taken(lot(2, vat_code="zero", basis_points=0), 1, 46, 2, top_up=10)
    assert [
        (paid.vat_code, paid.net, paid.vat) for paid in till_money.top_ups_of([plain, free])
    ] == [
        ("standard", 19, 1),
        ("zero", 10, 0),
    ]
    assert booked(plain, free)[2:] == [
        (1, "1111", "4115", 19, 0),
        (1, "1111", "2194", 1, 0),
        (1, "1111", "4115", 10, 0),
    ]


@pytest.mark.parametrize(
    ("basis_points", "rounding", "net"),
    [(500, "half_up", 19), (500, "down", 19), (500, "up", 20), (0, "half_up", 20)],
)
def test_the_day_s_rate_and_rounding_hold(basis_points, rounding, net):
    terms = {"basis_points": basis_points, "rounding": rounding}
    (paid,) = till_money.top_ups_of([Taken(lot(1, **terms), 1, 46, 2, top_up=20)])
    assert (paid.net, paid.vat) == (net, 20 - net)


def test_the_store_that_makes_the_drink_owes_the_vat_of_a_cash_value_voucher():
    taken = Taken(cash_value(), 2, 91, 0)
    assert booked(taken) == [(1, "2131", "4111", 87, 2), (1, "2131", "2194", 4, 0)]
    assert booked(taken, made_at_id=B) == [
        (1, "2131", "2171", 91, 2),
        (2, "1171", "4111", 87, 2),
        (2, "1171", "2194", 4, 0),
    ]
    assert till_money.is_taxed([taken])


def test_a_free_cup_of_a_cash_value_voucher_has_no_vat():
    assert booked(Taken(cash_value(net=0), 1, 0, 0)) == [(1, "2131", "4111", 0, 1)]


def test_a_code_without_a_rate_on_that_day_hands_over_nothing():
    unknown = cash_value(basis_points=None, rounding=None)
    with pytest.raises(NotFound):
        booked(Taken(unknown, 1, 45, 0))


@given(amount=st.integers(0, 10_000), top_up=st.integers(0, 10_000), cups=st.integers(1, 9))
def test_what_is_taken_is_booked_to_the_dollar(amount, top_up, cups):
    late = {"expiry_mode": "top_up", "ends_at": NOW - timedelta(days=1)}
    taken = Taken(cash_value(**late), cups, amount, 0, top_up=top_up)
    pairs = till_money.postings([taken], made_at_id=B)
    assert sum(pair.amount for pair in pairs if pair.debit == "1171") == amount
    assert sum(pair.amount for pair in pairs if pair.debit == "1111") == top_up
    assert sum(pair.qty for pair in pairs if pair.credit == "4111") == cups
