from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouchers.expiry_policy import announcements, ends_at, first_due_at, last_day, next_due_at

TAIPEI = "Asia/Taipei"
NOON = datetime(2026, 1, 14, 4, tzinfo=UTC)  # in Taipei

moments = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001  the zone comes with `timezones`
    datetime(2040, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def local(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=ZoneInfo(TAIPEI))


def test_cups_end_at_the_midnight_after_their_last_day() -> None:
    end = ends_at(sold_at=NOON, count=60, unit="day", time_zone=TAIPEI)
    assert end == local(2026, 3, 16)
    assert last_day(end, time_zone=TAIPEI) == date(2026, 3, 15)


@pytest.mark.parametrize(
    ("count", "unit", "last_on"),
    [(1, "day", (2026, 2, 1)), (2, "week", (2026, 2, 14)), (1, "month", (2026, 2, 28)),
     (1, "year", (2027, 1, 31))],
)  # fmt: skip
def test_a_span_is_one_of_the_calendar(
    count: int, unit: str, last_on: tuple[int, int, int]
) -> None:
    sold_at = local(2026, 1, 31, 23, 59)
    end = ends_at(sold_at=sold_at, count=count, unit=unit, time_zone=TAIPEI)
    assert last_day(end, time_zone=TAIPEI) == date(*last_on)


def test_the_day_of_the_sale_is_the_stores() -> None:
    sold_at = datetime(2026, 1, 14, 17, tzinfo=UTC)  # past midnight in Taipei, not in London
    at_home = ends_at(sold_at=sold_at, count=1, unit="day", time_zone="Europe/London")
    here = ends_at(sold_at=sold_at, count=1, unit="day", time_zone=TAIPEI)
    assert last_day(at_home, time_zone="Europe/London") == date(2026, 1, 15)
    assert last_day(here, time_zone=TAIPEI) == date(2026, 1, 16)


def test_the_end_is_announced_30_7_and_1_days_ahead_at_ten() -> None:
    told_at = announcements(sold_at=NOON, ends_at=local(2027, 1, 15), time_zone=TAIPEI)
    assert told_at == [local(2026, 12, 15, 10), local(2027, 1, 7, 10), local(2027, 1, 13, 10)]


@pytest.mark.parametrize(("days", "first"), [(61, 30), (60, 7), (15, 7), (14, 1), (3, 1)])
def test_cups_that_live_short_are_announced_later(days: int, first: int) -> None:
    sold_at = local(2026, 1, 1)
    end = sold_at + timedelta(days=days)
    due_at = first_due_at(sold_at=sold_at, ends_at=end, time_zone=TAIPEI)
    last_on = last_day(end, time_zone=TAIPEI)
    assert due_at.astimezone(ZoneInfo(TAIPEI)).date() == last_on - timedelta(days=first)


def test_what_lives_two_days_only_ends() -> None:
    end = NOON + timedelta(days=2)
    assert first_due_at(sold_at=NOON, ends_at=end, time_zone=TAIPEI) == end


@given(
    st.integers(1_580_000_000, 2_200_000_000).map(lambda stamp: datetime.fromtimestamp(stamp, UTC)),
    st.timedeltas(timedelta(seconds=1), timedelta(days=1_000)),
    st.sampled_from([TAIPEI, "Europe/London", "America/New_York"]),
)
def test_announcements_lie_in_the_life_of_the_cups_in_order(
    sold_at: datetime, lives: timedelta, time_zone: str
) -> None:
    end = sold_at + lives
    told_at = announcements(sold_at=sold_at, ends_at=end, time_zone=time_zone)
    assert told_at == sorted(told_at)
    assert all(sold_at < at < end for at in told_at)
    assert first_due_at(sold_at=sold_at, ends_at=end, time_zone=time_zone) <= end


@given(
    moments,
    st.integers(1, 400),
    st.lists(st.timedeltas(timedelta(minutes=1), timedelta(days=120)), max_size=40),
    st.sampled_from([TAIPEI, "Europe/London", "America/New_York", "America/Havana"]),
)
def test_after_any_outages_each_step_leads_on_to_the_end(
    sold_at: datetime, days: int, outages: list[timedelta], time_zone: str
) -> None:
    """Whenever a worker comes, it does one thing at most, and the next is yet to come."""
    end = ends_at(sold_at=sold_at, count=days, unit="day", time_zone=time_zone)
    life = {"sold_at": sold_at, "ends_at": end, "time_zone": time_zone}
    now, due_at, told = sold_at, first_due_at(**life), []
    for outage in outages:
        now += outage
        if due_at <= now < end:
            told.append(now)
            due_at = next_due_at(**life, now=now)
        assert due_at <= end
        assert due_at > now or due_at == end or now >= end
    announced = announcements(**life)
    for earlier, later in pairwise(told):
        assert any(earlier < at <= later for at in announced)  # never twice of one moment
    assert len(told) <= len(announced) <= 3


@given(
    moments,
    st.integers(1, 400),
    st.sampled_from([TAIPEI, "Europe/London", "Australia/Lord_Howe", "America/Havana"]),
)
def test_without_an_outage_every_announcement_is_made(
    sold_at: datetime, days: int, time_zone: str
) -> None:
    end = ends_at(sold_at=sold_at, count=days, unit="day", time_zone=time_zone)
    life = {"sold_at": sold_at, "ends_at": end, "time_zone": time_zone}
    told, due_at = [], first_due_at(**life)
    while due_at < end:
        told.append(due_at)
        due_at = next_due_at(**life, now=due_at)
    assert told == announcements(**life)
    assert {at.astimezone(ZoneInfo(time_zone)).hour for at in told} <= {10}


@pytest.mark.parametrize(
    ("last_on", "time_zone", "end"),
    [
        (date(2026, 3, 28), "Europe/London", datetime(2026, 3, 29, 0, tzinfo=UTC)),
        (date(2026, 3, 29), "Europe/London", datetime(2026, 3, 29, 23, tzinfo=UTC)),
        (date(2026, 10, 25), "Europe/London", datetime(2026, 10, 26, 0, tzinfo=UTC)),
        (date(2026, 3, 7), "America/Havana", datetime(2026, 3, 8, 5, tzinfo=UTC)),
        (date(2026, 3, 8), "America/Havana", datetime(2026, 3, 9, 4, tzinfo=UTC)),
    ],
)
def test_the_last_day_is_a_whole_one_where_clocks_change(
    last_on: date, time_zone: str, end: datetime
) -> None:
    """In Havana the clocks go forward at midnight, so that this day begins at one."""
    sold_at = datetime.combine(last_on - timedelta(days=9), time(17), UTC)
    assert ends_at(sold_at=sold_at, count=9, unit="day", time_zone=time_zone) == end
    assert last_day(end, time_zone=time_zone) == last_on
