from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from ledger.policy import earned
from vouchers.earning_policy import Days, days_of, end_of_day, first_due_at

TAIPEI = "Asia/Taipei"
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  the strategy wants them bare
ZONES = st.sampled_from([TAIPEI, "UTC", "Europe/London", "America/New_York"])


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 4, day, hour, tzinfo=ZoneInfo(TAIPEI))


def test_a_period_counts_the_day_it_begins_on_and_not_the_one_it_ends_on():
    days = days_of(starts_at=at(10), ends_at=at(20), time_zone=TAIPEI)
    assert days == Days(date(2026, 4, 10), 10)


def test_a_period_within_one_day_is_that_day():
    assert days_of(starts_at=at(10, 8), ends_at=at(10, 20), time_zone=TAIPEI).count == 1


@given(st.lists(MOMENTS, min_size=3, max_size=3, unique=True).map(sorted), ZONES)
def test_periods_that_follow_one_another_share_no_day_and_leave_none_out(edges, zone):
    first, second = (
        days_of(starts_at=begins, ends_at=ends, time_zone=zone) for begins, ends in pairwise(edges)
    )
    if edges[1].astimezone(ZoneInfo(zone)).date() > first.from_on:
        assert first.from_on + timedelta(days=first.count) == second.from_on


@given(st.integers(0, 10**9), st.integers(1, 400))
def test_all_days_together_earn_all_of_the_money(net, days):
    parts = [
        earned(net=net, days=days, passed=n) - earned(net=net, days=days, passed=n - 1)
        for n in range(1, days + 1)
    ]
    assert sum(parts) == net
    assert max(parts) - min(parts) <= 1


def test_the_first_day_is_due_at_its_end():
    days = Days(date(2026, 4, 10), 10)
    due_at = first_due_at(days, sold_at=at(10), ends_at=at(20), time_zone=TAIPEI, is_free=False)
    assert due_at == at(11, 0) == end_of_day(date(2026, 4, 10), time_zone=TAIPEI)


def test_nothing_is_due_before_its_sale():
    days = Days(date(2026, 4, 10), 10)
    due_at = first_due_at(days, sold_at=at(13), ends_at=at(20), time_zone=TAIPEI, is_free=False)
    assert due_at == at(14, 0)


def test_nothing_is_due_after_its_end():
    days = Days(date(2026, 4, 10), 1)
    ends_at = at(10, 20)
    assert first_due_at(
        days, sold_at=at(10), ends_at=ends_at, time_zone=TAIPEI, is_free=False
    ) == ends_at  # fmt: skip


def test_what_is_free_is_due_at_its_end():
    days = Days(date(2026, 4, 10), 10)
    assert first_due_at(
        days, sold_at=at(10), ends_at=at(20), time_zone=TAIPEI, is_free=True
    ) == at(20)  # fmt: skip
