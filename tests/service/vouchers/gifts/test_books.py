"""A gift of 3 of 11 cups, sold at A and collected at B by the friend: the books by account."""

from collections import defaultdict

import pytest
from sqlalchemy import select

from kernel.db import db
from kernel.transaction import transaction
from ledger import reports
from ledger.models import Line
from ledger.month import Month
from ledger.reports import liability_on
from vouchers.ageing import list_ages

VAT = {("A", "2194"): -48}


@pytest.fixture
def sold(friends, world):
    """E1's pack of 10 + 1 for 1,000, net 952."""
    world.add_offer("thousand", price=1000)
    friends.alice = world.add_member()
    friends.lot = world.add_lot(friends.alice, "thousand", net=952, vat=48)
    friends.offer_id = world.offers["thousand"][0]
    return friends


def give(sold):
    return sold.give(3, offer_id=sold.offer_id)


def balances(world, offer_id):
    """Debits less credits of the pack, by store and account, from the lines themselves."""
    names = {store_id: code for code, store_id in world.stores.items()}
    held = defaultdict(int)
    with transaction():
        for line in db.session.scalars(select(Line).where(Line.offer_id == offer_id)):
            held[names[line.store_id], line.debit] += line.amount
            held[names[line.store_id], line.credit] -= line.amount
    return {cell: amount for cell, amount in held.items() if amount}


def test_given_cups_are_owed_as_under_way(sold, world):
    give(sold)
    assert balances(world, sold.offer_id) == {
        ("A", "1111"): 1000,
        **VAT,
        ("A", "2131"): -692,
        ("A", "2134"): -260,
    }


def test_claimed_cups_are_owed_as_before(sold, world):
    sold.claim(give(sold))
    assert balances(world, sold.offer_id) == {("A", "1111"): 1000, ("A", "2131"): -952, **VAT}
    assert [lot.net for lot in sold.lots(sold.bob)] == [260]


def test_the_friend_collects_at_b_and_a_owes_b(sold, world):
    sold.claim(give(sold))
    till = world.add_till("B")
    world.take(till, sold.bob, 2)
    world.take(till, sold.bob, 1)
    assert balances(world, sold.offer_id) == {
        ("A", "1111"): 1000,
        **VAT,
        ("A", "2131"): -692,
        ("A", "2171"): -260,
        ("B", "1171"): 260,
        ("B", "4111"): -260,
    }


def test_the_rest_is_the_givers_to_the_dollar(sold, world):
    sold.claim(give(sold))
    world.take(world.add_till("A"), sold.alice, 8)
    assert sold.read_lot().net_recognised == 952
    assert balances(world, sold.offer_id)["A", "2131"] == -260


def test_a_gift_that_comes_back_leaves_no_trace_in_the_balances(sold, world):
    sold.withdraw(give(sold))
    assert balances(world, sold.offer_id) == {("A", "1111"): 1000, ("A", "2131"): -952, **VAT}


def test_the_reports_count_what_is_under_way_as_owed(sold, world):
    sold.claim(give(sold))
    give(sold)
    day = world.now.date()
    with transaction():
        owed = {held.account: (held.balance, held.cups) for held in liability_on(day)}
        aged = sum(one.amount for one in list_ages(on=day))
        flow = reports.roll_forward(Month.of(day))
    assert owed["2134"] == (260 - 1, 3)
    assert aged == sum(balance for balance, _ in owed.values())
    assert sum(row.transferred for row in flow) == 0
