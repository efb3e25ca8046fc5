"""What has happened since: one statement for all stores that anybody follows.

Rows are the truth and nobody rings for them: the writing path of a redemption does nothing for
those who look on. Ids sort by the time at which they were made, but are seen when their transaction
has committed, so each look goes back a while, and what was told before is left out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from kernel.ids import new_id

_LOOKS_BACK_MS = 30_000
"""No transaction lives longer: the hot path's statements end after ten seconds."""

_REPLAYS_MS = 600_000
"""Whoever was away for longer than this reads the day sheet instead."""

_MS = 80
"""A UUIDv7 begins with its milliseconds: they stand above so many bits."""

_NEWS = """
WITH followed AS (SELECT unnest($1::uuid[]) AS store_id)
SELECT happened.kind, happened.id, happened.store_id, happened.facts
FROM (
    SELECT 'redemption' AS kind, redemption.id, redemption.store_id, jsonb_build_object(
               'id', redemption.id, 'staff_id', redemption.staff_id,
               'device_id', redemption.device_id, 'cups', redemption.cups,
               'redeemed_at', redemption.redeemed_at, 'is_offline', redemption.is_offline,
               'items', (
                   SELECT jsonb_agg(jsonb_build_object('product_id', product_id, 'cups', cups))
                   FROM (
                       SELECT line.product_id, sum(line.cups) AS cups
                       FROM redemption_line AS line
                       WHERE line.member_id = redemption.member_id
                         AND line.redemption_id = redemption.id
                       GROUP BY line.product_id ORDER BY line.product_id
                   ) AS drink
               )) AS facts
    FROM redemption
    WHERE redemption.id > $2::uuid AND redemption.store_id IN (SELECT store_id FROM followed)
    UNION ALL
    SELECT 'void', undone.id, undone.store_id, jsonb_build_object(
               'redemption_id', undone.redemption_id, 'staff_id', undone.staff_id,
               'cups', undone.cups, 'voided_at', undone.voided_at)
    FROM redemption_void AS undone
    WHERE undone.id > $2::uuid AND undone.store_id IN (SELECT store_id FROM followed)
    UNION ALL
    SELECT 'turned_away', refused.id, refused.store_id, jsonb_build_object(
               'reason', refused.reason, 'staff_id', refused.staff_id, 'cups', refused.cups,
               'product_id', refused.product_id, 'turned_away_at', refused.turned_away_at)
    FROM turned_away AS refused
    WHERE refused.id > $2::uuid AND refused.store_id IN (SELECT store_id FROM followed)
) AS happened
ORDER BY happened.id
"""

_LIVE = """
SELECT id FROM device WHERE id = ANY($1::uuid[]) AND revoked_at IS NULL
UNION ALL
SELECT office_session.id
FROM office_session JOIN staff ON staff.id = office_session.staff_id
WHERE office_session.id = ANY($1::uuid[]) AND office_session.ended_at IS NULL
  AND staff.disabled_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened at a store."""

    kind: str
    id: UUID
    store_id: UUID
    facts: dict[str, Any]


async def news_since(
    connection: AsyncConnection[Any], stores: Iterable[UUID], *, since: UUID
) -> Sequence[News]:
    """What happened at these stores after `since`, in the order of ids."""
    found = await connection.execute(_NEWS, [list(stores), since])
    return [News(*row) for row in await found.fetchall()]


async def live_of(connection: AsyncConnection[Any], principals: Iterable[UUID]) -> set[UUID]:
    """Which of these devices and office sessions may still follow."""
    found = await connection.execute(_LIVE, [list(principals)])
    return {row[0] for row in await found.fetchall()}


def a_while_ago() -> UUID:
    """Before whatever may still be on its way into the database."""
    return _before(new_id(), _LOOKS_BACK_MS)


def replayed_from(last: UUID) -> UUID:
    """Where to go on for whoever has heard of `last`: there, but not longer ago than is replayed.

    A while before it, since what was made before `last` may have been seen after it: who follows
    may hear something twice, by the same id, and misses nothing.
    """
    return max(_before(last, _LOOKS_BACK_MS), _before(new_id(), _REPLAYS_MS))


def _before(one: UUID, milliseconds: int) -> UUID:
    return UUID(int=max(0, (one.int >> _MS) - milliseconds) << _MS)
