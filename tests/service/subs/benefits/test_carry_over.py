"""Unused cups go along into the next period, as far as the terms say; the others lapse."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from kernel.db import db
from kernel.transaction import transaction
from subs.models import Subscription, SubscriptionEvent
from subs.service.benefits import grant_all
from subs.service.closing import close_all
from tests.service.subs.benefits.house import House, at
from vouchers.service.expiry import expire_some

JANUARY = (at(1, 15), at(2, 15))
FEBRUARY = (at(2, 15), at(3, 15))
MARCH = (at(3, 15), at(4, 15))
GRACE = timedelta(days=28)


def two_periods(house: House, *, used: int = 0, paid_at: Any = None, **terms: Any) -> None:
    """January is paid and so many of its cups are used; then February is paid."""
    house.add_plan(**terms)
    mine = house.subscribe(begins_at=JANUARY[0])
    house.pay(mine, 1, *JANUARY)
    if used:
        house.world.take(house.world.add_till("W"), house.member_id, used, now=at(1, 20))
    house.pay(mine, 2, *FEBRUARY, paid_at=paid_at)


def left(house: House) -> list[tuple[int, object]]:
    """What is left of each lot, and when it ends."""
    return [(lot.units - lot.used, lot.ends_at) for lot in house.lots()]


def remarks() -> list[dict[str, Any]]:
    said = select(SubscriptionEvent.facts).where(SubscriptionEvent.cause == "carried_over")
    with transaction():
        return list(db.session.scalars(said.order_by(SubscriptionEvent.id)))


def expire(house: House, *moment: int) -> None:
    with transaction():
        expire_some(limit=100, now=at(*moment))


def test_without_carry_over_each_period_ends_by_itself(house):
    two_periods(house, used=3)
    assert left(house) == [(7, JANUARY[1]), (10, FEBRUARY[1])]
    expire(house, 2, 15, 13)
    assert house.entries("lapse") == [("lapse", date(2026, 2, 15), [("2132", "4113", 332, 7)])]


def test_all_unused_cups_go_along(house):
    two_periods(house, used=3, carry_over="all")
    assert left(house) == [(7, FEBRUARY[1] + GRACE), (10, FEBRUARY[1] + GRACE)]
    assert remarks() == [{"period": 2, "cups": 7, "lapsed": 0}]
    assert house.entries("lapse") == []


def test_what_is_over_the_cap_lapses_with_its_money(house):
    two_periods(house, used=3, carry_over="capped", carry_over_cap=5)
    assert left(house) == [(5, FEBRUARY[1] + GRACE), (10, FEBRUARY[1] + GRACE)]
    assert remarks() == [{"period": 2, "cups": 5, "lapsed": 2}]
    assert house.entries("lapse") == [("lapse", date(2026, 2, 15), [("2132", "4113", 95, 2)])]


def test_the_cap_is_of_what_was_carried_before_too_and_the_oldest_lapse(house):
    two_periods(house, used=6, carry_over="capped", carry_over_cap=5)
    (mine,) = {lot.subscription_id for lot in house.lots()}
    house.pay(mine, 3, *MARCH)
    assert [cups for cups, _ in left(house)] == [0, 5, 10]
    assert remarks()[1] == {"period": 3, "cups": 5, "lapsed": 9}


def test_cups_wait_for_a_renewal_that_comes_late(house):
    two_periods(house, used=3, carry_over="all", paid_at=at(2, 25))
    expire(house, 2, 26)
    assert left(house)[0] == (7, FEBRUARY[1] + GRACE)


def test_cups_that_were_to_be_carried_lapse_when_the_plan_does(house):
    house.add_plan(carry_over="all")
    house.pay(house.subscribe(begins_at=JANUARY[0]), 1, *JANUARY)
    expire(house, 3, 15, 13)
    assert house.entries("lapse") == [("lapse", date(2026, 3, 15), [("2132", "4113", 475, 10)])]


def test_a_plan_that_ends_takes_its_cups_along(house):
    house.add_plan(carry_over="all")
    mine = house.subscribe(begins_at=JANUARY[0])
    house.pay(mine, 1, *JANUARY)
    with transaction():
        close_all({db.session.get_one(Subscription, mine): JANUARY[1]})
    expire(house, 2, 15, 13)
    assert house.entries("lapse")[0][:2] == ("lapse", date(2026, 2, 15))


def test_in_grace_the_last_cups_stay_good(house):
    house.add_plan(benefits_in_grace=True)
    house.pay(house.subscribe(begins_at=JANUARY[0]), 1, *JANUARY)
    expire(house, 2, 20)
    assert left(house) == [(10, JANUARY[1] + GRACE)]
    taken = house.world.take(house.world.add_till("A"), house.member_id, 1, now=at(2, 20))
    assert taken.cups == 1


@pytest.mark.parametrize("paid_at", [at(2, 15), at(2, 18)])
def test_what_was_good_in_grace_ends_when_the_next_period_is_granted(house, paid_at):
    two_periods(house, used=3, benefits_in_grace=True, paid_at=paid_at)
    assert left(house)[0] == (7, paid_at)
    expire(house, 2, 18, 13)
    assert house.entries("lapse")[0][1] == paid_at.date()


def test_frozen_cups_are_carried_and_do_not_lapse(house):
    house.add_plan(carry_over="capped", carry_over_cap=4)
    mine = house.subscribe(begins_at=JANUARY[0])
    house.pay(mine, 1, *JANUARY)
    house.freeze(house.lots()[0].id, at(2, 1))
    house.pay(mine, 2, *FEBRUARY)
    assert [cups for cups, _ in left(house)] == [10, 10]


def test_cups_of_another_subscription_are_left_alone(house):
    house.add_plan(carry_over="capped", carry_over_cap=1)
    house.pay(house.subscribe(begins_at=JANUARY[0]), 1, *JANUARY)
    other = house.subscribe(begins_at=JANUARY[0])
    house.pay(other, 1, *JANUARY)
    house.pay(other, 2, *FEBRUARY)
    assert sorted(cups for cups, _ in left(house)) == [1, 10, 10]


def test_lapses_of_a_set_are_booked_for_each_member(house):
    house.add_plan(carry_over="capped", carry_over_cap=1)
    members = [house.member_id, house.world.add_member()]
    begun = []
    for member_id in members:
        house.member_id = member_id
        begun.append(house.subscribe(begins_at=JANUARY[0]))
        house.pay(begun[-1], 1, *JANUARY)
    with transaction():
        grant_all([house.settled(mine, 2, *FEBRUARY) for mine in begun], now=FEBRUARY[0])
    assert [lines[0][3] for _, _, lines in house.entries("lapse")] == [9, 9]
