"""Cancelling, pausing and renewing at one moment: whoever has the row first decides for all."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from kernel.errors import Refusal
from kernel.transaction import transaction
from subs import RenewalUnderWay, cancel, jobs, keep, pause, resume
from tests.club import Club
from tests.together import together

RACES = 5


@pytest.fixture
def resting(club: Club) -> Club:
    club.add_plan("restful", most_pause_days=60)
    return club


def committed(work: Callable[..., Any], **how: Any) -> Callable[[], Any]:
    """A verb in a transaction of its own; a refusal is its answer."""

    def run() -> Any:
        with transaction():
            return work(**how)

    return run


def own(club: Club, mine: UUID) -> dict[str, Any]:
    return {"member_id": club.member_id, "subscription_id": mine, "now": club.now}


def due(club: Club) -> UUID:
    mine = club.subscribe("restful")
    club.go_to(club.periods(mine)[0].ends_at)
    return mine


def test_a_cancelling_and_a_renewal_leave_either_an_end_or_a_paid_period(resting: Club, app: Flask):
    for _ in range(RACES):
        mine, before = due(resting), resting.charges
        stop = committed(cancel, **own(resting, mine))

        together(app, [stop, jobs.renew_due], in_transactions=False)
        resting.renew()

        left, periods = resting.subscription(mine), resting.periods(mine)
        charged = resting.charges - before
        assert (left.status, len(periods), charged) in {("cancelled", 1, 0), ("active", 2, 1)}
        assert left.cancel_at_end
        assert all(period.status == "paid" for period in periods)
        if left.ended_at is None:
            resting.cancel(mine, at="now")


def test_a_cancelling_at_once_and_a_renewal_leave_no_money_of_an_ended_plan(
    resting: Club, app: Flask
):
    for _ in range(RACES):
        mine, charged, returned = due(resting), resting.charges, len(resting.returned())
        stop = committed(cancel, at="now", **own(resting, mine))

        together(app, [stop, jobs.renew_due], in_transactions=False)
        resting.renew()

        periods = resting.periods(mine)
        assert resting.subscription(mine).status == "cancelled"
        kept = sum(period.status == "paid" for period in periods) - 1
        back = len(resting.returned()) - returned
        assert resting.charges - charged - back == kept


def test_a_pause_and_a_renewal_leave_either_a_rest_or_a_paid_period(resting: Club, app: Flask):
    for _ in range(RACES):
        mine, before = due(resting), resting.charges
        until = date(resting.now.year, resting.now.month, 28)
        rest = committed(pause, until=until, **own(resting, mine))

        answers = together(app, [rest, jobs.renew_due], in_transactions=False)
        resting.renew()

        left, charged = resting.subscription(mine), resting.charges - before
        is_refused = isinstance(answers[0], RenewalUnderWay)
        assert (left.status, charged) in {("paused", 0), ("active", 1)}
        assert isinstance(answers[0], Refusal) == is_refused
        if is_refused:
            assert (left.status, left.pauses_at) == ("active", None)
        resting.cancel(mine, at="now")


def test_a_cancelling_a_pause_and_a_renewal_end_as_one_of_them(resting: Club, app: Flask):
    for _ in range(RACES):
        mine, before = due(resting), resting.charges
        until = date(resting.now.year, resting.now.month, 28)
        works = [
            committed(cancel, **own(resting, mine)),
            committed(pause, until=until, **own(resting, mine)),
            jobs.renew_due,
        ]

        together(app, works, in_transactions=False)
        resting.renew()

        left, charged = resting.subscription(mine), resting.charges - before
        assert left.status in {"cancelled", "active"} or (left.status, charged) == ("paused", 0)
        assert charged == len(resting.periods(mine)) - 1 <= 1
        if left.ended_at is None:
            resting.cancel(mine, at="now")


def test_many_resumptions_at_one_moment_are_one_charge(resting: Club, app: Flask):
    mine = resting.subscribe("restful")
    resting.pause(mine, until=date(2026, 3, 1))
    resting.go_to(resting.periods(mine)[0].ends_at)
    resting.renew()
    assert resting.subscription(mine).status == "paused"

    together(app, [lambda: resume(**own(resting, mine))] * 4)
    together(app, [jobs.renew_due] * 4, in_transactions=False)
    resting.renew()

    assert resting.subscription(mine).status == "active"
    assert resting.charges == 1
    assert resting.causes(mine).count("resume_asked") == 1


def test_a_cancelling_and_a_resumption_at_one_moment_leave_no_money_of_an_ended_plan(
    resting: Club, app: Flask
):
    mine = resting.subscribe("restful")
    resting.pause(mine, until=date(2026, 3, 1))
    resting.go_to(resting.periods(mine)[0].ends_at)
    resting.renew()
    how = own(resting, mine)

    together(app, [lambda: cancel(**how), lambda: resume(**how)])
    resting.renew()

    assert resting.subscription(mine).status == "cancelled"
    assert resting.charges == len(resting.returned())


def test_cancelling_and_keeping_at_one_moment_tell_one_story(resting: Club, app: Flask):
    mine = resting.subscribe("restful")
    how = own(resting, mine)

    together(app, [lambda: cancel(**how), lambda: keep(**how)] * 4)

    causes = [one for one in resting.causes(mine) if one.startswith("cancel")]
    assert causes == (["cancel_asked", "cancel_withdrawn"] * 4)[: len(causes)]
    assert resting.subscription(mine).cancel_at_end == (len(causes) % 2 == 1)
