"""A message every morning of a paid period, to who asked for one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from kernel import outbox
from kernel.db import db
from kernel.errors import NotFound
from kernel.outbox import Outbox
from kernel.transaction import transaction
from subs import SubscriptionEnded, plan_jobs
from subs.plan_notices import DAILY, DAILY_UNCOUNTED
from subs.service import daily
from subs.service.change import change_plan
from tests.club import Club
from tests.fakes import DECLINED
from tests.together import together

MORNING = datetime(2026, 1, 15, 1, tzinfo=UTC)
"""Nine o'clock in Taipei, on the day after the sale."""


def ask(club: Club, subscription_id: Any, *, is_wanted: bool = True) -> datetime | None:
    with transaction():
        asked = daily.ask_for_daily(
            member_id=club.member_id,
            subscription_id=subscription_id,
            is_wanted=is_wanted,
            now=club.now,
        )
        return asked.tells_at


def told(club: Club) -> list[tuple[str, int]]:
    """Which notice was promised each day, and how many cups it tells of."""
    notice = Outbox.facts["notice"].astext
    with transaction():
        rows = db.session.scalars(
            select(Outbox.facts)
            .where(notice.in_([DAILY.name, DAILY_UNCOUNTED.name]))
            .order_by(Outbox.created_at)
        )
        return [(one["notice"], one["facts"]["left"]["count"]) for one in rows]


def test_it_is_told_every_morning_of_the_period_what_is_left(club: Club):
    mine = club.subscribe()
    assert ask(club, mine) == MORNING
    last_day = club.periods(mine)[0].ends_at

    days = 0
    while club.now + timedelta(days=1) < last_day:
        club.go_to(MORNING + timedelta(days=days))
        plan_jobs.tell_daily()
        days += 1

    assert days == 31  # from 15 January to 14 February, the day on which it ends at noon
    assert told(club) == [(DAILY.name, 10)] * 31


def test_it_tells_of_the_cups_that_are_left(club: Club):
    mine = club.subscribe()
    ask(club, mine)
    club.world.take(club.world.add_till("A"), club.member_id, 4, now=club.now)

    club.go_to(MORNING)
    plan_jobs.tell_daily()
    outbox.send_notices()

    assert told(club) == [(DAILY.name, 6)]


def test_a_day_has_one_message_whoever_looks_and_however_late(club: Club, app):
    mine = club.subscribe()
    ask(club, mine)
    club.go_to(MORNING + timedelta(days=3))

    together(app, [lambda: daily.tell_some(limit=10, now=club.now)] * 4)
    plan_jobs.tell_daily()

    assert len(told(club)) == 1
    assert club.subscription(mine).tells_at == MORNING + timedelta(days=4)


def test_who_is_past_due_hears_nothing_until_the_plan_is_paid(club: Club):
    mine = club.subscribe(card=DECLINED)
    ask(club, mine)
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()
    club.pass_time(days=1)

    plan_jobs.tell_daily()

    assert told(club) == []
    assert club.subscription(mine).status == "past_due"


def test_who_wants_no_more_gets_none(club: Club):
    mine = club.subscribe()
    ask(club, mine)

    assert ask(club, mine, is_wanted=False) is None
    club.go_to(MORNING)
    plan_jobs.tell_daily()

    assert told(club) == []


def test_asking_again_changes_nothing(club: Club):
    mine = club.subscribe()
    first = ask(club, mine)
    club.pass_time(hours=1)

    assert ask(club, mine) == first


def test_a_plan_that_is_not_counted_tells_of_no_cups(club: Club):
    club.add_plan("open", cups=0, is_unlimited=True)
    mine = club.subscribe("open")
    ask(club, mine)

    club.go_to(MORNING)
    plan_jobs.tell_daily()

    assert [notice for notice, _ in told(club)] == [DAILY_UNCOUNTED.name]


def test_a_plan_that_was_changed_for_an_uncounted_one_tells_of_no_cups(club: Club):
    club.add_plan("open", price=899, cups=0, is_unlimited=True)
    mine = club.subscribe()
    ask(club, mine)
    change_plan(
        member_id=club.member_id,
        subscription_id=mine,
        offer_id=club.world.offers["open"][0],
        at="now",
        now=club.now,
    )

    club.go_to(MORNING)
    outbox.drain()
    plan_jobs.tell_daily()

    assert [notice for notice, _ in told(club)] == [DAILY_UNCOUNTED.name]


def test_who_has_collected_all_hears_nothing(club: Club):
    mine = club.subscribe()
    ask(club, mine)
    club.world.take(club.world.add_till("A"), club.member_id, 10, now=club.now)

    club.go_to(MORNING)
    plan_jobs.tell_daily()

    assert told(club) == []


def test_somebody_elses_plan_and_one_that_is_over_are_refused(club: Club):
    mine = club.subscribe()
    with pytest.raises(NotFound), transaction():
        daily.ask_for_daily(
            member_id=club.world.add_member(), subscription_id=mine, is_wanted=True, now=club.now
        )
    club.cancel(mine)
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()

    with pytest.raises(SubscriptionEnded):
        ask(club, mine)


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (datetime(2026, 1, 14, 4, tzinfo=UTC), MORNING),
        (datetime(2026, 1, 15, 0, 59, 59, tzinfo=UTC), MORNING),
        (MORNING, MORNING + timedelta(days=1)),
    ],
)
def test_the_next_morning_is_nine_oclock_where_the_member_is(now: datetime, then: datetime):
    assert daily.next_morning(now, time_zone="Asia/Taipei") == then


def test_a_morning_stays_nine_oclock_when_the_clocks_change():
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)

    assert daily.next_morning(before, time_zone="Europe/London") == datetime(
        2026, 3, 29, 8, tzinfo=UTC
    )
