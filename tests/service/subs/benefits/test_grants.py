"""A free membership grants its cups several times in a period (a size upgrade every week)."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from kernel.db import db
from kernel.transaction import transaction
from subs.models import Period, Subscription
from subs.service.granting_again import grant_some
from tests.service.subs.benefits.house import House, at

JANUARY = (at(1, 15), at(2, 15))
WEEKS = [at(1, 15), at(1, 22), at(1, 29), at(2, 5), at(2, 12)]


@pytest.fixture
def weekly(house: House) -> House:
    house.add_plan("card", price=0, cups=1, grant_count=1, grant_unit="week")
    house.pay(house.subscribe("card", begins_at=JANUARY[0]), 1, *JANUARY)
    return house


def grant_at(*moment: int) -> int:
    with transaction():
        return grant_some(limit=10, now=at(*moment))


def next_grant_at() -> object:
    with transaction():
        return db.session.scalar(select(Period.grant_at))


def ends(house: House) -> list[object]:
    return [lot.ends_at for lot in house.lots()]


def test_the_first_cup_comes_with_the_period_and_ends_with_the_next(weekly):
    (lot,) = weekly.lots()
    assert (lot.units, lot.net, lot.ends_at) == (1, 0, WEEKS[1])
    assert next_grant_at() == WEEKS[1]


def test_the_next_one_is_granted_when_it_is_time(weekly):
    assert grant_at(1, 22, 11) == 0
    assert grant_at(1, 22, 12) == 1
    assert [lot.ordinal for lot in weekly.lots()] == [1, 2]
    assert (ends(weekly)[1], next_grant_at()) == (WEEKS[2], WEEKS[2])


def test_it_is_granted_once(weekly):
    grant_at(1, 22, 13)
    assert grant_at(1, 22, 14) == 0
    assert len(weekly.lots()) == 2


def test_the_last_one_ends_with_the_period(weekly):
    for week in WEEKS[1:]:
        grant_at(week.month, week.day, 13)
    assert ends(weekly) == [*WEEKS[1:], JANUARY[1]]
    assert next_grant_at() is None


def test_a_grant_that_nobody_worked_for_is_left_out_if_it_has_ended(weekly):
    grant_at(2, 6)
    assert [lot.ordinal for lot in weekly.lots()] == [1, 4]
    assert next_grant_at() == WEEKS[4]


def test_with_carry_over_none_is_lost(house):
    house.add_plan("card", price=0, cups=1, grant_count=1, grant_unit="week", carry_over="all")
    house.pay(house.subscribe("card", begins_at=JANUARY[0]), 1, *JANUARY)
    grant_at(2, 6)
    assert [lot.ordinal for lot in house.lots()] == [1, 2, 3, 4]
    assert set(ends(house)) == {JANUARY[1] + timedelta(days=28)}


def test_a_plan_that_has_ended_grants_nothing_more(weekly):
    with transaction():
        ended = db.session.scalars(select(Subscription)).one()
        ended.status, ended.due_at, ended.ended_at = "cancelled", None, at(1, 20)
    grant_at(1, 22, 13)
    assert len(weekly.lots()) == 1
    assert next_grant_at() is None


def test_what_costs_nothing_creates_no_liability(weekly):
    grant_at(1, 22, 13)
    amounts = [line[2] for _, _, lines in weekly.entries("sale") for line in lines]
    assert amounts == [0, 0]
