"""What has happened since: two statements for all stores that anybody follows.

Rows are the truth and nobody rings for them: the writing path of a redemption does nothing for
those who look on. Ids sort by the time at which they were made, but are seen when their transaction
has committed, so each look goes back a while: first it asks for the ids alone, and then for the
facts of those that were not told before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from kernel.ids import new_id
from stream.place import before

_REPLAYS_MS = 600_000
"""Whoever was away for longer than this reads the day sheet instead."""

_IDS = """
WITH followed AS (SELECT unnest($1::uuid[]) AS store_id)
SELECT id FROM redemption
WHERE id > $2::uuid AND store_id IN (SELECT store_id FROM followed)
UNION ALL
SELECT id FROM redemption_void
WHERE id > $2::uuid AND store_id IN (SELECT store_id FROM followed)
UNION ALL
SELECT id FROM turned_away
WHERE id > $2::uuid AND store_id IN (SELECT store_id FROM followed)
"""

_FACTS = """
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
    WHERE redemption.id {which} AND redemption.store_id IN (SELECT store_id FROM followed)
    UNION ALL
    SELECT 'void', undone.id, undone.store_id, jsonb_build_object(
               'id', undone.id, 'redemption_id', undone.redemption_id, 'staff_id', undone.staff_id,
               'cups', undone.cups, 'voided_at', undone.voided_at)
    FROM redemption_void AS undone
    WHERE undone.id {which} AND undone.store_id IN (SELECT store_id FROM followed)
    UNION ALL
    SELECT 'turned_away', refused.id, refused.store_id, jsonb_build_object(
               'id', refused.id, 'reason', refused.reason, 'staff_id', refused.staff_id,
               'cups', refused.cups, 'product_id', refused.product_id,
               'turned_away_at', refused.turned_away_at)
    FROM turned_away AS refused
    WHERE refused.id {which} AND refused.store_id IN (SELECT store_id FROM followed)
) AS happened
ORDER BY happened.id
"""
_SINCE = _FACTS.replace("{which}", "> $2::uuid")
_THESE = _FACTS.replace("{which}", "= ANY ($2::uuid[])")


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened at a store."""

    kind: str
    id: UUID
    store_id: UUID
    facts: dict[str, Any]


async def ids_since(
    connection: AsyncConnection[Any], stores: Iterable[UUID], *, since: UUID
) -> list[UUID]:
    """The rows of what happened at these stores after `since`, in no order."""
    found = await connection.execute(_IDS, [list(stores), since])
    return [row[0] for row in await found.fetchall()]


async def news_of(
    connection: AsyncConnection[Any], stores: Iterable[UUID], *, ids: Sequence[UUID]
) -> Sequence[News]:
    """What these rows tell, in the order of ids."""
    found = await connection.execute(_THESE, [list(stores), ids])
    return [News(*row) for row in await found.fetchall()]


async def news_since(
    connection: AsyncConnection[Any], store_id: UUID, *, since: UUID
) -> Sequence[News]:
    """What happened at a store after `since`, in the order of ids."""
    found = await connection.execute(_SINCE, [[store_id], since])
    return [News(*row) for row in await found.fetchall()]


def long_ago() -> UUID:
    """Before all that is told to those who come back."""
    return before(new_id(), _REPLAYS_MS)
