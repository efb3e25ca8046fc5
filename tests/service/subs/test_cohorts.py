"""Retention of cohorts, and that the survival curve of another program says the same."""

import random
import warnings
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta

from kernel.transaction import transaction
from subs.statistics.asking import Asked
from subs.statistics.queries import Retention, list_retention
from tests.service.subs.lives import MONTH, Lives

JANUARY = datetime(2026, 1, 10, 4, 0, tzinfo=UTC)
TAIPEI = ZoneInfo("Asia/Taipei")


def retention(lives: Lives, now: datetime, *, ages: int = 36, by: str = "month") -> list[Retention]:
    lives.recount(now)
    with transaction():
        return list(list_retention(Asked(date(2026, 1, 1), date(2028, 12, 1), by=by), ages=ages))


def test_who_has_not_ended_at_an_age_is_retained(lives: Lives):
    for months in (1, 1, 2, 5):
        life = lives.begin(at=JANUARY)
        life.end(life.pay_months(1, months, since=JANUARY))

    cohort = retention(lives, JANUARY + 12 * MONTH, ages=5)

    assert [(one.age, one.retained) for one in cohort] == [
        (0, 4), (1, 2), (2, 1), (3, 1), (4, 1), (5, 0),
    ]  # fmt: skip
    assert cohort[1].rate == Decimal("0.5")


def test_who_ends_within_a_month_was_retained_until_then(lives: Lives):
    for days in (10, 45):
        life = lives.begin(at=JANUARY)
        life.pay_months(1, 2, since=JANUARY)
        life.end(JANUARY + timedelta(days=days))

    cohort = retention(lives, JANUARY + 12 * MONTH, ages=2)

    assert [one.retained for one in cohort] == [2, 1, 0]


def test_a_cohort_is_not_mature_before_the_last_of_it_has_had_so_many_months(lives: Lives):
    for at in (JANUARY, datetime(2026, 1, 31, 15, 0, tzinfo=UTC)):
        lives.begin(at=at).pay_months(1, 1, since=at)
    midnight = datetime(2026, 2, 28, 16, 0, tzinfo=UTC)

    early, late = retention(lives, midnight - timedelta(hours=1)), retention(lives, midnight)

    assert [(one.is_mature, one.rate) for one in early] == [(True, 1), (False, None)]
    assert [(one.is_mature, one.rate) for one in late] == [(True, 1), (True, 1), (False, None)]


def test_a_cohort_is_of_the_plan_that_was_bought(lives: Lives):
    lives.add_plan("large", price=945)
    changed, at_once = lives.begin(at=JANUARY), lives.begin(at=JANUARY)
    changed.pay(1, JANUARY, JANUARY + MONTH)
    changed.pay(2, JANUARY + MONTH, JANUARY + 2 * MONTH, code="large")
    period_id = at_once.pay(1, JANUARY, JANUARY + MONTH, code="large")
    at_once.change(period_id, "large", at=JANUARY + timedelta(days=1))

    cohort = retention(lives, JANUARY + 2 * MONTH, ages=1, by="plan")

    assert [(one.cell.plan, one.age, one.retained) for one in cohort] == [
        ("monthly", 0, 2),
        ("monthly", 1, 2),
    ]


def at_random(lives: Lives, seed: int) -> list[tuple[datetime, datetime | None]]:
    """When sixty lives began and ended."""
    chance = random.Random(seed)  # noqa: S311  examples, not secrets
    told = []
    for _ in range(60):
        at = JANUARY + timedelta(hours=chance.randrange(24 * 200))
        life = lives.begin(at=at)
        until = life.pay_months(1, 1, since=at)
        months = chance.randrange(1, 14)
        ended_at = at + months * MONTH - timedelta(hours=chance.choice([0, 0, 30, 300]))
        is_over = chance.random() < 0.8
        if is_over:
            life.end(max(until, ended_at))
        told.append((at, max(until, ended_at) if is_over else None))
    return told


def age(began_at: datetime, at: datetime, *, is_full: bool) -> int:
    """How many months had begun (or were full) between two moments, in the member's calendar."""
    began, then = (one.astimezone(TAIPEI).replace(tzinfo=None) for one in (began_at, at))
    months = 0
    while began + relativedelta(months=months + 1) <= then:
        months += 1
    return months if is_full or began + relativedelta(months=months) == then else months + 1


def test_the_survival_curve_of_lifelines_agrees_with_each_cohort(lives: Lives):
    told, now = at_random(lives, 0), JANUARY + 15 * MONTH
    for month_on, cells in _by_cohort(retention(lives, now)).items():
        curve = _curve([one for one in told if _month(one[0]) == month_on], now)
        for one in cells:
            if one.is_mature:
                assert float(one.rate) == pytest.approx(curve.predict(one.age), abs=1e-9)


def test_the_survival_curve_of_lifelines_agrees_with_all_cohorts_together(lives: Lives):
    """Lives that were not watched longer are censored there; here, the cohort is not mature."""
    told, now = at_random(lives, 7), JANUARY + 15 * MONTH
    cohorts = _by_cohort(retention(lives, now))
    most = {on: max(one.age for one in cells if one.is_mature) for on, cells in cohorts.items()}
    curve = _fitted([_until(*one, now, most[_month(one[0])]) for one in told])

    survival = 1.0
    for months in range(1, max(most.values()) + 1):
        mature = [cells for on, cells in cohorts.items() if most[on] >= months]
        if at_risk := sum(cells[months - 1].retained for cells in mature):
            survival *= sum(cells[months].retained for cells in mature) / at_risk
        assert survival == pytest.approx(curve.predict(months), abs=1e-9)


def _by_cohort(cells: list[Retention]) -> dict[date, list[Retention]]:
    cohorts: dict[date, list[Retention]] = {}
    for one in cells:
        cohorts.setdefault(one.cell.month_on, []).append(one)
    return cohorts


def _month(at: datetime) -> date:
    return at.astimezone(TAIPEI).date().replace(day=1)


def _until(
    began_at: datetime, ended_at: datetime | None, now: datetime, seen: int = 99
) -> tuple[int, bool]:
    """At which age a life ended, or (False) up to which it was seen running."""
    if ended_at is not None and (died := age(began_at, ended_at, is_full=False)) <= seen:
        return died, True
    return min(seen, age(began_at, now, is_full=True)), False


def _curve(lives: list[tuple[datetime, datetime | None]], now: datetime):
    return _fitted([_until(*one, now) for one in lives])


def _fitted(observed: list[tuple[int, bool]]):
    durations, events = zip(*observed, strict=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # here, since it takes two seconds that only one test worker has to spend
        from lifelines import KaplanMeierFitter  # noqa: PLC0415

        return KaplanMeierFitter().fit(durations, events)
