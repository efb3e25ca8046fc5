"""A plan rests from the end of what is paid until a day, or sooner again."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from kernel.errors import NotFound, Refusal
from kernel.ids import new_id
from kernel.transaction import transaction
from subs import (
    NotPaused,
    PauseBegun,
    PauseDays,
    PauseNotNow,
    PauseNotOffered,
    RenewalUnderWay,
    Standing,
    SubscriptionEnded,
    get_standing,
    keep,
    pause,
    resume,
    withdraw_pause,
)
from subs.change_errors import PlanEnds
from tests.club import Club
from tests.fakes import DECLINED, LOST

ENDS_ON = date(2026, 2, 14)
"""The first period of a plan that is bought on 14 January."""
UNTIL = date(2026, 3, 1)


@pytest.fixture
def resting(club: Club) -> Club:
    """The plan may be paused for 60 days."""
    club.add_plan("restful", most_pause_days=60)
    return club


def subscribed(club: Club, **how: object) -> UUID:
    return club.subscribe("restful", **how)


def asleep(club: Club, **how: object) -> UUID:
    """A subscription that rests until 1 March."""
    mine = subscribed(club, **how)
    club.pause(mine, until=UNTIL)
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()
    assert club.subscription(mine).status == "paused"
    return mine


def withdraw(club: Club, mine: UUID) -> Standing:
    with transaction():
        return withdraw_pause(member_id=club.member_id, subscription_id=mine, now=club.now)


def wake(club: Club, mine: UUID) -> Standing:
    with transaction():
        return resume(member_id=club.member_id, subscription_id=mine, now=club.now)


def standing(club: Club, mine: UUID) -> Standing:
    with transaction():
        return get_standing(member_id=club.member_id, subscription_id=mine)


def test_a_pause_begins_where_the_paid_period_ends_and_changes_nothing_before(resting: Club):
    mine = subscribed(resting)
    (first,) = resting.periods(mine)

    resting.pause(mine, until=UNTIL)

    left = standing(resting, mine)
    assert left.subscription.status == "active"
    assert left.pause is not None
    assert left.pause.begins_at == first.ends_at
    assert left.pause.ends_at == first.ends_at + timedelta(days=15)
    assert left.next_charge_at == left.pause.ends_at
    assert resting.notices() == ["subscription.pause_asked"]


def test_nothing_is_charged_in_a_pause_and_it_goes_on_by_a_calendar_of_its_own(resting: Club):
    mine = asleep(resting)
    resumes_at = resting.subscription(mine).resumes_at
    assert resumes_at is not None
    resting.renew()
    assert resting.charges == 0

    resting.go_to(resumes_at)
    resting.renew()

    awake = resting.subscription(mine)
    _, second = resting.periods(mine)
    assert (awake.status, awake.pauses_at, awake.resumes_at) == ("active", None, None)
    assert (second.number, second.starts_at) == (2, resumes_at)
    assert (awake.anchor_at, awake.anchor_number) == (resumes_at, 2)
    assert resting.charges == 1
    assert resting.causes(mine) == ["started", "pause_asked", "paused", "resumed"]


def test_a_pause_is_given_another_end_before_it_begins(resting: Club):
    mine = subscribed(resting)
    resting.pause(mine, until=UNTIL)

    resting.pause(mine, until=UNTIL + timedelta(days=1))
    resting.pause(mine, until=UNTIL + timedelta(days=1))

    (first,) = resting.periods(mine)
    assert resting.subscription(mine).resumes_at == first.ends_at + timedelta(days=16)
    assert resting.causes(mine) == ["started", "pause_asked", "pause_asked"]


@pytest.mark.parametrize("days", [1, 60])
def test_the_first_and_the_last_day_are_offered(resting: Club, days: int):
    mine = subscribed(resting)

    resting.pause(mine, until=ENDS_ON + timedelta(days=days))

    assert resting.subscription(mine).pauses_at is not None


@pytest.mark.parametrize("days", [-30, 0, 61])
def test_the_days_before_and_after_are_not(resting: Club, days: int):
    mine = subscribed(resting)

    with pytest.raises(PauseDays) as refused:
        resting.pause(mine, until=ENDS_ON + timedelta(days=days))

    assert refused.value.facts == {"first_on": "2026-02-15", "last_on": "2026-04-15"}
    assert resting.subscription(mine).pauses_at is None


def test_a_plan_without_pauses_is_not_paused(club: Club):
    mine = club.subscribe()

    with pytest.raises(PauseNotOffered):
        club.pause(mine, until=UNTIL)


def test_a_trial_is_not_paused(club: Club):
    club.add_plan("trial", trial_days=7, trial_cups=1, first_price=0, most_pause_days=60)
    mine = club.subscribe("trial", price=0)

    with pytest.raises(PauseNotNow) as refused:
        club.pause(mine, until=date(2026, 2, 1))

    assert refused.value.facts == {"state": "trialing"}


def test_what_is_cancelled_for_its_end_is_kept_before_it_is_paused(resting: Club):
    mine = subscribed(resting)
    resting.cancel(mine)

    with pytest.raises(PlanEnds):
        resting.pause(mine, until=UNTIL)

    assert resting.notices() == ["subscription.cancel_asked"]
    with transaction():
        keep(member_id=resting.member_id, subscription_id=mine, now=resting.now)
    resting.pause(mine, until=UNTIL)
    assert resting.subscription(mine).pauses_at == resting.periods(mine)[0].ends_at


def test_what_is_past_due_is_not_paused(resting: Club):
    mine = subscribed(resting, card=DECLINED)
    resting.go_to(resting.periods(mine)[0].ends_at)
    resting.renew()

    with pytest.raises(PauseNotNow) as refused:
        resting.pause(mine, until=UNTIL)

    assert refused.value.facts == {"state": "past_due"}


def test_what_is_being_charged_is_not_paused(resting: Club):
    mine = subscribed(resting)
    resting.leave_under_way(mine)

    with pytest.raises(RenewalUnderWay):
        resting.pause(mine, until=UNTIL)

    resting.pass_time(minutes=2)
    resting.renew()
    resting.pause(mine, until=date(2026, 4, 1))
    assert resting.subscription(mine).pauses_at == resting.periods(mine)[1].ends_at


def test_what_nobody_got_round_to_renewing_rests_from_now_on(resting: Club):
    mine = subscribed(resting)
    resting.go_to(resting.periods(mine)[0].ends_at + timedelta(days=70))
    now = resting.now

    resting.pause(mine, until=date(2026, 5, 1))
    resting.renew()

    left = resting.subscription(mine)
    assert left.status == "paused"
    assert left.pauses_at is not None
    assert left.pauses_at >= now
    assert resting.charges == 0


def test_a_pause_is_withdrawn_before_it_begins_and_the_plan_is_renewed(resting: Club):
    mine = subscribed(resting)
    resting.pause(mine, until=UNTIL)

    for _ in range(2):
        left = withdraw(resting, mine)

    assert left.pause is None
    assert resting.causes(mine) == ["started", "pause_asked", "pause_withdrawn"]
    resting.go_to(resting.periods(mine)[0].ends_at)
    resting.renew()
    assert [period.status for period in resting.periods(mine)] == ["paid", "paid"]


def test_a_pause_that_has_begun_is_not_withdrawn_and_not_asked_for_again(resting: Club):
    mine = asleep(resting)

    with pytest.raises(PauseBegun):
        withdraw(resting, mine)
    with pytest.raises(PauseNotNow):
        resting.pause(mine, until=date(2026, 4, 1))


def test_who_resumes_sooner_is_charged_at_once_and_the_period_begins_then(resting: Club):
    mine = asleep(resting)
    resting.pass_time(days=3)
    now = resting.now

    left = wake(resting, mine)
    assert left.subscription.status == "paused"
    resting.renew()

    awake = resting.subscription(mine)
    _, second = resting.periods(mine)
    assert awake.status == "active"
    assert now <= second.starts_at <= resting.now
    assert second.starts_at == awake.anchor_at
    assert resting.charges == 1
    assert resting.causes(mine)[2:] == ["paused", "resume_asked", "resumed"]


def test_resuming_twice_charges_once(resting: Club):
    mine = asleep(resting)

    wake(resting, mine)
    wake(resting, mine)
    resting.renew()

    assert resting.charges == 1
    assert resting.causes(mine).count("resume_asked") == 1


def test_a_resumption_that_is_not_paid_is_past_due_and_grants_nothing(resting: Club):
    mine = asleep(resting, card=LOST)

    wake(resting, mine)
    resting.renew()

    left = resting.subscription(mine)
    assert (left.status, left.pauses_at, left.resumes_at) == ("past_due", None, None)
    assert len(resting.lots()) == 1
    assert "subscription.resumed" not in resting.notices()


def test_what_does_not_rest_is_not_resumed(resting: Club):
    mine = subscribed(resting)
    resting.pause(mine, until=UNTIL)

    with pytest.raises(NotPaused) as refused:
        wake(resting, mine)

    assert refused.value.facts == {"state": "active"}


def test_a_plan_that_is_cancelled_in_its_pause_ends_at_once_for_nothing(resting: Club):
    mine = asleep(resting)

    resting.cancel(mine, reason="not_used")

    ended = resting.subscription(mine)
    assert (ended.status, ended.due_at) == ("cancelled", None)
    assert resting.causes(mine)[-1] == "cancelled"
    resting.go_to(resting.now + timedelta(days=40))
    resting.renew()
    assert resting.charges == 0


def test_the_end_beats_the_pause_at_one_instant(resting: Club):
    mine = subscribed(resting)
    resting.pause(mine, until=UNTIL)
    resting.cancel(mine)
    (first,) = resting.periods(mine)

    resting.go_to(first.ends_at)
    resting.renew()

    ended = resting.subscription(mine)
    assert (ended.status, ended.ended_at) == ("cancelled", first.ends_at)
    assert resting.causes(mine) == ["started", "pause_asked", "cancel_asked", "cancelled"]
    assert resting.notices() == [
        "subscription.pause_asked",
        "subscription.cancel_asked",
        "subscription.ended",
    ]


def test_what_has_ended_or_is_somebody_elses_neither_rests_nor_wakes(resting: Club):
    mine = subscribed(resting)
    resting.cancel(mine, at="now")

    def refusal(member_id: UUID, verb: str) -> type[Refusal]:
        how = {"member_id": member_id, "subscription_id": mine, "now": resting.now}
        verbs = {
            "pause": lambda: pause(until=UNTIL, **how),
            "withdraw": lambda: withdraw_pause(**how),
            "resume": lambda: resume(**how),
        }
        with pytest.raises(Refusal) as refused, transaction():
            verbs[verb]()
        return refused.type

    for verb in ("pause", "withdraw", "resume"):
        assert refusal(resting.member_id, verb) is SubscriptionEnded
        assert refusal(new_id(), verb) is NotFound
