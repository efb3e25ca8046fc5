"""What a change of plan costs and gives, by days."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.money import without_vat
from subs import change_policy as policy
from subs.change_policy import NOTHING, Days, Held, Returnable, Terms

HALF = Days(30, 15)
TEN, TWENTY = Terms(499, 10), Terms(899, 20)
UNLIMITED = Terms(1499, None)
LEFT = Held(6, 285, 14)


def tax(amount: int) -> int:
    return without_vat(amount, basis_points=500).vat


def at(month: int, day: int, hour: int = 4) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def days(now: datetime) -> Days:
    return policy.days_of(starts_at=at(1, 14), ends_at=at(2, 13), now=now, time_zone="Asia/Taipei")


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (at(1, 14), 30),
        (at(1, 29), 15),
        (at(1, 28, 15), 16),
        (at(1, 28, 16), 15),
        (at(2, 12), 1),
        (at(2, 13, 3), 0),
        (at(1, 1), 30),
        (at(3, 1), 0),
    ],
)
def test_days_are_those_of_the_members_calendar_with_today(now: datetime, left: int):
    assert days(now) == Days(30, left)


def test_a_period_within_one_day_is_that_day():
    short = policy.days_of(
        starts_at=at(1, 14, 1), ends_at=at(1, 14, 9), now=at(1, 14, 2), time_zone="UTC"
    )
    assert short.whole == 1


def test_e6_half_of_400_is_charged_and_half_of_ten_cups_come():
    found = policy.prorate(held=LEFT, before=TEN, after=TWENTY, days=HALF, returnable=499)

    assert (found.owed, found.amount) == (200, 200)
    assert (found.moved, found.leaving, found.added, found.arriving) == (6, 0, 5, 11)


def test_a_smaller_plan_gives_back_and_takes_cups():
    held = Held(16, 685, 34)

    found = policy.prorate(held=held, before=TWENTY, after=TEN, days=HALF, returnable=899)

    assert (found.amount, found.moved, found.leaving, found.added) == (-200, 11, 5, 0)


def test_no_more_comes_back_than_is_left_or_was_paid():
    held = Held(2, 86, 4)

    by_what_is_left = policy.prorate(held=held, before=TWENTY, after=TEN, days=HALF, returnable=899)
    by_what_was_paid = policy.prorate(held=held, before=TWENTY, after=TEN, days=HALF, returnable=30)

    assert (by_what_is_left.owed, by_what_is_left.amount) == (-200, -90)
    assert by_what_was_paid.amount == -30


def test_there_are_never_fewer_cups_than_none():
    found = policy.prorate(held=Held(2, 86, 4), before=TWENTY, after=TEN, days=HALF, returnable=899)
    assert (found.moved, found.leaving, found.arriving) == (0, 2, 0)


def test_cups_that_nobody_counts_any_more_leave_and_their_money_stays():
    found = policy.prorate(held=LEFT, before=TEN, after=UNLIMITED, days=HALF, returnable=499)
    assert (found.amount, found.leaving, found.arriving) == (500, 6, 0)


def test_days_become_the_cups_of_the_days_that_are_left():
    held = Held(0, 714, 35)
    found = policy.prorate(held=held, before=UNLIMITED, after=TEN, days=HALF, returnable=1499)
    assert (found.amount, found.arriving) == (-500, 5)


def test_what_was_paid_for_a_change_is_not_decided_again():
    found = policy.prorate(held=LEFT, before=TEN, after=TWENTY, days=HALF, returnable=0, amount=200)
    assert found.amount == 200


@pytest.mark.parametrize(
    ("held", "after", "is_for_nothing"),
    [
        (LEFT, Terms(899, 10), False),
        (NOTHING, Terms(899, 10), True),
        (NOTHING, Terms(899, 20), False),
        (NOTHING, Terms(899, None), False),
        (NOTHING, Terms(499, 10), True),
    ],
)
def test_money_without_a_cup_is_for_nothing(held: Held, after: Terms, *, is_for_nothing: bool):
    found = policy.prorate(held=held, before=TEN, after=after, days=HALF, returnable=499)
    assert policy.is_for_nothing(found, after) is is_for_nothing


def test_a_cancelled_period_brings_back_its_days_and_no_more_than_is_left():
    def rest(held: Held, returnable: int = 499, *, is_counted: bool = True) -> int:
        return policy.rest_of(
            499, held=held, days=HALF, returnable=returnable, is_counted=is_counted
        )

    assert rest(Held(10, 475, 24)) == 250
    assert rest(Held(2, 95, 5)) == 100
    assert rest(Held(10, 475, 24), returnable=120) == 120
    assert rest(Held(0, 240, 12), is_counted=False) == 252


def test_an_amount_stands_for_its_part_of_the_cups():
    assert policy.cups_for(250, Held(10, 475, 24)) == 5
    assert policy.cups_for(499, Held(10, 475, 24)) == 10


def test_the_latest_payment_goes_back_first_and_each_within_its_invoice():
    held = Held(15, 665, 34)
    by = [Returnable(200, 190, 10), Returnable(499, 475, 24)]

    parts = policy.going_back(450, tax=tax, held=held, by=by, cups=10)

    assert [part.gross for part in parts] == [200, 250]
    assert parts[0] == Held(10, 190, 10)
    assert parts[1].cups == 0


money = st.integers(0, 3_000)


def invoiced(left: int, gross: int) -> Returnable:
    net, vat = without_vat(gross, basis_points=500)
    return Returnable(min(left, gross), net, vat)


@given(
    amount=money,
    held=st.builds(lambda cups, gross: Held(cups, *without_vat(gross, basis_points=500)),
                   st.integers(1, 30), money),
    by=st.lists(st.builds(invoiced, money, money), min_size=1, max_size=4),
    cups=st.integers(0, 30),
)  # fmt: skip
def test_what_goes_back_adds_up_and_takes_no_more_than_there_is(
    amount: int, held: Held, by: list[Returnable], cups: int
):
    parts = policy.going_back(amount, tax=tax, held=held, by=by, cups=cups)

    together = policy.total(parts)
    most = min(amount, held.gross, sum(one.left for one in by))
    assert most - 4 <= together.gross <= most
    assert together.net <= held.net
    assert together.vat <= held.vat
    for part, one in zip(parts, by, strict=True):
        assert 0 <= part.net <= one.net
        assert 0 <= part.vat <= one.vat
        assert part.gross <= one.left
    assert together.cups == (cups if together.gross else 0)


@given(
    lots=st.lists(st.builds(Held, st.integers(0, 9), money, money), min_size=1, max_size=4),
    wanted=st.builds(Held, st.integers(0, 9), money, money),
)
def test_what_is_drawn_out_of_lots_is_there(lots: list[Held], wanted: Held):
    drawn = policy.draw(wanted, lots)

    for lot, part in zip(lots, drawn, strict=True):
        rest = lot.less(part)
        assert min(rest.cups, rest.net, rest.vat) >= 0
    whole, taken = policy.total(lots), policy.total(drawn)
    assert taken.net == min(wanted.net, whole.net)
    assert taken.vat == min(wanted.vat, whole.vat)
    assert taken.cups == min(wanted.cups, whole.cups)


@given(price=money, left=st.integers(0, 31), whole=st.integers(1, 31), other=money)
def test_there_and_back_on_one_day_costs_nothing(price: int, left: int, whole: int, other: int):
    days = Days(whole, min(left, whole))
    assert policy.share(other - price, days) == -policy.share(price - other, days)
    assert abs(policy.share(price, days)) <= price
