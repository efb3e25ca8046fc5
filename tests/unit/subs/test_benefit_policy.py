from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subs.benefit_policy import (
    Left,
    Terms,
    cups_in,
    good_until,
    grant_time,
    not_carried,
    span_of,
)
from subs.policy import Every, Span

JANUARY = Span(datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 2, 15, tzinfo=UTC))
TERMS = Terms(
    cups=10,
    is_unlimited=False,
    trial_cups=2,
    carry_over="none",
    carry_over_cap=None,
    grace_days=28,
    benefits_in_grace=False,
    grants=None,
)
WEEKLY = Every(1, "week")


@pytest.mark.parametrize(
    ("terms", "number", "cups"),
    [
        (TERMS, 1, 10),
        (TERMS, 0, 2),
        (replace(TERMS, trial_cups=0), 0, 0),
        (replace(TERMS, cups=0), 1, None),
        (replace(TERMS, cups=0, is_unlimited=True), 0, None),
    ],
)
def test_a_period_gives_what_its_terms_say(terms, number, cups):
    assert cups_in(terms, number=number) == cups


def test_a_period_that_is_paid_late_keeps_its_dates():
    assert span_of(JANUARY, paid_at=JANUARY.ends_at - timedelta(seconds=1)) == JANUARY


def test_a_period_that_is_paid_after_its_end_is_good_from_then_on():
    paid_at = datetime(2026, 3, 1, tzinfo=UTC)
    assert span_of(JANUARY, paid_at=paid_at) == Span(paid_at, paid_at + timedelta(days=31))


@pytest.mark.parametrize(
    ("terms", "days_more"),
    [
        (TERMS, 0),
        (replace(TERMS, benefits_in_grace=True), 28),
        (replace(TERMS, carry_over="all"), 28),
        (replace(TERMS, carry_over="capped", carry_over_cap=3), 28),
    ],
)
def test_cups_end_with_their_period_or_with_its_grace(terms, days_more):
    ends_at = good_until(terms, JANUARY, next_grant_at=None)
    assert ends_at == JANUARY.ends_at + timedelta(days=days_more)


def test_cups_that_are_granted_again_end_when_they_are():
    next_at = JANUARY.starts_at + timedelta(days=7)
    assert good_until(TERMS, JANUARY, next_grant_at=next_at) == next_at
    carried = replace(TERMS, carry_over="all")
    assert good_until(carried, JANUARY, next_grant_at=next_at) > JANUARY.ends_at


def test_grants_are_counted_from_the_beginning_of_the_period():
    times = [grant_time(JANUARY, time_zone="UTC", grants=WEEKLY, ordinal=n) for n in range(1, 7)]
    assert times[:5] == [JANUARY.starts_at + timedelta(weeks=n) for n in range(5)]
    assert times[5] is None


CUPS = st.lists(st.builds(Left, st.builds(uuid4), st.integers(1, 20), st.booleans()), max_size=6)


@given(CUPS, st.integers(1, 30))
def test_what_stays_is_within_the_cap_unless_it_is_frozen(left, cap):
    leaving = not_carried(left, cap=cap)
    stays = sum(lot.cups for lot in left) - sum(one.cups for one in leaving)
    frozen = sum(lot.cups for lot in left if lot.is_frozen)
    held = sum(lot.cups for lot in left)
    assert stays == max(min(held, cap), frozen)
    assert all(one.cups > 0 for one in leaving)


@given(CUPS)
def test_without_a_cap_all_stays(left):
    assert not_carried(left, cap=None) == []


def test_the_first_to_end_lapse_first():
    old, new = uuid4(), uuid4()
    leaving = not_carried([Left(old, 3), Left(new, 10)], cap=8)
    assert [(one.lot_id, one.cups) for one in leaving] == [(old, 3), (new, 2)]
