"""What must be true of plans: after every step, and when nothing is left to do."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from sqlalchemy import Row, select, text

from kernel import clock
from kernel.db import db
from kernel.outbox import Outbox
from kernel.transaction import transaction
from members.notices import TOPIC
from subs import wording
from subs.models import Period, PlanSchedule, Subscription, SubscriptionEvent
from subs.states import REMARKS, TRANSITIONS
from tests.faults import truth
from tests.faults.plan_stage import PlanStage

_DAILY, _DAY = (1, "day"), timedelta(days=1)

_BROKEN: Mapping[str, str] = {
    "a period is paid for at most once": """
        SELECT purpose_id FROM payment
        WHERE purpose = 'subscription_period' AND status = 'succeeded'
        GROUP BY purpose_id HAVING count(*) > 1
    """,
    "a period that costs something was paid, by an order, a renewal or somebody before": """
        SELECT period.id, period.number FROM period
        WHERE period.status = 'paid' AND period.price > 0
          AND NOT EXISTS (
            SELECT FROM payment WHERE purpose_id = period.id AND payment.status = 'succeeded')
          AND NOT EXISTS (
            SELECT FROM lot WHERE lot.source = 'period' AND lot.source_id = period.id
               AND lot.order_item_id IS NOT NULL)
    """,
    "nobody is charged for the periods of a plan twice on one day": """
        SELECT period.subscription_id, (payment.settled_at AT TIME ZONE 'Asia/Taipei')::date
        FROM payment JOIN period ON period.id = payment.purpose_id
        WHERE payment.purpose = 'subscription_period' AND payment.status = 'succeeded'
        GROUP BY 1, 2 HAVING count(*) > 1
    """,
    "a paid period is granted what it was sold for, once, and no other is": """
        SELECT period.id, period.number, period.status, count(lot.id), sum(lot.units), sum(lot.net)
        FROM period JOIN subscription ON subscription.id = period.subscription_id
        JOIN offer_version version ON version.id = period.offer_version_id
        JOIN plan_schedule schedule ON schedule.offer_version_id = version.id
        LEFT JOIN lot ON lot.member_id = subscription.member_id AND lot.source = 'period'
             AND lot.source_id = period.id AND lot.ordinal = 1
        GROUP BY period.id, version.id, schedule.offer_version_id
        HAVING count(lot.id) <> (period.status = 'paid' AND NOT (
                   period.number = 0 AND version.cups > 0 AND schedule.trial_cups = 0))::int
            OR sum(lot.units) <> CASE WHEN period.number = 0 AND version.cups > 0
                                      THEN schedule.trial_cups ELSE version.cups END
            OR sum(lot.net) <> period.net OR sum(lot.vat) <> period.vat
    """,
    "what is granted again is of a plan that grants again, and never more often than it may": """
        SELECT period.id, count(*) FROM lot
        JOIN period ON period.id = lot.source_id AND lot.source = 'period'
        JOIN plan_schedule schedule ON schedule.offer_version_id = period.offer_version_id
        GROUP BY period.id, schedule.offer_version_id
        HAVING max(lot.ordinal) > 1 AND schedule.grant_count IS NULL
            OR count(*) > 1 + extract(day FROM period.ends_at - period.starts_at) / 7
    """,
    "periods do not overlap": """
        SELECT one.subscription_id, one.number, other.number FROM period one
        JOIN period other ON other.subscription_id = one.subscription_id
         AND other.number > one.number AND other.starts_at < one.ends_at
    """,
    "all periods but the newest are paid, and none is left out": """
        SELECT subscription_id, count(*) FROM period GROUP BY subscription_id
        HAVING count(*) <> max(number) - min(number) + 1
            OR count(*) FILTER (WHERE status <> 'paid') > 1
            OR max(number) <> coalesce(max(number) FILTER (WHERE status <> 'paid'), max(number))
    """,
    "what has ended has no period that is due": """
        SELECT period.id FROM period JOIN subscription ON subscription.id = subscription_id
        WHERE period.status = 'due' AND ended_at IS NOT NULL
    """,
    "a change that cost something was paid": """
        SELECT id FROM plan_change
        WHERE status = 'applied' AND amount > 0 AND NOT EXISTS (
            SELECT FROM payment WHERE purpose_id = plan_change.id AND status = 'succeeded')
    """,
    "a line of an order begins what it was for, once": """
        SELECT item.id, item.quantity, count(subscription.id) FROM order_item item
        JOIN voucher_order placed ON placed.id = item.order_id
        JOIN offer_version version ON version.id = item.offer_version_id
        JOIN offer ON offer.id = version.offer_id AND offer.kind = 'plan'
        LEFT JOIN subscription ON subscription.order_item_id = item.id AND ordinal IS NOT NULL
        WHERE item.gift_periods IS NULL
        GROUP BY item.id, placed.status
        HAVING count(subscription.id) > item.quantity
            OR (placed.status <> 'fulfilled' AND count(subscription.id) > 0)
    """,
    "periods that were paid before are never more than were sold": """
        SELECT item.id FROM order_item item
        JOIN period ON EXISTS (
            SELECT FROM lot JOIN subscription ON subscription.id = lot.subscription_id
            WHERE lot.source = 'period' AND lot.source_id = period.id
              AND lot.order_item_id = item.id)
        WHERE item.gift_periods IS NOT NULL
        GROUP BY item.id HAVING count(*) > item.quantity * item.gift_periods
    """,
}
"""Rows that must not be there, by what they would break."""

_UNDONE: Mapping[str, str] = {
    "a paid line of an order has begun": """
        SELECT item.id FROM order_item item
        JOIN voucher_order placed ON placed.id = item.order_id AND placed.status = 'fulfilled'
        JOIN offer_version version ON version.id = item.offer_version_id
        JOIN offer ON offer.id = version.offer_id AND offer.kind = 'plan'
        LEFT JOIN subscription ON subscription.order_item_id = item.id AND ordinal IS NOT NULL
        WHERE item.gift_periods IS NULL
        GROUP BY item.id HAVING count(subscription.id) <> item.quantity
    """,
    "what was paid for a period paid it": """
        SELECT payment.id, period.status FROM payment JOIN period ON period.id = payment.purpose_id
        WHERE payment.status = 'succeeded' AND period.status <> 'paid'
    """,
    "what was paid for a change made it": """
        SELECT payment.id, one.status FROM payment JOIN plan_change one ON one.id = purpose_id
        WHERE payment.status = 'succeeded'
          AND (one.status <> 'applied' OR one.payment_id <> payment.id)
    """,
    "no change waits to be paid": "SELECT id FROM plan_change WHERE status = 'asked'",
    "nothing is leased": """
        SELECT id FROM subscription WHERE due_at <= :now OR leased_until > :now
    """,
    "a period of which nobody knows waits for its cardholder": """
        SELECT period.id, payment.status FROM period JOIN payment ON payment.id = payment_id
        WHERE period.asked_at IS NULL OR payment.status <> 'requires_action'
    """,
}
"""What must not be left when nothing is due."""

_SUCCESS = {
    one.name
    for one in (
        wording.RENEWED, wording.CONVERTED, wording.RECOVERED, wording.RESUMED, wording.GOES_ON,
    )
}  # fmt: skip
_SUCCESS |= {wording.LESS[name].name for name in _SUCCESS}
_FAILURE = {
    one.name for one in (wording.RENEWAL_FAILED, wording.CARD_WANTED, wording.AUTHENTICATION_WANTED)
}
_TAIPEI = ZoneInfo("Asia/Taipei")


def check_now(stage: PlanStage, *, with_books: bool) -> None:
    """What holds after every step, whatever died and whatever is still on its way."""
    broken = {what: rows for what, asked in _BROKEN.items() if (rows := _rows(asked))}
    assert not broken, broken
    assert not (odd := list(_odd_histories())), odd
    assert not (odd := list(_odd_dates())), odd
    assert not (odd := list(_odd_notices())), odd
    truth.check_now(stage, with_books=with_books)


def check_at_the_end(stage: PlanStage) -> None:
    """What holds when every event was heard and every duty done."""
    check_now(stage, with_books=False)
    left = {what: rows for what, asked in _UNDONE.items() if (rows := _rows(asked))}
    assert not left, left
    truth.check_at_the_end(stage)


def _rows(asked: str) -> list[Any]:
    with transaction():
        given = {"now": clock.now()} if ":now" in asked else {}
        return [tuple(row) for row in db.session.execute(text(asked), given)]


def _odd_histories() -> Iterator[object]:
    """Changes of a status that are not written down, or that there are not."""
    with transaction():
        standing = {one.id: one.status for one in db.session.scalars(select(Subscription))}
        told = db.session.scalars(
            select(SubscriptionEvent).order_by(
                SubscriptionEvent.subscription_id, SubscriptionEvent.id
            )
        ).all()
    before: dict[UUID, str] = {}
    for one in told:
        of = one.subscription_id
        if one.from_status != before.get(of):
            yield "out of order", of, one.cause, one.from_status, before.get(of)
        is_remark = one.from_status == one.to_status
        known = REMARKS if is_remark else TRANSITIONS.get((one.from_status, one.to_status), ())
        if one.cause not in known:
            yield "there is no such", one.from_status, one.to_status, one.cause
        before[of] = one.to_status
    if before != standing:
        yield "not written down", set(before.items()) ^ set(standing.items())


@dataclass
class _Calendar:
    """Where the periods of a plan are: so many intervals from an anchor, by the wall clock."""

    anchor_at: datetime
    number: int
    every: tuple[int, str]

    def starts_at(self, number: int) -> datetime:
        count, unit = self.every
        step = relativedelta(**{f"{unit}s": count * (number - self.number)})  # type: ignore[arg-type]
        return self.anchor_at.astimezone(_TAIPEI) + step


def _odd_dates() -> Iterator[object]:
    """Periods that are not where the anchor of their plan has them.

    The anchor stays, but for a trial's end, another interval, a pause, what was paid late and is
    not back-dated, and days that a daily plan let go.
    """
    with transaction():
        rows = db.session.execute(
            select(Period, PlanSchedule, Subscription.anchor_at, Subscription.anchor_number)
            .join(PlanSchedule, PlanSchedule.offer_version_id == Period.offer_version_id)
            .join(Subscription, Subscription.id == Period.subscription_id)
            .order_by(Period.subscription_id, Period.number)
        ).all()
        pauses = set(
            db.session.execute(
                select(SubscriptionEvent.subscription_id).where(SubscriptionEvent.cause == "paused")
            ).scalars()
        )
        let_go: dict[UUID, set[int]] = defaultdict(set)
        for event in db.session.scalars(
            select(SubscriptionEvent).where(SubscriptionEvent.cause == "days_let_go")
        ):
            let_go[event.subscription_id].add(event.facts["number"])
    for one, theirs in groupby(rows, key=lambda row: row[0].subscription_id):
        yield from _odd_dates_of(list(theirs), has_paused=one in pauses, let_go=let_go[one])


def _odd_dates_of(
    rows: Sequence[Row[Any]], *, has_paused: bool, let_go: Collection[int]
) -> Iterator[object]:
    (first, schedule, _, _) = rows[0]
    is_trial = first.number == 0
    every = (schedule.trial_days, "day") if is_trial else _every(schedule)
    calendar = _Calendar(first.starts_at, first.number, every)
    yield from _misplaced(first, calendar)
    for (last, _, _, _), (period, schedule, _, _) in pairwise(rows):
        is_late = not schedule.back_dates and period.paid_at == period.starts_at
        has_gap = period.number in let_go and _every(schedule) == _DAILY
        if has_gap and (period.starts_at - calendar.starts_at(period.number)) % _DAY:
            yield "another time of day", period.subscription_id, period.number, period.starts_at
        is_anew = period.starts_at > last.ends_at and (has_paused or is_late or has_gap)
        if is_anew or _every(schedule) != calendar.every:
            calendar = _Calendar(period.starts_at, period.number, _every(schedule))
            if period.starts_at < last.ends_at:
                yield "too early", period.subscription_id, period.number
        yield from _misplaced(period, calendar)
    *_, (_, _, anchor_at, anchor_number) = rows
    if not is_trial and calendar.starts_at(anchor_number) != anchor_at and not has_paused:
        yield "anchor", rows[0][0].subscription_id, anchor_at, anchor_number


def _misplaced(period: Period, calendar: _Calendar) -> Iterator[object]:
    where = calendar.starts_at(period.number), calendar.starts_at(period.number + 1)
    if (period.starts_at, period.ends_at) != where:
        yield period.subscription_id, period.number, period.starts_at, period.ends_at, where


def _every(schedule: PlanSchedule) -> tuple[int, str]:
    return schedule.every_count, schedule.every_unit


def _odd_notices() -> Iterator[object]:
    """A success that was told of what is not paid, told twice, or not told.

    A first period is no renewal: of that its order tells. And no more failures are told than
    there were.
    """
    with transaction():
        told = db.session.execute(
            select(Outbox.member_id, Outbox.facts).where(Outbox.topic == TOPIC)
        ).all()
        rows = db.session.execute(
            select(
                Subscription.id, Subscription.member_id, Period.number, Period.ends_at,
                Period.attempts, Period.status, Period.id.label("period_id"),
            ).join(Period, Period.subscription_id == Subscription.id)
            .order_by(Subscription.id, Period.number)
        ).all()  # fmt: skip
    renewals = [row for _, theirs in groupby(rows, key=lambda row: row.id) for row in [*theirs][1:]]
    paid = Counter((row.member_id, row.ends_at) for row in renewals if row.status == "paid")
    said = Counter(
        (member_id, datetime.fromisoformat(facts["facts"]["ends_at"]))
        for member_id, facts in told
        if facts["notice"] in _SUCCESS
    )
    if paid != said:
        yield "paid but not said", paid - said, "said but not paid", said - paid
    attempts = {str(row.period_id): row.attempts for row in renewals}
    failures = [facts["facts"] for _, facts in told if facts["notice"] in _FAILURE]
    failed = Counter(facts["period_id"] for facts in failures)
    yield from ((one, n) for one, n in failed.items() if n > attempts[one])
