"""Several things at one instant: end beats pause beats change beats renewal."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from subs.service import change
from tests.club import Club
from tests.fakes import DECLINED


@pytest.fixture
def club(club: Club) -> Club:
    """With a plan that may be paused, and a dearer one."""
    club.add_plan("restful", most_pause_days=60)
    club.add_plan("large", price=899)
    return club


def subscribed(club: Club, **how: str) -> UUID:
    return club.subscribe("restful", **how)


def ask(
    club: Club,
    mine: UUID,
    *,
    pause_days: int = 0,
    to: str | None = None,
    is_cancelled: bool = False,
) -> datetime:
    """The member wishes this for the end of what is paid; answers that end."""
    ends_at = club.periods(mine)[-1].ends_at
    if to is not None:
        change.change_plan(
            member_id=club.member_id,
            subscription_id=mine,
            offer_id=club.world.offers[to][0],
            at="end",
            now=club.now,
        )
    if pause_days:
        club.pause(mine, until=(ends_at + timedelta(days=pause_days)).date())
    if is_cancelled:
        club.cancel(mine)
    return ends_at


def test_end_beats_pause_change_and_renewal(club: Club):
    mine = subscribed(club)
    ends_at = ask(club, mine, pause_days=20, is_cancelled=True, to="large")

    club.go_to(ends_at)
    club.renew()

    ended = club.subscription(mine)
    assert (ended.status, ended.ended_at) == ("cancelled", ends_at)
    assert club.causes(mine)[-1] == "cancelled"
    assert club.charges == 0
    assert len(club.periods(mine)) == 1


def test_pause_beats_change_and_renewal_and_both_follow_when_it_is_over(club: Club):
    mine = subscribed(club)
    ends_at = ask(club, mine, pause_days=20, to="large")

    club.go_to(ends_at)
    club.renew()
    paused = club.subscription(mine)
    assert (paused.status, paused.due_at) == ("paused", ends_at + timedelta(days=20))
    assert club.charges == 0
    club.go_to(ends_at + timedelta(days=20))
    club.renew()

    resumed, second = club.subscription(mine), club.periods(mine)[1]
    assert resumed.status == "active"
    assert (resumed.pauses_at, resumed.resumes_at) == (None, None)
    assert (second.price, second.starts_at) == (899, ends_at + timedelta(days=20))
    assert club.causes(mine)[-3:] == ["paused", "changed", "resumed"]


def test_change_beats_renewal(club: Club):
    mine = subscribed(club)
    ends_at = ask(club, mine, to="large")

    club.go_to(ends_at)
    club.renew()

    assert [one.amount for one in club.asked()] == [899]
    assert club.causes(mine)[-2:] == ["changed", "renewed"]


def test_the_calendar_begins_anew_where_a_pause_ends(club: Club):
    mine = subscribed(club)
    ends_at = ask(club, mine, pause_days=20)
    for days in (0, 20):
        club.go_to(ends_at + timedelta(days=days))
        club.renew()

    club.go_to(club.periods(mine)[1].ends_at)
    club.renew()

    _, second, third = club.periods(mine)
    assert (second.starts_at, third.starts_at) == (ends_at + timedelta(days=20), second.ends_at)
    assert second.starts_at.day == second.ends_at.day


def test_a_pause_that_an_outage_swallowed_is_over_at_once(club: Club):
    mine = subscribed(club)
    ends_at = ask(club, mine, pause_days=20)

    club.go_to(ends_at + timedelta(days=25))
    club.renew()

    second = club.periods(mine)[1]
    assert (second.starts_at, second.status) == (ends_at + timedelta(days=20), "paid")
    assert club.causes(mine)[-2:] == ["paused", "resumed"]


def test_a_plan_whose_card_fails_when_its_pause_ends_is_past_due(club: Club):
    mine = subscribed(club, card=DECLINED)
    ends_at = ask(club, mine, pause_days=20)

    for days in (0, 20):
        club.go_to(ends_at + timedelta(days=days))
        club.renew()

    failed = club.subscription(mine)
    assert (failed.status, failed.pauses_at, failed.resumes_at) == ("past_due", None, None)
    assert club.causes(mine)[-2:] == ["paused", "renewal_failed"]
    assert len(club.lots()) == 1


@pytest.mark.parametrize("days", [3, 70])
def test_a_cancelling_is_not_lost_in_an_outage(club: Club, days: int):
    mine = subscribed(club)
    ends_at = ask(club, mine, is_cancelled=True)

    club.go_to(ends_at + timedelta(days=days))
    club.renew()

    assert club.subscription(mine).ended_at == ends_at
    assert club.charges == 0
