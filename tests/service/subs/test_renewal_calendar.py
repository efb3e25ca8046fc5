"""Renewals follow the calendar of the member, from the anchor, however late anybody looks."""

from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from kernel.db import db
from kernel.transaction import transaction
from members.models import Member
from tests.club import Club

TAIPEI, NEW_YORK = ZoneInfo("Asia/Taipei"), ZoneInfo("America/New_York")


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


def test_a_member_elsewhere_is_renewed_by_the_clock_on_their_own_wall(club: Club):
    with transaction():
        db.session.get_one(Member, club.member_id).time_zone = NEW_YORK.key
    club.go_to(datetime(2026, 1, 30, 23, 30, tzinfo=NEW_YORK) - timedelta(seconds=1))
    mine = club.subscribe()

    renewed_until(club, mine, periods=3)

    starts = [period.starts_at.astimezone(NEW_YORK) for period in club.periods(mine)]
    assert [start.strftime("%m-%d %H:%M") for start in starts] == [
        "01-30 23:30", "02-28 23:30", "03-30 23:30", "04-30 23:30",
    ]  # fmt: skip
    assert [start.utcoffset() for start in starts[1:3]] == [
        timedelta(hours=-5),
        timedelta(hours=-4),
    ]


@pytest.mark.parametrize(("every", "count", "days"), [("day", 10, 10), ("week", 2, 14)])
def test_a_plan_by_days_or_weeks_keeps_its_step(club: Club, every: str, count: int, days: int):
    club.add_plan("stepping", every=every, every_count=count)
    mine = club.subscribe("stepping")

    starts = renewed_until(club, mine, periods=3)

    assert [b - a for a, b in pairwise(starts)] == [timedelta(days=days)] * 3


def test_a_daily_plan_lets_the_days_of_an_outage_go_and_is_up_to_date_at_once(club: Club):
    club.add_plan("daily", every="day", price=60, cups=2)
    mine = club.subscribe("daily", price=60)
    (first,) = club.periods(mine)
    club.go_to(first.ends_at + timedelta(days=70, hours=1))

    for _ in range(3):
        club.renew()

    (_, second) = club.periods(mine)
    assert second.starts_at == first.ends_at + timedelta(days=70)
    assert (second.number, second.status) == (2, "paid")
    assert club.charges == 1
    assert club.causes(mine) == ["started", "days_let_go", "renewed"]
    (lot,) = [lot for lot in club.lots() if lot.source_id == second.id]
    assert lot.ends_at == second.ends_at
    starts = renewed_until(club, mine, periods=2)
    assert [start - starts[1] for start in starts[2:]] == [timedelta(days=1), timedelta(days=2)]


def test_a_daily_plan_that_is_late_by_hours_loses_no_day(club: Club):
    club.add_plan("daily", every="day", price=60, cups=2)
    mine = club.subscribe("daily", price=60)
    club.go_to(club.periods(mine)[0].ends_at + timedelta(hours=20))

    club.renew()

    first, second = club.periods(mine)
    assert second.starts_at == first.ends_at
    assert "days_let_go" not in club.causes(mine)


def test_a_plan_of_two_days_is_charged_for_each_period_that_was_missed(club: Club):
    club.add_plan("second", every="day", every_count=2, price=60, cups=2)
    mine = club.subscribe("second", price=60)
    first = club.periods(mine)[0]
    club.go_to(first.ends_at + timedelta(days=5))

    for _ in range(5):
        club.renew()
        club.pass_time(days=1)

    assert [one.starts_at for one in club.periods(mine)] == [
        first.starts_at + timedelta(days=2 * number) for number in range(6)
    ]
