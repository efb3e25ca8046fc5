"""A message every day of a paid period, to who asked for one: sent in sets, in the morning."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, select, text

from kernel.db import db
from kernel.errors import NotFound
from kernel.queue import Duty
from ledger.statement import filled
from subs.errors import SubscriptionEnded
from subs.models import Subscription
from subs.plan_notices import DAILY, DAILY_UNCOUNTED
from subs.service.rows import lock_own

TOLD_AT = time(9)
"""By the member's clock."""

_DAY = timedelta(days=1)


def ask_for_daily(
    *, member_id: UUID, subscription_id: UUID, is_wanted: bool, now: datetime
) -> Subscription:
    """Begin to tell a member every morning what is left of their plan, or stop it.

    The first message comes at the next nine o'clock where they are. Asking again changes nothing.

    Raises:
        NotFound: it is not the member's.
        SubscriptionEnded: there is nothing to tell of any more.
    """
    subscription = lock_own(member_id=member_id, subscription_id=subscription_id)
    if subscription.ended_at is not None:
        raise SubscriptionEnded(ended_as=subscription.status)
    if not is_wanted:
        subscription.tells_at = None
    elif subscription.tells_at is None:
        subscription.tells_at = next_morning(now, time_zone=subscription.time_zone)
    db.session.flush()
    return subscription


def get_daily(*, member_id: UUID, subscription_id: UUID) -> Subscription:
    """Answer a member's subscription, which says whether they are told every day.

    Raises:
        NotFound: it is not theirs.
    """
    found = db.session.get(Subscription, subscription_id)
    if found is None or found.member_id != member_id:
        raise NotFound
    return found


def next_morning(now: datetime, *, time_zone: str) -> datetime:
    """The next nine o'clock by the clock of a time zone, after `now`. Pure."""
    here = now.astimezone(ZoneInfo(time_zone))
    today = datetime.combine(here.date(), TOLD_AT, tzinfo=here.tzinfo)
    return (today if here < today else today + _DAY).astimezone(UTC)


def dailies_due(now: datetime) -> Select[UUID]:
    """The subscriptions whose message of the day has not been promised."""
    return select(Subscription.id).where(
        Subscription.tells_at <= now, Subscription.ended_at.is_(None)
    )


def mornings_of(member_id: ColumnElement[UUID]) -> Select[Any]:
    """When a member is to be told the message of the day."""
    asked_for = (Subscription.tells_at.is_not(None), Subscription.ended_at.is_(None))
    return select(Subscription.tells_at).where(Subscription.member_id == member_id, *asked_for)


DUTY = Duty("subs.plan_jobs.tell_daily", "nightly", dailies_due, mornings_of)


def tell_some(*, limit: int, now: datetime, whose: UUID | None = None) -> int:
    """Promise the message of the day to the next members, in one statement; answer how many.

    In the caller's transaction; those whom somebody else is at are left to them. Who is in no paid
    period (past due, paused), or has collected all, hears nothing that day. However late it is, a
    day has one message. After a change of plan within a period it is of the new plan.
    With `whose`, only that member is told.
    """
    asked = {
        "now": now,
        "limit": limit,
        "told_at": TOLD_AT,
        "counted": DAILY.name,
        "uncounted": DAILY_UNCOUNTED.name,
    }
    if whose is None:
        return int(db.session.scalar(_TELL, asked) or 0)
    return int(db.session.scalar(_TELL_ONE, {**asked, "whose": whose}) or 0)


_TELL_SQL = """
    WITH due AS (
        SELECT id, member_id, time_zone, offer_version_id FROM subscription
        WHERE tells_at <= :now AND ended_at IS NULL {whose}
        ORDER BY tells_at LIMIT :limit
        FOR UPDATE SKIP LOCKED
    ), moved AS (
        UPDATE subscription SET tells_at = (
            (CAST(:now AS timestamptz) AT TIME ZONE due.time_zone)::date + 1
            + CAST(:told_at AS time)
        ) AT TIME ZONE due.time_zone
        FROM due WHERE subscription.id = due.id
        RETURNING due.id
    ), told AS (
        INSERT INTO outbox
            (member_id, id, topic, facts, created_at, due_at, is_notice, is_open, tries)
        SELECT member_id, gen_random_uuid(), 'member.notice',
               jsonb_build_object(
                   'to', member_id,
                   'notice', CASE WHEN held.cups_left > 0 THEN CAST(:counted AS text)
                                    ELSE :uncounted END,
                   'facts', jsonb_build_object(
                       'plan', name,
                       'left', jsonb_build_object('count', held.cups_left, 'unit', unit),
                       'last_on', last_on,
                       'subscription_id', due.id)),
               :now, :now, true, true, 0
        FROM due
        CROSS JOIN LATERAL (
            SELECT ((ends_at - interval '1 microsecond')
                   AT TIME ZONE due.time_zone)::date AS last_on
            FROM period
            WHERE subscription_id = due.id AND status = 'paid'
              AND starts_at <= :now AND ends_at > :now
            ORDER BY number DESC LIMIT 1
        ) AS running
        JOIN offer_version version ON version.id = due.offer_version_id
        CROSS JOIN LATERAL (
            SELECT sum(units - used) AS cups_left FROM lot
            WHERE lot.member_id = due.member_id AND is_open AND lot.subscription_id = due.id
              AND lot.frozen_at IS NULL AND (lot.ends_at IS NULL OR lot.ends_at > :now)
        ) AS held
        WHERE held.cups_left IS NOT NULL
    )
    SELECT count(*) FROM moved
"""
_TELL = text(filled(_TELL_SQL, whose=""))
_TELL_ONE = text(filled(_TELL_SQL, whose="AND member_id = :whose"))
