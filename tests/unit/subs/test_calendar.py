"""Periods are anchor + n × interval on the member's own calendar."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subs.policy import Every, Span, moment, next_renewal_at, period_span, today_of

TAIPEI = "Asia/Taipei"
MONTHLY = Every(1, "month")
ZONES = st.sampled_from(
    [TAIPEI, "America/New_York", "Europe/London", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]
)
INTERVALS = st.builds(Every, st.integers(1, 24), st.sampled_from(["day", "week", "month", "year"]))
ANCHORS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def local_starts(anchor: datetime, every: Every, count: int) -> list[date]:
    zone = anchor.tzinfo
    assert isinstance(zone, ZoneInfo)
    spans = [
        period_span(anchor_at=anchor, time_zone=zone.key, every=every, number=number)
        for number in range(1, count + 1)
    ]
    return [span.starts_at.astimezone(zone).date() for span in spans]


def test_a_plan_of_31_january_keeps_its_day_over_two_years():
    anchor = datetime(2027, 1, 31, 15, 0, tzinfo=ZoneInfo(TAIPEI))

    days = local_starts(anchor, MONTHLY, 25)

    year = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    leap = [31, 29, *year[2:]]
    assert [day.day for day in days] == [*year, *leap, 31]
    assert [day.month for day in days] == [*range(1, 13), *range(1, 13), 1]


def test_a_yearly_plan_of_29_february_comes_back_to_it():
    anchor = datetime(2024, 2, 29, 9, 0, tzinfo=ZoneInfo(TAIPEI))

    days = local_starts(anchor, Every(1, "year"), 5)

    assert days == [
        date(2024, 2, 29),
        date(2025, 2, 28),
        date(2026, 2, 28),
        date(2027, 2, 28),
        date(2028, 2, 29),
    ]


def test_a_sign_up_half_an_hour_into_the_31st_in_taipei_is_of_the_31st():
    anchor = datetime(2026, 1, 30, 16, 30, tzinfo=UTC)

    span = period_span(anchor_at=anchor, time_zone=TAIPEI, every=MONTHLY, number=2)

    assert span == Span(
        datetime(2026, 2, 27, 16, 30, tzinfo=UTC), datetime(2026, 3, 30, 16, 30, tzinfo=UTC)
    )


def test_daylight_saving_moves_the_instant_and_not_the_clock():
    anchor = datetime(2026, 2, 10, 12, 0, tzinfo=ZoneInfo("America/New_York"))

    span = period_span(anchor_at=anchor, time_zone="America/New_York", every=MONTHLY, number=1)

    assert span.ends_at == datetime(2026, 3, 10, 16, 0, tzinfo=UTC)
    assert span.ends_at - span.starts_at == timedelta(days=28, hours=-1)


def test_a_clock_that_skips_the_hour_gives_the_instant_before_the_move():
    anchor = datetime(2026, 2, 8, 2, 30, tzinfo=ZoneInfo("America/New_York"))

    span = period_span(anchor_at=anchor, time_zone="America/New_York", every=MONTHLY, number=2)

    assert span.starts_at == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


def test_an_anchor_in_the_repeated_hour_is_where_period_one_starts():
    anchor = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)  # the second 01:30 of that night

    span = period_span(anchor_at=anchor, time_zone="America/New_York", every=MONTHLY, number=1)

    assert span.starts_at == anchor


@given(anchor=ANCHORS, zone=ZONES, every=INTERVALS, number=st.integers(1, 60))
def test_periods_touch_and_begin_at_the_anchor(
    anchor: datetime, zone: str, every: Every, number: int
):
    spans = [
        period_span(anchor_at=anchor, time_zone=zone, every=every, number=n)
        for n in (1, number, number + 1)
    ]

    assert spans[0].starts_at == anchor
    assert spans[1].ends_at == spans[2].starts_at
    assert spans[1].ends_at > spans[1].starts_at


@given(anchor=ANCHORS, zone=ZONES, count=st.integers(1, 12), number=st.integers(1, 60))
def test_a_monthly_period_starts_on_the_anchor_day_or_the_last_of_its_month(
    anchor: datetime, zone: str, count: int, number: int
):
    span = period_span(anchor_at=anchor, time_zone=zone, every=Every(count, "month"), number=number)

    wanted = anchor.astimezone(ZoneInfo(zone)).day
    found = span.starts_at.astimezone(ZoneInfo(zone))
    is_last_of_month = (found + timedelta(days=1)).day == 1
    assert found.day == wanted or (found.day < wanted and is_last_of_month)


def test_a_renewal_in_time_is_next_due_at_its_end():
    ends_at = datetime(2026, 2, 28, 7, 0, tzinfo=UTC)

    due_at = next_renewal_at(
        ends_at=ends_at, charged_at=datetime(2026, 1, 31, 7, 0, 5, tzinfo=UTC), time_zone=TAIPEI
    )

    assert due_at == ends_at


@given(charged_at=ANCHORS, late=st.timedeltas(timedelta(0), timedelta(days=99)), zone=ZONES)
def test_catching_up_charges_on_the_next_calendar_day_at_the_earliest(
    charged_at: datetime, late: timedelta, zone: str
):
    due_at = next_renewal_at(ends_at=charged_at - late, charged_at=charged_at, time_zone=zone)

    day = charged_at.astimezone(ZoneInfo(zone)).date()
    assert due_at.astimezone(ZoneInfo(zone)).date() == day + timedelta(days=1)
    assert due_at > charged_at


@pytest.mark.parametrize("unit", ["fortnight", "months", ""])
def test_an_unknown_unit_is_a_bug(unit: str):
    with pytest.raises(KeyError):
        Every(1, unit).after(date(2026, 1, 31), 1)


@given(anchor=ANCHORS, zone=ZONES, every=INTERVALS, number=st.integers(0, 60))
def test_the_anchor_is_where_the_period_with_its_number_begins(
    anchor: datetime, zone: str, every: Every, number: int
):
    span = period_span(
        anchor_at=anchor, anchor_number=number, time_zone=zone, every=every, number=number
    )

    assert span.starts_at == anchor


@given(ANCHORS, ZONES, st.timedeltas(timedelta(), timedelta(days=800)))
def test_the_day_that_a_daily_plan_goes_on_with_is_one_of_its_own_that_now_is_in(
    anchor: datetime, zone: str, behind: timedelta
):
    now = anchor + behind

    today = today_of(anchor, every=Every(1, "day"), time_zone=zone, now=now)

    until = moment(today, time_zone=zone, every=Every(1, "day"), times=1)
    assert today <= now < until
    assert abs((today - anchor) % timedelta(days=1) - timedelta(hours=12)) >= timedelta(hours=9)


def test_plans_with_longer_periods_go_on_where_they_were():
    anchor = datetime(2026, 1, 31, 4, tzinfo=UTC)
    for every in (Every(2, "day"), Every(1, "week"), MONTHLY):
        now = anchor + timedelta(days=400)
        assert today_of(anchor, every=every, time_zone=TAIPEI, now=now) == anchor
