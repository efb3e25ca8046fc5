"""The figures of plans that were lived: bought, renewed, declined, paused, ended by the verbs."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from kernel.db import db
from kernel.transaction import transaction
from payments.models import Card
from subs.service.change import change_plan
from subs.statistics import jobs
from subs.statistics.asking import Asked
from subs.statistics.queries import (
    list_dunning,
    list_endings,
    list_renewals,
    list_retention,
    list_revenue,
    list_trials,
)
from tests.club import SAVED, Club
from tests.fakes import DECLINED, GOOD
from tests.kept import Kept

pytestmark = pytest.mark.usefixtures("lived")

TAIPEI = ZoneInfo("Asia/Taipei")
SPAN = Asked(date(2026, 1, 1), date(2026, 4, 1))
MOVES = ("opening", "new", "reactivation", "expansion", "contraction", "churn", "closing")


@pytest.fixture
def lived(club: Club, kept: Kept) -> None:
    """See `live`."""
    kept.once("lived", lambda: live(club))


def live(club: Club) -> None:
    """Eight who begin on 14 January: each has a fate of their own; it is 20 April.

    A plan is 475 without VAT, the large one 900.
    """
    club.add_plan("restful", most_pause_days=60)
    club.add_plan("large", price=945)
    club.add_plan("tried", trial_days=14, trial_needs_card=False, first_price=0)
    begin(club)  # stays
    recovering, _ = begin(club, card=DECLINED)
    begin(club, card=DECLINED)  # lapses
    _, leaving = begin(club)
    club.cancel(leaving, reason="too_expensive")
    _, resting = begin(club, "restful")
    club.pause(resting, until=date(2026, 3, 1))
    growing, changing = begin(club)
    large = {"offer_id": club.world.offers["large"][0], "at": "end", "now": club.now}
    change_plan(member_id=growing, subscription_id=changing, **large)
    begin(club, "tried", price=0)  # goes on
    begin(club, "tried", price=0, card=None)  # does not

    live_until(club, (1, 28), (2, 14))
    mend(recovering)
    live_until(
        club, (2, 16), (2, 21), (2, 28), (3, 1), (3, 7), (3, 14), (3, 28), (4, 1), (4, 14), (4, 20)
    )
    jobs.count_all_months()


def begin(club: Club, code: str = "monthly", **how: Any) -> tuple[UUID, UUID]:
    """Somebody new has a plan from now on; their id, and its."""
    club.member_id = club.world.add_member()
    return club.member_id, club.subscribe(code, **how)


def mend(member_id: UUID) -> None:
    """From now on this member's cards pay."""
    with transaction():
        theirs = update(Card).where(Card.member_id == member_id)
        db.session.execute(theirs.values(provider_ref=SAVED + GOOD))


def live_until(club: Club, *days: tuple[int, int]) -> None:
    """On each of these days a little after noon, do what is due."""
    for month, day in days:
        club.go_to(datetime(2026, month, day, 12, 1, tzinfo=TAIPEI))
        for _ in range(2):  # what was granted late may be due again
            club.renew()


def read(of: Callable[[Asked], Any], asked: Asked = SPAN) -> list[Any]:
    with transaction():
        return list(of(asked))


def test_renewals_are_those_that_the_jobs_made():
    months = read(list_renewals)

    told = [(one.cell.month, one.due, one.on_time, one.renewed, one.is_mature) for one in months]
    assert told == [
        ("2026-02", 6, 3, 4, True),  # all but who rests and whose trial was left
        ("2026-03", 5, 5, 5, False),  # the grace of 28 March has not passed
        ("2026-04", 4, 4, 4, False),
    ]


def test_revenue_is_that_of_the_periods_which_the_jobs_made():
    months = read(list_revenue)

    told = [{name: getattr(one, name) for name in MOVES if getattr(one, name)} for one in months]
    assert told == [
        {"new": 7 * 475, "closing": 3325},
        {"opening": 3325, "expansion": 425, "churn": 2 * 475, "closing": 2800},
        {"opening": 2800, "reactivation": 475, "churn": 475, "closing": 2800},
        {"opening": 2800, "closing": 2800},
    ]
    assert [one.logo_churn for one in months[1:3]] == [Decimal(2) / 7, Decimal(1) / 5]


def test_trials_dunning_and_endings_are_those_that_the_jobs_made():
    (trials,), (dunning,) = read(list_trials), read(list_dunning)

    assert (trials.cell.month, trials.begun, trials.succeeded) == ("2026-01", 2, 1)
    assert (dunning.cell.month, dunning.begun, dunning.succeeded) == ("2026-02", 2, 1)
    endings = [(one.cell.month, one.cause, one.reason, one.ended) for one in read(list_endings)]
    assert endings == [
        ("2026-01", "trial_not_continued", "trial_not_continued", 1),
        ("2026-02", "cancelled", "too_expensive", 1),
        ("2026-03", "not_paid", "not_paid", 1),
    ]


def test_a_cohort_keeps_those_whom_the_jobs_did_not_end():
    with transaction():
        cohort = list(list_retention(SPAN, ages=3))

    assert [(one.age, one.retained, one.is_mature) for one in cohort] == [
        (0, 8, True),
        (1, 6, True),  # one left at the end of the first month, one trial was not continued
        (2, 6, True),
        (3, 5, False),
    ]


@pytest.mark.parametrize("by", ["plan", "version", "store", "channel"])
def test_parts_add_up_to_the_whole(by: str):
    parted = Asked(SPAN.first, SPAN.last, by=by)
    for of in (list_renewals, list_revenue, list_trials, list_dunning, list_endings):
        assert totals(read(of, parted)) == totals(read(of)), of.__name__


def totals(figures: list[Any]) -> dict[str, dict[str, int]]:
    """What is counted in each month, added up."""
    added: dict[str, dict[str, int]] = {}
    for one in figures:
        month = added.setdefault(one.cell.month, {})
        for name, value in asdict(one).items():
            if type(value) is int:
                month[name] = month.get(name, 0) + value
    return added
