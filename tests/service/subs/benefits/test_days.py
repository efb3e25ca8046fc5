"""What nobody counts is earned by the day (E9): unlimited cups into 4111, memberships into 4112."""

from datetime import date, timedelta

import pytest

from kernel.transaction import transaction
from tests.service.subs.benefits.house import House, at
from vouchers.models import Lot
from vouchers.service.earning import earn, earn_until, find_earning

APRIL = (at(4, 10), at(5, 10))
"""Thirty days."""
NOON = (12, 0)


def pass_until(*moment: int) -> None:
    """The nightly job comes at a moment."""
    now = at(*moment)
    with transaction():
        parts = find_earning(lots=100, wallets=10, now=now)
    for part in parts:
        with transaction():
            earn(part, now=now)


@pytest.fixture
def unlimited(house: House) -> House:
    """An unlimited plan for 315 a month: 300 net, ten a day in April."""
    house.add_plan("unlimited", price=315, cups=0, is_unlimited=True)
    house.pay(house.subscribe("unlimited", begins_at=APRIL[0]), 1, *APRIL)
    return house


def the_lot(house: House) -> Lot:
    (lot,) = house.lots()
    return lot


def test_an_unlimited_period_is_a_lot_without_cups(unlimited):
    lot = the_lot(unlimited)
    assert (lot.units, lot.net, lot.vat, lot.ends_at) == (0, 300, 15, APRIL[1])
    assert (lot.earns_from_on, lot.earns_days) == (date(2026, 4, 10), 30)
    assert lot.due_at == at(4, 11, 0)


def test_a_day_is_earned_when_it_is_over(unlimited):
    pass_until(4, 10, 23, 59)
    assert the_lot(unlimited).net_recognised == 0
    pass_until(4, 11, 0, 0)
    assert (the_lot(unlimited).net_recognised, the_lot(unlimited).due_at) == (10, at(4, 12, 0))
    assert unlimited.entries("earning") == [
        ("earning", date(2026, 4, 10), [("2132", "4111", 10, 0)])
    ]


def test_a_day_is_earned_once(unlimited):
    pass_until(4, 11, 3)
    pass_until(4, 11, 4)
    assert len(unlimited.entries("earning")) == 1


def test_days_that_nobody_worked_are_earned_each_on_its_own_date(unlimited):
    pass_until(4, 14, 3)
    assert [(day, lines[0][2]) for _, day, lines in unlimited.entries("earning")] == [
        (date(2026, 4, 10 + ahead), 10) for ahead in range(4)
    ]


def test_it_is_closed_at_its_end_with_all_earned(unlimited):
    pass_until(5, 10, 11, 59)
    assert (the_lot(unlimited).net_recognised, the_lot(unlimited).is_open) == (300, True)
    pass_until(5, 10, *NOON)
    assert not the_lot(unlimited).is_open
    assert (the_lot(unlimited).vat_gone, len(unlimited.entries("earning"))) == (15, 30)


def test_a_membership_is_earned_by_the_day_over_its_year(house):
    house.add_plan("member", price=1350, cups=0, every_unit="year")
    year = (at(1, 15), at(1, 15, year=2027))
    house.pay(house.subscribe("member", begins_at=year[0]), 1, *year)
    lot = the_lot(house)
    assert (lot.net, lot.earns_days) == (1286, 365)
    pass_until(1, 15, *NOON)
    pass_until(4, 1, 0)
    days = (date(2026, 4, 1) - date(2026, 1, 15)).days
    assert the_lot(house).net_recognised == (2 * 1286 * days + 365) // 730
    assert {lines[0][:2] for _, _, lines in house.entries("earning")} == {("2132", "4112")}


def test_amounts_that_do_not_divide_add_up_to_the_net(house):
    house.add_plan("unlimited", price=499, cups=0, is_unlimited=True)
    house.pay(house.subscribe("unlimited", begins_at=APRIL[0]), 1, *APRIL)
    pass_until(5, 12)
    amounts = [lines[0][2] for _, _, lines in house.entries("earning")]
    assert (sum(amounts), len(amounts)) == (475, 30)
    assert set(amounts) == {15, 16}


def test_days_without_money_are_not_booked_and_end_all_the_same(house):
    house.add_plan("trial", price=315, cups=0, is_unlimited=True, trial_days=7)
    house.pay(house.subscribe("trial", begins_at=at(4, 3)), 0, at(4, 3), at(4, 10), price=0)
    pass_until(4, 5)
    assert the_lot(house).is_open
    pass_until(4, 10)
    assert not the_lot(house).is_open
    assert house.entries("sale", "earning") == []


def test_what_is_paid_late_earns_the_days_before_with_the_day_of_its_sale(house):
    house.add_plan("unlimited", price=315, cups=0, is_unlimited=True)
    mine = house.subscribe("unlimited", begins_at=APRIL[0])
    house.pay(mine, 1, *APRIL, paid_at=at(4, 12, 15))
    pass_until(4, 13, 0)
    assert house.entries("earning") == [("earning", date(2026, 4, 12), [("2132", "4111", 30, 0)])]


def test_what_is_good_in_grace_has_earned_all_with_its_period(house):
    house.add_plan(
        "unlimited", price=315, cups=0, is_unlimited=True, benefits_in_grace=True, grace_days=14
    )
    house.pay(house.subscribe("unlimited", begins_at=APRIL[0]), 1, *APRIL)
    pass_until(5, 11)
    lot = the_lot(house)
    assert (lot.net_recognised, lot.is_open) == (300, True)
    assert lot.due_at == lot.ends_at == APRIL[1] + timedelta(days=14)
    pass_until(5, 24)
    assert not the_lot(house).is_open


def test_a_frozen_lot_waits_and_catches_up(unlimited):
    lot = the_lot(unlimited)
    unlimited.freeze(lot.id, at(4, 10))
    pass_until(4, 13, 0)
    assert the_lot(unlimited).net_recognised == 0
    unlimited.freeze(lot.id, None)
    pass_until(4, 13, 0)
    assert the_lot(unlimited).net_recognised == 30


def test_what_is_to_be_given_back_is_earned_up_to_now_first(unlimited):
    with transaction():
        earn_until([unlimited.member_id], now=at(4, 20, 1))
    assert the_lot(unlimited).net_recognised == 100


@pytest.mark.parametrize("every_hour", [0, 12])
def test_the_day_on_which_one_period_follows_another_is_counted_once(house, every_hour):
    house.add_plan("unlimited", price=315, cups=0, is_unlimited=True)
    edges = [at(4, 10, every_hour), at(5, 10, every_hour), at(6, 10, every_hour)]
    mine = house.subscribe("unlimited", begins_at=edges[0])
    house.pay(mine, 1, edges[0], edges[1])
    house.pay(mine, 2, edges[1], edges[2])
    first, second = house.lots()
    assert second.earns_from_on == first.earns_from_on + timedelta(days=first.earns_days)
    pass_until(6, 10, 13)
    days = [day for _, day, _ in house.entries("earning")]
    assert len(days) == len(set(days)) == 61
