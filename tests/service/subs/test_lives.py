"""Trials, dunning and reasons: what became of subscriptions."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from kernel.transaction import transaction
from subs.statistics.asking import Asked
from subs.statistics.queries import Decided, Endings, list_dunning, list_endings, list_trials
from tests.service.subs.lives import MONTH, Life, Lives

JANUARY = datetime(2026, 1, 10, 4, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
ALL = Asked(date(2025, 1, 1), date(2028, 12, 1))


def trials(lives: Lives, now: datetime) -> list[Decided]:
    lives.recount(now)
    with transaction():
        return list_trials(ALL)


def dunning(lives: Lives, now: datetime) -> list[Decided]:
    lives.recount(now)
    with transaction():
        return list_dunning(ALL)


def endings(lives: Lives, now: datetime) -> list[Endings]:
    lives.recount(now)
    with transaction():
        return list(list_endings(ALL))


def on_trial(lives: Lives) -> Life:
    return lives.begin(at=JANUARY, trial_until=JANUARY + WEEK)


def test_trials_convert_when_their_first_period_is_paid(lives: Lives):
    on_trial(lives).pay(1, JANUARY + WEEK, JANUARY + MONTH, late=timedelta(days=20))
    on_trial(lives).end(JANUARY + WEEK, cause="trial_not_continued", before="trialing")
    failing = on_trial(lives)
    failing.owe(1, JANUARY + WEEK, JANUARY + MONTH, status="unpaid")
    failing.end(JANUARY + 5 * WEEK, cause="not_paid", before="past_due")
    lives.begin(at=JANUARY).pay(1, JANUARY, JANUARY + MONTH)  # no trial

    (january,) = trials(lives, JANUARY + 2 * MONTH)

    assert (january.begun, january.succeeded, january.undecided) == (3, 1, 0)
    assert january.rate == Decimal(1) / 3


def test_trials_have_no_rate_while_one_is_not_decided(lives: Lives):
    on_trial(lives).pay(1, JANUARY + WEEK, JANUARY + MONTH)
    on_trial(lives).owe(1, JANUARY + WEEK, JANUARY + MONTH)

    (january,) = trials(lives, JANUARY + MONTH)

    assert (january.undecided, january.is_mature, january.rate) == (1, False, None)


def test_trials_have_no_rate_while_others_may_begin(lives: Lives):
    on_trial(lives).pay(1, JANUARY + WEEK, JANUARY + MONTH)

    (january,) = trials(lives, JANUARY + 2 * WEEK)

    assert (january.succeeded, january.is_mature) == (1, False)


def failing(lives: Lives, at: datetime) -> Life:
    life = lives.begin(at=at - MONTH)
    life.pay(1, at - MONTH, at)
    life.owe(2, at, at + MONTH)
    life.tell("active", "past_due", "renewal_failed", at=at)
    return life


def test_dunning_recovers_those_who_pay_before_they_end(lives: Lives):
    march = JANUARY + 2 * MONTH
    failing(lives, march).tell("past_due", "active", "recovered", at=march + timedelta(days=9))
    failing(lives, march).end(march + 4 * WEEK, cause="not_paid", before="past_due")
    failing(lives, march).end(march + WEEK, before="past_due")

    (counted,) = dunning(lives, march + 3 * MONTH)

    assert (counted.cell.month, counted.begun, counted.succeeded) == ("2026-03", 3, 1)
    assert counted.rate == Decimal(1) / 3


def test_what_happens_while_it_is_past_due_is_no_second_time(lives: Lives):
    march = JANUARY + 2 * MONTH
    life = failing(lives, march)
    life.tell("past_due", "past_due", "attempt_failed", at=march + timedelta(days=2))
    life.tell("past_due", "past_due", "card_changed", at=march + timedelta(days=3))

    (counted,) = dunning(lives, march + MONTH)

    assert (counted.begun, counted.undecided, counted.rate) == (1, 1, None)


def test_endings_are_told_apart_by_cause_and_reason(lives: Lives):
    for reason in ("too_expensive", "too_expensive", None):
        life = lives.begin(at=JANUARY)
        life.end(life.pay_months(1, 1, since=JANUARY), reason=reason)
    failing(lives, JANUARY + MONTH).end(
        JANUARY + MONTH + WEEK, cause="not_paid", before="past_due", reason="moved"
    )
    lives.begin(at=JANUARY).pay_months(1, 1, since=JANUARY)

    february = endings(lives, JANUARY + 2 * MONTH)

    assert [(one.cause, one.reason, one.ended, one.share) for one in february] == [
        ("cancelled", "not_given", 1, Decimal("0.25")),
        ("cancelled", "too_expensive", 2, Decimal("0.5")),
        ("not_paid", "not_paid", 1, Decimal("0.25")),
    ]
    assert all(one.is_mature for one in february)
