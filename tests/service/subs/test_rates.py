"""Renewal rates: counted from the periods, the same whenever they are counted."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from kernel.transaction import transaction
from subs.statistics.asking import Asked
from subs.statistics.queries import Renewals, Report, list_renewals, list_reports
from tests.service.subs.lives import Life, Lives

GRACE = timedelta(days=28)
MID_MARCH = datetime(2026, 3, 15, 4, 0, tzinfo=UTC)
LATER = datetime(2026, 6, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


def ended(
    lives: Lives, ends_at: datetime, *, renewed_after: timedelta | None = None, attempts: int = 1
) -> Life:
    """A subscription with a paid period that ends then, and perhaps its paid successor."""
    begun_at = ends_at - timedelta(days=30)
    life = lives.begin(at=begun_at)
    life.pay(1, begun_at, ends_at)
    if renewed_after is not None:
        life.pay(2, ends_at, ends_at + timedelta(days=30), late=renewed_after, attempts=attempts)
    return life


def counted(lives: Lives, now: datetime, *, by: str = "month") -> list[Renewals]:
    lives.recount(now)
    return read(Asked(date(2026, 1, 1), date(2027, 12, 1), by=by))


def read(asked: Asked) -> list[Renewals]:
    with transaction():
        return list_renewals(asked)


def figures(one: Renewals) -> tuple[str, int, int, int]:
    return one.cell.month, one.due, one.on_time, one.renewed


def of(renewals: list[Renewals], month: str) -> Renewals:
    (found,) = [one for one in renewals if one.cell.month == month]
    return found


def test_a_cohort_counts_who_was_renewed_and_when(lives: Lives):
    ended(lives, MID_MARCH, renewed_after=timedelta(seconds=5))
    ended(lives, MID_MARCH, renewed_after=timedelta(days=9), attempts=3)
    ended(lives, MID_MARCH, renewed_after=timedelta(days=40), attempts=1)
    ended(lives, MID_MARCH)

    march = of(counted(lives, LATER), "2026-03")

    assert figures(march) == ("2026-03", 4, 1, 2)
    assert march.on_time_rate == Decimal("0.25")
    assert march.renewal_rate == Decimal("0.5")


@pytest.mark.parametrize(("after", "renewed"), [(GRACE, 1), (GRACE + timedelta(microseconds=1), 0)])
def test_the_last_moment_of_grace_counts(lives: Lives, after: timedelta, renewed: int):
    ended(lives, MID_MARCH, renewed_after=after, attempts=5)

    march = of(counted(lives, LATER), "2026-03")

    assert figures(march) == ("2026-03", 1, 0, renewed)


def test_a_month_begins_at_midnight_where_the_chain_is(lives: Lives):
    ended(lives, datetime(2026, 3, 31, 15, 59, tzinfo=UTC))
    ended(lives, datetime(2026, 3, 31, 16, 0, tzinfo=UTC))

    cohorts = counted(lives, LATER)

    assert [figures(one)[:2] for one in cohorts] == [("2026-03", 1), ("2026-04", 1)]


def test_what_has_not_ended_or_was_never_paid_is_not_due(lives: Lives):
    ended(lives, MID_MARCH)
    ended(lives, MID_MARCH + timedelta(days=3))
    begun_at = MID_MARCH - timedelta(days=30)
    lives.begin(at=begun_at).owe(1, begun_at, MID_MARCH, status="unpaid")

    (march,) = counted(lives, MID_MARCH + timedelta(seconds=1))

    assert march.due == 1


def test_the_end_of_a_trial_and_a_free_plan_are_no_renewals(lives: Lives):
    lives.add_plan("free", price=0)
    begun_at = MID_MARCH - timedelta(days=30)
    lives.begin(at=begun_at, trial_until=MID_MARCH)
    lives.begin("free", at=begun_at).pay(1, begun_at, MID_MARCH)

    assert counted(lives, LATER) == []


def test_a_cohort_has_no_rate_before_the_grace_of_its_last_period(lives: Lives):
    ended(lives, MID_MARCH, renewed_after=timedelta(0))
    last = datetime(2026, 3, 25, tzinfo=UTC)
    ended(lives, last)

    early = of(counted(lives, last + GRACE - timedelta(hours=2)), "2026-03")
    late = of(counted(lives, last + GRACE), "2026-03")

    assert (early.is_mature, early.renewal_rate) == (False, None)
    assert (late.is_mature, late.renewal_rate) == (True, Decimal("0.5"))


def test_a_month_that_is_not_over_is_not_mature_however_short_the_grace(lives: Lives):
    lives.add_plan("strict", grace_days=0)
    begun_at = MID_MARCH - timedelta(days=30)
    lives.begin("strict", at=begun_at).pay(1, begun_at, MID_MARCH)

    (march,) = counted(lives, MID_MARCH + timedelta(days=1))

    assert not march.is_mature
    assert march.matures_at == datetime(2026, 3, 31, 16, 0, tzinfo=UTC)


def test_who_rests_is_due_when_the_pause_ends(lives: Lives):
    resumed_at = MID_MARCH + timedelta(days=50)
    back = ended(lives, MID_MARCH)
    back.tell("active", "paused", "paused", at=MID_MARCH)
    back.tell("paused", "active", "resumed", at=resumed_at)
    back.pay(2, resumed_at, resumed_at + timedelta(days=30))
    left = ended(lives, MID_MARCH)
    left.tell("active", "paused", "paused", at=MID_MARCH)
    left.end(resumed_at, before="paused")
    resting = ended(lives, MID_MARCH)
    resting.tell("active", "paused", "paused", at=MID_MARCH + timedelta(hours=1))

    cohorts = counted(lives, resumed_at + timedelta(days=25))

    assert [figures(one) for one in cohorts] == [("2026-05", 2, 1, 1)]


def test_a_cohort_of_each_plan_store_and_channel(lives: Lives):
    lives.add_plan("weekly", every="week")
    begun_at = MID_MARCH - timedelta(days=7)
    ended(lives, MID_MARCH)
    for store, channel in (("W", "web"), ("A", "app")):
        life = lives.begin("weekly", at=begun_at, store=store, channel=channel)
        life.pay(1, begun_at, MID_MARCH)

    def parts(by: str) -> list[tuple[object, ...]]:
        told = [(one.cell.plan, one.cell.version, one.cell.store, one.cell.channel, one.due)
                for one in counted(lives, LATER, by=by)]  # fmt: skip
        return sorted(told, key=str)

    assert parts("month") == [(None, None, None, None, 3)]
    assert parts("plan") == [("monthly", None, None, None, 1), ("weekly", None, None, None, 2)]
    assert parts("version") == [("monthly", 1, None, None, 1), ("weekly", 1, None, None, 2)]
    assert parts("store") == [(None, None, "A", None, 1), (None, None, "W", None, 2)]
    assert parts("channel") == [(None, None, None, "app", 2), (None, None, None, "web", 1)]


def test_only_what_is_named_is_counted(lives: Lives):
    lives.add_plan("weekly", every="week")
    begun_at = MID_MARCH - timedelta(days=7)
    lives.begin("weekly", at=begun_at, store="A").pay(1, begun_at, MID_MARCH)
    ended(lives, MID_MARCH)
    lives.recount(LATER)
    span = (date(2026, 3, 1), date(2026, 3, 1))

    named = [
        read(Asked(*span, plan="weekly")),
        read(Asked(*span, store_id=lives.world.stores["A"])),
        read(Asked(*span, channel="app")),
        read(Asked(*span, channel="counter")),
    ]

    assert [[one.due for one in found] for found in named] == [[1], [1], [2], []]


def reported(lives: Lives, now: datetime) -> dict[str, tuple[int, int]]:
    lives.recount(now)
    with transaction():
        found: list[Report] = list_reports(Asked(date(2025, 1, 1), date(2029, 12, 1)))
    return {one.cell.month: (one.due, one.renewed) for one in found}


def test_yearly_plans_are_reported_from_seven_to_eighteen_months_after_they_were_due(lives: Lives):
    lives.add_plan("yearly", every="year", price=5250)
    life = lives.begin("yearly", at=MID_MARCH - YEAR)
    life.pay(1, MID_MARCH - YEAR, MID_MARCH)
    ended(lives, MID_MARCH)  # a monthly plan is none of it

    months = reported(lives, datetime(2028, 6, 1, tzinfo=UTC))

    first, rest = ["2026-10", "2026-11", "2026-12"], [f"2027-0{n}" for n in range(1, 10)]
    assert list(months) == first + rest
    assert set(months.values()) == {(1, 0)}


def test_a_late_renewal_and_a_plan_bought_anew_count_from_when_they_came(lives: Lives):
    lives.add_plan("yearly", every="year", price=5250)
    late, back = (lives.begin("yearly", at=MID_MARCH - YEAR) for _ in range(2))
    for life in (late, back):
        life.pay(1, MID_MARCH - YEAR, MID_MARCH)
    late.pay(2, MID_MARCH, MID_MARCH + YEAR, late=timedelta(days=240))
    back.end(MID_MARCH)
    bought_at = datetime(2027, 2, 3, tzinfo=UTC)
    again = lives.begin("yearly", at=bought_at, member_id=back.member_id)
    again.pay(1, bought_at, bought_at + YEAR)

    months = reported(lives, datetime(2027, 4, 1, tzinfo=UTC))

    assert months["2026-10"] == (2, 0)
    assert months["2026-11"] == (2, 1)
    assert months["2027-01"] == (2, 1)
    assert months["2027-02"] == (2, 2)
    assert "2027-04" not in months
