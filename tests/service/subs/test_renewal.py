"""Renewals: paid for once, in order, with cups after the money."""

from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from kernel import outbox, queue
from kernel.config import config
from kernel.ids import new_id
from kernel.transaction import transaction
from payments import ceiling
from subs import jobs
from subs.models import Period
from tests.club import SAVED, Club
from tests.fakes import GOOD, Crash
from tests.rows import write


def test_a_period_that_ended_is_charged_once_and_gives_the_next_cups(club: Club):
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at)

    for _ in range(3):
        club.renew()

    first, second = club.periods(mine)
    assert (second.starts_at, second.status, second.attempts) == (first.ends_at, "paid", 1)
    assert [(one.amount, one.method_ref) for one in club.asked()] == [(499, SAVED + GOOD)]
    assert club.charges == 1
    assert [lot.source_id for lot in club.lots()] == [first.id, second.id]
    assert club.subscription(mine).due_at == second.ends_at


def test_nothing_is_charged_before_the_period_ends(club: Club):
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at - timedelta(seconds=60))

    club.renew()

    assert club.charges == 0
    assert len(club.periods(mine)) == 1


def test_the_payment_the_period_and_its_cups_are_written_down_together(club: Club):
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at)

    jobs.renew_due()

    assert [payment.status for payment in club.asked()] == ["succeeded"]
    assert club.periods(mine)[1].status == "paid"
    assert len(club.lots()) == 2


def test_cups_do_not_come_before_the_money_is_known_to_have_come(club: Club):
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at)
    club.bank.fail("charge", "after")

    jobs.renew_due()
    outbox.drain()

    assert [payment.status for payment in club.asked()] == ["processing"]
    assert len(club.lots()) == 1


def test_no_period_is_there_twice(club: Club):
    mine = club.subscribe()
    (first,) = club.periods(mine)
    copy = {name: getattr(first, name) for name in Period.__table__.columns.keys()}  # noqa: SIM118  it is no mapping

    with pytest.raises(IntegrityError, match="uq_period_numbered"), transaction():
        write((Period, copy | {"id": new_id()}))


def test_an_outcome_that_nobody_knows_yet_makes_no_second_payment(club: Club):
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at)
    for _ in range(3):
        club.bank.fail("charge", "after")

    for _ in range(5):
        jobs.renew_due()
        club.pass_time(minutes=3)
    club.renew()

    assert len(club.asked()) == 1
    assert len(club.bank.taken) == 1
    assert len(club.lots()) == 2


def test_a_worker_that_dies_after_the_charge_leaves_one_charge_one_period_and_one_grant(
    club: Club,
):
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at)
    club.bank.fail("charge", "after", Crash())
    with pytest.raises(Crash):
        jobs.renew_due()
    assert len(club.lots()) == 1

    club.pass_time(minutes=3)
    club.renew()

    assert len(club.asked()) == 1
    assert len(club.bank.taken) == 1
    assert [period.status for period in club.periods(mine)] == ["paid", "paid"]
    assert len(club.lots()) == 2


def test_a_charge_that_an_outage_swallowed_counts_as_no_attempt_and_is_made_anew(club: Club):
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at)
    club.bank.fail("charge", "before", Crash())
    with pytest.raises(Crash):
        jobs.renew_due()

    club.pass_time(days=20)  # past the provider's memory of keys, and past the grace
    club.renew()
    club.renew()

    second = club.periods(mine)[1]
    assert (second.status, second.attempts) == ("paid", 1)
    assert len(club.bank.taken) == 1
    assert club.subscription(mine).status == "active"


def test_a_plan_cancelled_in_an_outage_that_swallowed_its_charge_ends_unpaid(club: Club):
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at)
    club.bank.fail("charge", "before", Crash())
    with pytest.raises(Crash):
        jobs.renew_due()

    club.pass_time(days=20)
    club.cancel(mine)
    club.renew()
    club.renew()

    first, second = club.periods(mine)
    assert (second.status, club.bank.taken) == ("unpaid", [])
    ended = club.subscription(mine)
    assert (ended.status, ended.ended_at) == ("cancelled", first.ends_at)


def test_one_subscription_that_breaks_does_not_stop_the_others(club: Club):
    both = [club.subscribe(), club.subscribe()]
    club.bank.fail("charge", "before", RuntimeError())
    club.go_to(club.periods(both[1])[0].ends_at)

    club.renew()

    assert sorted(club.periods(one)[-1].status for one in both) == ["due", "paid"]


def test_after_three_days_without_a_scheduler_the_dates_have_not_moved(club: Club):
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at + timedelta(days=3))

    club.renew()

    first, second = club.periods(mine)
    assert second.starts_at == first.ends_at
    assert second.ends_at.day == first.ends_at.day
    assert club.subscription(mine).due_at == second.ends_at


def test_after_seventy_days_missed_periods_are_charged_in_order_one_a_day(club: Club):
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at + timedelta(days=70))
    charged = []

    for _ in range(5):
        for _ in range(3):
            club.renew()
        charged.append(club.charges)
        club.pass_time(days=1)

    periods = club.periods(mine)
    assert charged == [1, 2, 3, 3, 3]
    assert [period.number for period in periods] == [1, 2, 3, 4]
    assert [p.ends_at for p in periods[:-1]] == [p.starts_at for p in periods[1:]]
    assert {period.starts_at.day for period in periods} == {14}
    assert club.subscription(mine).due_at == periods[-1].ends_at


def test_a_cancelled_plan_ends_with_its_period_and_is_not_charged(club: Club):
    mine = club.subscribe()
    club.cancel(mine)
    ends_at = club.periods(mine)[0].ends_at
    club.go_to(ends_at + timedelta(days=70))

    club.renew()

    ended = club.subscription(mine)
    assert (ended.status, ended.ended_at, ended.due_at) == ("cancelled", ends_at, None)
    assert club.charges == 0


def test_a_plan_of_an_order_without_a_kept_card_is_past_due_and_never_charged(club: Club):
    mine = club.subscribe(card=None)
    club.go_to(club.periods(mine)[0].ends_at)

    club.renew()

    assert club.subscription(mine).status == "past_due"
    assert club.charges == 0


def test_a_plan_by_the_day_stays_at_its_hour(club: Club):
    club.add_plan("daily", every="day")
    mine = club.subscribe("daily")

    for _ in range(3):
        club.go_to(_due_at(club, mine))
        club.renew()

    starts = [period.starts_at for period in club.periods(mine)]
    assert [b - a for a, b in pairwise(starts)] == [timedelta(days=1)] * 3


def _due_at(club: Club, mine: UUID) -> datetime:
    due_at = club.subscription(mine).due_at
    assert due_at is not None
    return due_at


def test_nothing_is_charged_while_redis_is_silent_and_all_of_it_once_it_answers(
    club: Club, monkeypatch: pytest.MonkeyPatch
):
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at)
    with monkeypatch.context() as silence:
        silence.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
        forget_redis()
        jobs.renew_due()
        assert club.charges == 0
    forget_redis()

    club.pass_time(minutes=3)
    club.renew()

    assert club.charges == 1
    assert len(club.lots()) == 2


def forget_redis() -> None:
    """What a process keeps of Redis for good."""
    for kept in (config, queue.bell, ceiling._script):  # noqa: SLF001
        kept.cache_clear()
