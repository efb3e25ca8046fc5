"""From when until when a plan may rest."""

from datetime import UTC, date, datetime, timedelta

import pytest

from subs.pause_policy import Offered, offered

NOON = datetime(2026, 2, 14, 4, tzinfo=UTC)
BEFORE = NOON - timedelta(days=20)


def in_taipei(
    *, most_days: int = 30, now: datetime = BEFORE, paid_until: datetime = NOON
) -> Offered:
    return offered(paid_until=paid_until, now=now, time_zone="Asia/Taipei", most_days=most_days)


def test_a_pause_begins_where_what_is_paid_ends():
    assert in_taipei().begins_at == NOON


def test_it_begins_now_where_that_end_has_passed():
    late = NOON + timedelta(days=3)

    assert in_taipei(now=late).begins_at == late


def test_it_lasts_a_day_at_least_and_the_days_of_the_plan_at_most():
    found = in_taipei(most_days=30)

    assert (found.first_on, found.last_on) == (date(2026, 2, 15), date(2026, 3, 16))
    assert [found.has(date(2026, 2, day)) for day in (14, 15)] == [False, True]
    assert [found.has(date(2026, 3, day)) for day in (16, 17)] == [True, False]


def test_none_is_offered_where_the_plan_has_none():
    found = in_taipei(most_days=0)

    assert not any(found.has(date(2026, 2, day)) for day in range(1, 29))


def test_days_are_those_of_the_member():
    evening = datetime(2026, 2, 14, 16, 30, tzinfo=UTC)  # half past midnight in Taipei

    assert in_taipei(paid_until=evening).first_on == date(2026, 2, 16)


@pytest.mark.parametrize(
    ("until", "utc_hour"),
    [(date(2026, 3, 28), 11), (date(2026, 3, 29), 10), (date(2026, 10, 25), 11)],
)
def test_it_goes_on_at_the_same_time_of_day_across_summer_time(until: date, utc_hour: int):
    begins_at = datetime(2026, 3, 20, 11, tzinfo=UTC)
    found = offered(paid_until=begins_at, now=BEFORE, time_zone="Europe/Paris", most_days=366)

    resumes_at = found.resumes_at(until)

    assert (resumes_at.hour, resumes_at.minute) == (utc_hour, 0)
    assert resumes_at.date() == until
