"""Monthly recurring revenue: what it is, what moves it, and that it adds up."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from kernel.db import db
from kernel.transaction import transaction
from subs.models import PlanRevenue
from subs.statistics.asking import Asked
from subs.statistics.months import opening
from subs.statistics.queries import Revenue, list_revenue
from tests.service.subs.lives import MONTH, Life, Lives

JANUARY = datetime(2026, 1, 10, 4, 0, tzinfo=UTC)
MOVES = ("opening", "new", "reactivation", "expansion", "contraction", "churn", "moved", "closing")


def revenue(lives: Lives, now: datetime, **asked: Any) -> list[Revenue]:
    lives.recount(now)
    with transaction():
        return list_revenue(Asked(date(2025, 1, 1), date(2028, 12, 1), **asked))


def moves(one: Revenue) -> dict[str, int]:
    """What is not nothing of a month."""
    return {name: getattr(one, name) for name in MOVES if getattr(one, name)}


def in_months(lives: Lives, count: int, **asked: Any) -> list[dict[str, int]]:
    """The movements of so many months, the last one half over."""
    now = JANUARY + (count - 1) * MONTH + timedelta(days=5)
    return [moves(one) for one in revenue(lives, now, **asked)]


def test_a_subscription_is_new_stays_and_is_lost(lives: Lives):
    life = lives.begin(at=JANUARY)
    life.end(life.pay_months(1, 2, since=JANUARY))

    assert in_months(lives, 4) == [
        {"new": 500, "closing": 500},
        {"opening": 500, "closing": 500},
        {"opening": 500, "churn": 500},
    ]


@pytest.mark.parametrize(
    ("every", "price", "mrr"),
    [
        ("year", 6300, 500),  # 6000 / 12
        ("week", 105, 435),  # 100 × 365.25 / 84 = 434.8
        ("day", 21, 609),  # 20 × 365.25 / 12 = 608.75
        ("month", 499, 475),  # 499 / 1.05 = 475.2
    ],
)
def test_every_plan_counts_what_it_is_worth_in_a_month(
    lives: Lives, every: str, price: int, mrr: int
):
    lives.add_plan("other", every=every, price=price)
    lives.begin("other", at=JANUARY).pay(1, JANUARY, JANUARY + timedelta(days=400))

    (month,) = revenue(lives, JANUARY + timedelta(hours=1))

    assert (month.new, month.closing, month.currency) == (mrr, mrr, "TWD")


def test_every_three_months_is_a_third_of_it_a_month(lives: Lives):
    lives.add_plan("quarterly", every_count=3, price=1260)
    lives.begin("quarterly", at=JANUARY).pay(1, JANUARY, JANUARY + 3 * MONTH)

    (month,) = revenue(lives, JANUARY + timedelta(hours=1))

    assert month.closing == 400


def test_who_is_past_due_counts_until_the_plan_ends(lives: Lives):
    life = lives.begin(at=JANUARY)
    due_at = life.pay_months(1, 1, since=JANUARY)
    life.owe(2, due_at, due_at + MONTH, status="unpaid")
    life.end(due_at + timedelta(days=28), cause="not_paid", before="past_due")

    assert in_months(lives, 3) == [
        {"new": 500, "closing": 500},
        {"opening": 500, "closing": 500},
        {"opening": 500, "churn": 500},
    ]


def test_a_trial_is_no_revenue_until_it_is_paid_for(lives: Lives):
    kept, failing = (lives.begin(at=JANUARY, trial_until=JANUARY + MONTH) for _ in range(2))
    kept.pay(1, JANUARY + MONTH, JANUARY + 2 * MONTH)
    failing.owe(1, JANUARY + MONTH, JANUARY + 2 * MONTH)

    assert in_months(lives, 2) == [{"new": 500, "closing": 500}]


def test_who_rests_is_lost_and_comes_back(lives: Lives):
    life = lives.begin(at=JANUARY)
    rests_at = life.pay_months(1, 1, since=JANUARY)
    life.pay(2, rests_at + MONTH, rests_at + 2 * MONTH)

    assert in_months(lives, 3) == [
        {"new": 500, "closing": 500},
        {"opening": 500, "churn": 500},
        {"reactivation": 500, "closing": 500},
    ]


def test_a_member_who_had_a_plan_that_ended_comes_back_and_others_are_new(lives: Lives):
    first = lives.begin(at=JANUARY)
    first.end(first.pay_months(1, 1, since=JANUARY))
    unpaid = lives.begin(at=JANUARY, trial_until=JANUARY + timedelta(days=7))
    unpaid.end(JANUARY + timedelta(days=7), cause="trial_not_continued", before="trialing")
    for former in (first, unpaid):
        again = lives.begin(at=JANUARY + 2 * MONTH, member_id=former.member_id)
        again.pay_months(1, 1, since=JANUARY + 2 * MONTH)

    march = in_months(lives, 3)[-1]

    assert march == {"new": 500, "reactivation": 500, "closing": 1000}


def test_a_second_plan_beside_one_that_runs_is_new(lives: Lives):
    first = lives.begin(at=JANUARY)
    first.pay_months(1, 3, since=JANUARY)
    second = lives.begin(at=JANUARY + MONTH, member_id=first.member_id)
    second.pay_months(1, 1, since=JANUARY + MONTH)

    assert in_months(lives, 2)[-1] == {"opening": 500, "new": 500, "closing": 1000}


def changed_at_the_end(lives: Lives) -> Life:
    lives.add_plan("large", price=945)
    life = lives.begin(at=JANUARY)
    life.pay(1, JANUARY, JANUARY + MONTH)
    life.pay(2, JANUARY + MONTH, JANUARY + 2 * MONTH, code="large")
    life.pay(3, JANUARY + 2 * MONTH, JANUARY + 3 * MONTH)
    return life


def test_a_dearer_plan_expands_and_a_cheaper_one_contracts(lives: Lives):
    changed_at_the_end(lives)

    assert in_months(lives, 3) == [
        {"new": 500, "closing": 500},
        {"opening": 500, "expansion": 400, "closing": 900},
        {"opening": 900, "contraction": 400, "closing": 500},
    ]


def test_by_plan_what_moves_to_another_leaves_the_old_with_its_increase(lives: Lives):
    changed_at_the_end(lives)

    _, large, small = (
        (one.cell.plan, moves(one), one.moved_count)
        for one in revenue(lives, JANUARY + MONTH + timedelta(days=1), by="plan")
    )

    assert large == ("large", {"moved": 900, "closing": 900}, 1)
    assert small == ("monthly", {"opening": 500, "expansion": 400, "moved": -900}, -1)


def test_a_change_at_once_counts_from_then_on(lives: Lives):
    lives.add_plan("large", price=945)
    life = lives.begin(at=JANUARY)
    period_id = life.pay(1, JANUARY, JANUARY + MONTH)
    life.change(period_id, "large", at=JANUARY + timedelta(days=25))
    life.pay(2, JANUARY + MONTH, JANUARY + 2 * MONTH, code="large")

    assert in_months(lives, 2) == [
        {"new": 500, "closing": 500},
        {"opening": 500, "expansion": 400, "closing": 900},
    ]


def test_an_introduction_counts_what_it_costs(lives: Lives):
    life = lives.begin(at=JANUARY)
    life.pay(1, JANUARY, JANUARY + MONTH, price=105)
    life.pay(2, JANUARY + MONTH, JANUARY + 2 * MONTH)

    assert in_months(lives, 2)[-1] == {"opening": 100, "expansion": 400, "closing": 500}


def test_the_end_of_a_month_is_midnight_where_the_chain_is(lives: Lives):
    midnight = opening(date(2026, 2, 1), "Asia/Taipei")
    lives.begin(at=midnight).pay(1, midnight, midnight + MONTH)
    before = lives.begin(at=midnight - MONTH)
    before.pay(1, midnight - MONTH, midnight)
    before.end(midnight)

    january, february = revenue(lives, midnight + timedelta(days=1))

    assert moves(january) == {"new": 500, "closing": 500}
    assert moves(february) == {"opening": 500, "new": 500, "churn": 500, "closing": 500}


def test_rates_are_of_the_opening_and_none_before_the_month_is_over(lives: Lives):
    lives.add_plan("large", price=945)
    stays, grows, shrinks, goes = (lives.begin(at=JANUARY) for _ in range(4))
    stays.pay_months(1, 4, since=JANUARY)
    for life, price in ((grows, 630), (shrinks, 420)):
        life.pay(1, JANUARY, JANUARY + MONTH)
        life.pay(2, JANUARY + MONTH, JANUARY + 2 * MONTH, price=price)
    goes.end(goes.pay_months(1, 1, since=JANUARY))

    _, so_far = revenue(lives, JANUARY + MONTH + timedelta(days=3))
    _, february, _ = revenue(lives, JANUARY + 2 * MONTH)

    assert (so_far.net_retention, so_far.logo_churn) == (None, None)
    assert february.gross_retention == Decimal(1400) / 2000
    assert february.net_retention == Decimal(1500) / 2000
    assert february.revenue_churn == Decimal(600) / 2000
    assert february.logo_churn == Decimal("0.25")


def at_random(lives: Lives, seed: int) -> list[tuple[datetime, datetime, int]]:
    """Forty lives of all sorts; answers when they were worth what."""
    chance = random.Random(seed)  # noqa: S311  examples, not secrets
    lives.add_plan("large", price=945)
    worth = []
    for _ in range(40):
        at = JANUARY + timedelta(hours=chance.randrange(24 * 150))
        life = lives.begin(at=at, store=chance.choice("ABW"), channel=chance.choice(["web", "app"]))
        for number in range(1, chance.randrange(2, 9)):
            code = chance.choice(["monthly", "monthly", "large"])
            life.pay(number, at, at + MONTH, code=code)
            worth.append((at, at + MONTH, 500 if code == "monthly" else 900))
            at += MONTH
            if chance.random() < 0.15:
                at += timedelta(days=chance.randrange(1, 60))
        if chance.random() < 0.7:
            life.end(at)
    return worth


@pytest.mark.parametrize("seed", range(3))
def test_every_month_begins_with_what_the_last_ended_with_in_every_cell(lives: Lives, seed: int):
    worth = at_random(lives, seed)

    months = revenue(lives, JANUARY + 14 * MONTH)

    for one in months[:-1]:
        end = opening((one.cell.month_on + timedelta(days=32)).replace(day=1), "Asia/Taipei")
        assert one.closing == sum(mrr for begins, ends, mrr in worth if begins < end <= ends)
        assert one.moved == one.moved_count == 0
    for by in ("plan", "store", "channel"):
        _assert_chained(revenue(lives, JANUARY + 14 * MONTH, by=by))
    with transaction():
        assert len(db.session.scalars(select(PlanRevenue)).all()) > 50


def _assert_chained(cells: list[Revenue]) -> None:
    last: dict[Any, tuple[int, int]] = {}
    for one in cells:
        key = (one.cell.plan, one.cell.store, one.cell.channel)
        assert (one.opening, one.opening_count) == last.get(key, (0, 0))
        last[key] = (one.closing, one.closing_count)
