"""A member cancels, or keeps the plan after all."""

from uuid import UUID

import pytest

from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.transaction import transaction
from subs import (
    Standing,
    SubscriptionEnded,
    cancel,
    get_standing,
    jobs,
    keep,
    list_standings,
)
from tests.club import Club
from tests.fakes import DECLINED, WANTS_HOLDER


def standing(club: Club, mine: UUID) -> Standing:
    with transaction():
        return get_standing(member_id=club.member_id, subscription_id=mine)


def test_cancelling_keeps_what_is_paid_until_its_end(club: Club):
    mine = club.subscribe()

    club.cancel(mine)

    left = standing(club, mine)
    assert (left.subscription.status, left.subscription.cancel_at_end) == ("active", True)
    assert left.next_charge_at is None
    assert left.subscription.due_at == left.period.ends_at


def test_cancelling_twice_before_the_end_changes_nothing(club: Club):
    mine = club.subscribe()
    club.cancel(mine)

    club.cancel(mine)

    assert club.subscription(mine).status == "active"


def test_a_past_due_plan_is_cancelled_at_once(club: Club):
    mine = club.subscribe(card=DECLINED)
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()

    club.cancel(mine)

    ended = club.subscription(mine)
    assert (ended.status, ended.due_at) == ("cancelled", None)
    assert [period.status for period in club.periods(mine)] == ["paid", "unpaid"]
    club.pass_time(days=3)
    club.renew()
    assert club.charges == 1


def test_what_has_ended_is_neither_cancelled_nor_kept(club: Club):
    mine = club.subscribe()
    club.cancel(mine)
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()

    with pytest.raises(SubscriptionEnded) as refusal:
        club.cancel(mine)
    with pytest.raises(SubscriptionEnded), transaction():
        keep(member_id=club.member_id, subscription_id=mine)

    assert refusal.value.facts == {"ended_as": "cancelled"}


def test_a_plan_that_is_kept_after_all_is_renewed(club: Club):
    mine = club.subscribe()
    club.cancel(mine)
    with transaction():
        keep(member_id=club.member_id, subscription_id=mine)
    club.go_to(club.periods(mine)[0].ends_at)

    club.renew()

    assert len(club.periods(mine)) == 2


def test_somebody_elses_plan_is_not_there(club: Club):
    mine = club.subscribe()

    with pytest.raises(NotFound), transaction():
        cancel(member_id=new_id(), subscription_id=mine, now=club.now)
    with pytest.raises(NotFound), transaction():
        get_standing(member_id=new_id(), subscription_id=mine)


def test_a_standing_shows_the_payment_that_waits_for_its_holder(club: Club):
    mine = club.subscribe(card=WANTS_HOLDER)
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()

    left = standing(club, mine)

    (payment,) = club.asked()
    assert left.waiting is not None
    assert left.waiting.client_secret == payment.client_secret
    assert left.period.number == 1
    assert left.unpaid is not None
    assert left.next_charge_at == left.unpaid.retry_at


def test_subscriptions_are_listed_newest_first_and_from_where_one_stopped(club: Club):
    first, second, third = (club.subscribe() for _ in range(3))

    with transaction():
        page = list_standings(member_id=club.member_id, before=None, limit=2)
        rest = list_standings(member_id=club.member_id, before=second, limit=2)

    assert [one.subscription.id for one in page] == [third, second]
    assert [one.subscription.id for one in rest] == [first]


def test_a_charge_that_is_under_way_is_seen_through_before_the_plan_ends(club: Club):
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at)
    jobs.renew_due()
    club.cancel(mine)

    club.pass_time(minutes=2)
    club.renew()

    left = standing(club, mine)
    assert (left.subscription.status, left.period.number) == ("active", 2)
    assert left.subscription.due_at == left.period.ends_at
    club.go_to(left.period.ends_at)
    club.renew()
    assert club.subscription(mine).ended_at == left.period.ends_at
    assert club.charges == 1
