"""A member cancels, or keeps the plan after all."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

import payments
from kernel import outbox
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.outbox import Outbox
from kernel.transaction import transaction
from members.notices import TOPIC
from payments import sweep
from subs import (
    Standing,
    SubscriptionEnded,
    cancel,
    get_standing,
    keep,
    list_history,
    list_standings,
)
from subs.queries import Wanted
from tests.club import Club
from tests.fakes import DECLINED, LOST, WANTS_HOLDER


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
    club.cancel(mine, reason="moved")

    club.cancel(mine)

    left = club.subscription(mine)
    assert (left.status, left.cancel_reason) == ("active", "moved")
    assert club.causes(mine) == ["started", "cancel_asked"]
    assert club.notices() == ["subscription.cancel_asked"]


def test_another_reason_may_be_named_before_the_end(club: Club):
    mine = club.subscribe()
    club.cancel(mine)

    club.cancel(mine, reason="quality")

    assert club.subscription(mine).cancel_reason == "quality"


def test_the_newest_reason_stands_in_the_history_and_is_not_told_once_more(club: Club):
    mine = club.subscribe()
    club.cancel(mine, reason="moved")

    for reason in ("quality", "quality", None):
        club.cancel(mine, reason=reason)

    with transaction():
        history = list_history(
            member_id=club.member_id, subscription_id=mine, before=None, limit=10
        )
    asked = [one.facts["reason"] for one in history if one.cause == "cancel_asked"]
    assert asked == ["quality", "moved"]
    assert club.notices() == ["subscription.cancel_asked"]


def test_who_cancels_and_keeps_in_turns_is_told_once_more_and_how_it_stands_then(club: Club):
    mine = club.subscribe()
    for _ in range(5):
        club.cancel(mine)
        with transaction():
            keep(member_id=club.member_id, subscription_id=mine, now=club.now)
        club.pass_time(minutes=1)

    at_once, in_an_hour = promised(club.now)

    assert at_once == ["subscription.cancel_asked", "subscription.kept"]
    assert in_an_hour == ["subscription.cancel_asked", "subscription.kept"]  # the true one is sent
    club.pass_time(hours=2)
    club.cancel(mine)
    assert club.notices()[-1] == "subscription.cancel_asked"
    assert promised(club.now)[1] == []


def promised(now: datetime) -> tuple[list[str], list[str]]:
    """The notices that are to be sent by now, and those that wait."""
    with transaction():
        found = db.session.scalars(
            select(Outbox).where(Outbox.topic == TOPIC).order_by(Outbox.id)
        ).all()
    names = [(one.facts["notice"], one.due_at <= now) for one in found]
    return [name for name, is_due in names if is_due], [
        name for name, is_due in names if not is_due
    ]


def test_what_is_cancelled_at_once_ends_and_leaves_what_is_paid(club: Club):
    mine = club.subscribe()

    club.cancel(mine, at="now", reason="not_used")

    ended = club.subscription(mine)
    assert (ended.status, ended.due_at) == ("cancelled", None)
    assert ended.ended_at is not None
    assert ended.cancel_reason == "not_used"
    (lot,) = club.lots()
    assert (lot.is_open, lot.ends_at) == (True, club.periods(mine)[0].ends_at)
    assert club.notices() == ["subscription.ended"]


def test_a_plan_that_gives_its_rest_back_does_so_and_tells_how_much(club: Club):
    club.add_plan("fair", cancel_refund="prorated")
    mine = club.subscribe("fair")
    club.pass_time(days=15)

    club.cancel(mine, at="now", reason="quality")

    with transaction():
        ended, _ = list_history(
            member_id=club.member_id, subscription_id=mine, before=None, limit=9
        )
    assert (ended.cause, ended.facts["reason"]) == ("cancelled", "quality")
    assert 0 < ended.facts["given_back"] < 499
    assert [lot.is_open for lot in club.lots()] == [False]
    assert club.notices() == ["subscription.ended_with_refund"]


def test_an_end_may_be_brought_forward(club: Club):
    mine = club.subscribe()
    club.cancel(mine, reason="moved")

    club.cancel(mine, at="now")

    ended = club.subscription(mine)
    assert (ended.status, ended.cancel_reason) == ("cancelled", "moved")
    assert club.causes(mine) == ["started", "cancel_asked", "cancelled"]


def test_a_trial_is_cancelled_for_its_end_and_nothing_is_ever_charged(club: Club):
    club.add_plan("trial", trial_days=7, trial_cups=2, first_price=0)
    mine = club.subscribe("trial", price=0)

    club.cancel(mine)

    assert club.subscription(mine).status == "trialing"
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()
    ended = club.subscription(mine)
    assert (ended.status, ended.ended_at) == ("cancelled", club.periods(mine)[0].ends_at)
    assert club.charges == 0


def test_a_trial_is_cancelled_at_once(club: Club):
    club.add_plan("trial", trial_days=7, trial_cups=2, first_price=0)
    mine = club.subscribe("trial", price=0)

    club.cancel(mine, at="now")

    assert club.subscription(mine).status == "cancelled"


def test_what_was_charged_for_a_plan_that_is_cancelled_at_once_comes_back(club: Club):
    mine = club.subscribe()
    club.leave_under_way(mine)
    club.cancel(mine, at="now")

    club.pass_time(minutes=10)
    sweep.ask_again()
    outbox.drain()

    assert club.subscription(mine).status == "cancelled"
    assert [period.status for period in club.periods(mine)] == ["paid", "unpaid"]
    assert len(club.lots()) == 1
    assert club.returned() == [499]
    assert club.causes(mine)[-1] == "late_payment_returned"


def test_keeping_takes_the_reason_back_too_and_what_is_kept_twice_is_told_once(club: Club):
    mine = club.subscribe()
    club.cancel(mine, reason="moved")

    for _ in range(2):
        with transaction():
            keep(member_id=club.member_id, subscription_id=mine, now=club.now)

    kept = club.subscription(mine)
    assert (kept.cancel_at_end, kept.cancel_reason) == (False, None)
    assert club.causes(mine) == ["started", "cancel_asked", "cancel_withdrawn"]
    assert club.notices() == ["subscription.cancel_asked", "subscription.kept"]


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
        keep(member_id=club.member_id, subscription_id=mine, now=club.now)

    assert refusal.value.facts == {"ended_as": "cancelled"}


def test_a_plan_that_is_kept_after_all_is_renewed(club: Club):
    mine = club.subscribe()
    club.cancel(mine)
    with transaction():
        keep(member_id=club.member_id, subscription_id=mine, now=club.now)
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
    assert left.next_charge_at is None
    assert left.wanted == Wanted("authentication", left.unpaid.lapses_at)


def test_a_standing_asks_for_a_card_when_the_one_there_is_not_tried_again(club: Club):
    mine = club.subscribe(card=LOST)
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()

    left = standing(club, mine)

    assert left.unpaid is not None
    assert (left.next_charge_at, left.wanted) == (None, Wanted("card", left.unpaid.lapses_at))


def test_a_standing_asks_for_a_card_when_its_holder_has_failed_the_last_attempt(club: Club):
    club.add_plan("once", dunning_days=[])
    mine = club.subscribe("once", card=WANTS_HOLDER)
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()
    (payment,) = club.asked()

    club.bank.refuse_authentication(str(payment.provider_ref))
    payments.charge(payment_id=payment.id)
    outbox.drain()

    left = standing(club, mine)
    assert left.unpaid is not None
    assert (left.waiting, left.next_charge_at) == (None, None)
    assert left.wanted == Wanted("card", left.unpaid.lapses_at)


def test_after_an_outage_the_next_charge_is_the_one_of_the_next_day(club: Club):
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at + timedelta(days=70))
    club.renew()

    left = standing(club, mine)

    assert left.next_charge_at == left.subscription.due_at
    assert left.next_charge_at is not None
    assert timedelta() < left.next_charge_at - club.now <= timedelta(days=1)


def test_what_is_tried_again_wants_nothing_of_its_member(club: Club):
    mine = club.subscribe(card=DECLINED)
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()

    left = standing(club, mine)

    assert left.unpaid is not None
    assert (left.next_charge_at, left.wanted) == (left.unpaid.retry_at, None)


def test_subscriptions_are_listed_newest_first_and_from_where_one_stopped(club: Club):
    first, second, third = (club.subscribe() for _ in range(3))

    with transaction():
        page = list_standings(member_id=club.member_id, before=None, limit=2)
        rest = list_standings(member_id=club.member_id, before=second, limit=2)

    assert [one.subscription.id for one in page] == [third, second]
    assert [one.subscription.id for one in rest] == [first]


def test_a_charge_that_is_under_way_is_seen_through_before_the_plan_ends(club: Club):
    mine = club.subscribe()
    club.leave_under_way(mine)
    club.cancel(mine)

    club.pass_time(minutes=2)
    club.renew()

    left = standing(club, mine)
    assert (left.subscription.status, left.period.number) == ("active", 2)
    assert left.subscription.due_at == left.period.ends_at
    club.go_to(left.period.ends_at)
    club.renew()
    assert club.subscription(mine).ended_at == left.period.ends_at
    assert len(club.bank.taken) == 1
