"""What must be true of plans that are shared, given, left behind, or ahead of everybody's time."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from kernel import clock
from kernel.db import db
from kernel.transaction import transaction
from subs.plan_notices import MIGRATES

_BROKEN: Mapping[str, str] = {
    "no more share a plan than it has places, and nobody one that has ended": """
        SELECT subscription.id, count(*), max(sharers) FROM sharer
        JOIN subscription ON subscription.id = subscription_id
        JOIN plan_schedule ON plan_schedule.offer_version_id = subscription.offer_version_id
        WHERE left_at IS NULL AND joined_at IS NOT NULL
        GROUP BY subscription.id
        HAVING count(*) > max(sharers) OR bool_or(ended_at IS NOT NULL)
            OR bool_or(sharer.member_id = subscription.member_id)
    """,
    "who shares a plan collects from that plan alone": """
        SELECT line.member_id, line.redemption_id, line.lot_id
        FROM redemption
        JOIN credential ON credential.id = redemption.credential_id AND holder_id IS NOT NULL
        JOIN redemption_line line ON line.member_id = redemption.member_id
         AND line.redemption_id = redemption.id
        JOIN lot ON lot.member_id = line.member_id AND lot.id = line.lot_id
        WHERE lot.subscription_id IS DISTINCT FROM credential.subscription_id
           OR NOT EXISTS (
               SELECT FROM sharer WHERE sharer.subscription_id = credential.subscription_id
                  AND sharer.member_id = credential.holder_id)
    """,
    "no period begins by terms that were left behind before, if nobody chose them since": """
        SELECT period.subscription_id, period.number, period.starts_at, from_at
        FROM period JOIN plan_migration led ON from_version_id = period.offer_version_id
        WHERE period.starts_at >= from_at AND period.asked_at IS NULL AND EXISTS (
            SELECT FROM period earlier WHERE earlier.subscription_id = period.subscription_id
               AND earlier.number = period.number - 1 AND earlier.starts_at >= approved_at)
          AND NOT EXISTS (
            SELECT FROM subscription_event event
            WHERE event.subscription_id = period.subscription_id
              AND cause IN ('changed', 'migrated')
              AND facts ->> 'to' = period.offer_version_id::text
              AND event.at >= approved_at)
    """,
    "nobody is moved to other terms without having been told": f"""
        SELECT moved.subscription_id, moved.at FROM subscription_event moved
        JOIN subscription ON subscription.id = moved.subscription_id
        WHERE cause = 'migrated' AND NOT EXISTS (
            SELECT FROM outbox WHERE outbox.member_id = subscription.member_id
               AND facts ->> 'notice' = '{MIGRATES.name}' AND outbox.created_at <= moved.at)
    """,
    "a gift of periods is what has left its giver's lot": """
        SELECT gift.id, gift.status FROM gift
        JOIN gift_item item ON item.gift_id = gift.id
        JOIN lot ON lot.member_id = item.member_id AND lot.id = item.lot_id AND prepays_plan
        WHERE gift.status = 'open' AND lot.used < item.cups
    """,
}
"""Rows that must not be there, by what they would break."""

_UNDONE: Mapping[str, str] = {
    "every clock is where it was to go, and nobody holds it": """
        SELECT member_id, ahead, goal FROM member_clock
        WHERE ahead <> goal OR leased_until IS NOT NULL
    """,
    "everybody whose terms end was told": """
        SELECT id FROM plan_migration WHERE approved_at IS NOT NULL AND announced_at IS NULL
    """,
    "what is due by a member's clock is done": """
        SELECT subscription.id, due_at, ahead FROM subscription
        JOIN member_clock ON member_clock.member_id = subscription.member_id
        WHERE due_at <= :now + ahead
    """,
}
"""What must not be left when nothing is due."""


def check_now() -> None:
    """What holds after every step."""
    broken = {what: rows for what, asked in _BROKEN.items() if (rows := _rows(asked))}
    assert not broken, broken


def check_at_the_end() -> None:
    """What holds when every duty was done, by every clock."""
    check_now()
    left = {what: rows for what, asked in _UNDONE.items() if (rows := _rows(asked))}
    assert not left, left


def _rows(asked: str) -> list[Any]:
    with transaction():
        given = {"now": clock.common()} if ":now" in asked else {}
        return [tuple(row) for row in db.session.execute(text(asked), given)]
