"""Renewals follow the calendar of the member, from the anchor, however late anybody looks."""

from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from tests.club import Club

TAIPEI = ZoneInfo("Asia/Taipei")


def renewed_until(club: Club, mine: UUID, *, periods: int) -> list[datetime]:
    """Renew at each end of a period, a second late; the starts of all periods in Taipei."""
    for _ in range(periods):
        club.go_to(club.periods(mine)[-1].ends_at)
        club.renew()
    return [period.starts_at.astimezone(TAIPEI) for period in club.periods(mine)]


def test_a_plan_of_31_january_renews_on_the_last_days_over_two_years(club: Club):
    club.go_to(datetime(2027, 1, 31, 12, 0, tzinfo=TAIPEI) - timedelta(seconds=1))
    mine = club.subscribe()

    starts = renewed_until(club, mine, periods=24)

    assert [(start.month, start.day) for start in starts[:14]] == [
        (1, 31), (2, 28), (3, 31), (4, 30), (5, 31), (6, 30), (7, 31), (8, 31), (9, 30),
        (10, 31), (11, 30), (12, 31), (1, 31), (2, 29),
    ]  # fmt: skip
    assert [start.day for start in starts[14:]] == [31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31]
    assert {(start.hour, start.minute) for start in starts} == {(12, 0)}
    assert club.charges == 24
    assert len(club.lots()) == 25


def test_a_yearly_plan_of_29_february_renews_on_the_28th_and_again_on_the_29th(club: Club):
    club.add_plan("yearly", every="year")
    club.go_to(datetime(2028, 2, 29, 12, 0, tzinfo=TAIPEI) - timedelta(seconds=1))
    mine = club.subscribe("yearly")

    starts = renewed_until(club, mine, periods=4)

    assert [(start.year, start.month, start.day) for start in starts] == [
        (2028, 2, 29), (2029, 2, 28), (2030, 2, 28), (2031, 2, 28), (2032, 2, 29),
    ]  # fmt: skip


def test_who_signs_up_half_an_hour_after_midnight_on_the_31st_renews_on_the_last_day(club: Club):
    club.go_to(datetime(2026, 1, 31, 0, 30, tzinfo=TAIPEI) - timedelta(seconds=1))
    mine = club.subscribe()

    starts = renewed_until(club, mine, periods=3)

    assert [start.strftime("%m-%d %H:%M") for start in starts] == [
        "01-31 00:30", "02-28 00:30", "03-31 00:30", "04-30 00:30",
    ]  # fmt: skip


@pytest.mark.parametrize(("every", "count", "days"), [("day", 10, 10), ("week", 2, 14)])
def test_a_plan_by_days_or_weeks_keeps_its_step(club: Club, every: str, count: int, days: int):
    club.add_plan("stepping", every=every, every_count=count)
    mine = club.subscribe("stepping")

    starts = renewed_until(club, mine, periods=3)

    assert [b - a for a, b in pairwise(starts)] == [timedelta(days=days)] * 3
