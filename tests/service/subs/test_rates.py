"""Renewal rates: counted from the periods, the same whenever they are counted."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from flask import Flask

from kernel.db import db
from kernel.due import is_due
from kernel.ids import new_id
from kernel.transaction import transaction
from subs import Rate, list_rates
from subs.models import Period, Subscription
from subs.service import rates
from tests.club import Club
from tests.together import together

GRACE = timedelta(days=28)
MID_MARCH = datetime(2026, 3, 15, 4, 0, tzinfo=UTC)
LATER = datetime(2026, 6, 1, tzinfo=UTC)


def period_ended(
    club: Club,
    ends_at: datetime,
    *,
    renewed_after: timedelta | None = None,
    attempts: int = 1,
    status: str = "paid",
) -> UUID:
    """A subscription with a period that ends then, and perhaps its paid successor."""
    item = club.buy()
    subscription = Subscription(
        id=new_id(),
        member_id=club.member_id,
        offer_version_id=item.offer_version_id,
        order_item_id=item.id,
        store_id=club.world.stores["W"],
        anchor_at=ends_at - timedelta(days=30),
        time_zone="Asia/Taipei",
        due_at=ends_at,
        started_at=ends_at - timedelta(days=30),
    )
    paid_at = None if renewed_after is None else ends_at + renewed_after
    with transaction():
        db.session.add(subscription)
        db.session.flush()
        begun_at = subscription.started_at
        first = _period(subscription, ends_at, status=status, paid_at=begun_at, attempts=1)
        db.session.add(first)
        if paid_at is not None:
            after = ends_at + timedelta(days=30)
            renewal = _period(subscription, after, number=2, paid_at=paid_at, attempts=attempts)
            db.session.add(renewal)
    return subscription.id


def _period(
    one: Subscription,
    ends_at: datetime,
    *,
    number: int = 1,
    status: str = "paid",
    paid_at: datetime,
    attempts: int,
) -> Period:
    return Period(
        id=new_id(),
        subscription_id=one.id,
        number=number,
        starts_at=ends_at - timedelta(days=30),
        ends_at=ends_at,
        status=status,
        attempts=attempts,
        lapses_at=ends_at,
        paid_at=paid_at if status == "paid" else None,
    )


def counted(now: datetime) -> list[Rate]:
    with transaction():
        rates.refresh(now=now)
    with transaction():
        return list_rates(first=date(2026, 1, 1), last=date(2027, 12, 1))


def figures(rate: Rate) -> tuple[date, int, int, int]:
    row = rate.counted
    return row.month_on, row.due, row.on_time, row.renewed


def test_a_cohort_counts_who_was_renewed_and_when(club: Club):
    period_ended(club, MID_MARCH, renewed_after=timedelta(seconds=5))
    period_ended(club, MID_MARCH, renewed_after=timedelta(days=9), attempts=3)
    period_ended(club, MID_MARCH, renewed_after=timedelta(days=40), attempts=1)
    period_ended(club, MID_MARCH)

    march, *_ = counted(LATER)

    assert figures(march) == (date(2026, 3, 1), 4, 1, 2)
    assert march.on_time_rate == Decimal("0.25")
    assert march.renewal_rate == Decimal("0.5")


@pytest.mark.parametrize(("after", "renewed"), [(GRACE, 1), (GRACE + timedelta(microseconds=1), 0)])
def test_the_last_moment_of_grace_counts(club: Club, after: timedelta, renewed: int):
    period_ended(club, MID_MARCH, renewed_after=after, attempts=5)

    march, *_ = counted(LATER)

    assert figures(march) == (date(2026, 3, 1), 1, 0, renewed)


def test_a_month_begins_at_midnight_where_the_chain_is(club: Club):
    period_ended(club, datetime(2026, 3, 31, 15, 59, tzinfo=UTC))
    period_ended(club, datetime(2026, 3, 31, 16, 0, tzinfo=UTC))

    cohorts = counted(LATER)

    assert [figures(rate)[:2] for rate in cohorts] == [
        (date(2026, 3, 1), 1),
        (date(2026, 4, 1), 1),
    ]


def test_what_has_not_ended_or_was_never_paid_is_not_due(club: Club):
    period_ended(club, MID_MARCH)
    period_ended(club, MID_MARCH + timedelta(days=3))
    period_ended(club, MID_MARCH, status="unpaid")

    (march,) = counted(MID_MARCH)

    assert march.counted.due == 1


def test_a_cohort_has_no_rate_before_the_grace_of_its_last_period(club: Club):
    period_ended(club, MID_MARCH, renewed_after=timedelta(0))
    last = datetime(2026, 3, 25, tzinfo=UTC)
    period_ended(club, last)

    (early, *_), (late, *_) = counted(last + GRACE - timedelta(hours=2)), counted(last + GRACE)

    assert (early.is_mature, early.renewal_rate) == (False, None)
    assert (late.is_mature, late.renewal_rate) == (True, Decimal("0.5"))


def test_a_month_that_is_not_over_is_not_mature_however_short_the_grace(club: Club):
    club.add_plan("strict", grace_days=0)
    club.world.offers["monthly"] = club.world.offers["strict"]
    period_ended(club, MID_MARCH)

    (march,) = counted(MID_MARCH + timedelta(days=1))

    assert not march.is_mature
    assert march.counted.matures_at == datetime(2026, 3, 31, 16, 0, tzinfo=UTC)


def test_counting_again_gives_the_same_numbers(club: Club):
    for day in range(1, 20):
        late = timedelta(days=day) if day % 3 else None
        period_ended(club, MID_MARCH + timedelta(days=day), renewed_after=late, attempts=day)

    first, second = counted(LATER), counted(LATER + timedelta(hours=2))

    assert [figures(rate) for rate in first] == [figures(rate) for rate in second]
    assert first[0].counted.computed_at < second[0].counted.computed_at


def test_a_cohort_of_each_version_of_a_plan(club: Club):
    period_ended(club, MID_MARCH)
    club.add_plan("weekly", every="week")
    club.world.offers["monthly"] = club.world.offers["weekly"]
    period_ended(club, MID_MARCH)
    period_ended(club, MID_MARCH)

    cohorts = counted(LATER)

    assert [(rate.plan.code, rate.counted.due) for rate in cohorts] == [
        ("monthly", 1),
        ("weekly", 2),
    ]


def test_counting_is_due_once_a_period_has_ended_and_hourly_from_then_on(club: Club):
    period_ended(club, MID_MARCH)

    with transaction():
        assert not is_due(rates.DUTY, MID_MARCH - timedelta(seconds=1))
        assert is_due(rates.DUTY, MID_MARCH)
        rates.refresh(now=MID_MARCH)
        assert not is_due(rates.DUTY, MID_MARCH + timedelta(minutes=59))
        assert is_due(rates.DUTY, MID_MARCH + timedelta(hours=1))


def test_two_who_count_at_once_do_not_get_into_each_others_way(club: Club, app: Flask):
    period_ended(club, MID_MARCH)

    together(app, [lambda: rates.refresh(now=LATER)] * 8)

    with transaction():
        assert len(list_rates(first=date(2026, 3, 1), last=date(2026, 3, 1))) == 1
