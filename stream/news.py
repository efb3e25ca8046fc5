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
from stream.place import LOOKS_BACK_MS, before

_REPLAYS_MS = 600_000
"""Whoever was away for longer than this reads the day sheet instead."""

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
               'id', undone.id, 'redemption_id', undone.redemption_id, 'staff_id', undone.staff_id,
               'cups', undone.cups, 'voided_at', undone.voided_at)
    FROM redemption_void AS undone
    WHERE undone.id > $2::uuid AND undone.store_id IN (SELECT store_id FROM followed)
    UNION ALL
    SELECT 'turned_away', refused.id, refused.store_id, jsonb_build_object(
               'id', refused.id, 'reason', refused.reason, 'staff_id', refused.staff_id,
               'cups', refused.cups, 'product_id', refused.product_id,
               'turned_away_at', refused.turned_away_at)
    FROM turned_away AS refused
    WHERE refused.id > $2::uuid AND refused.store_id IN (SELECT store_id FROM followed)
) AS happened
ORDER BY happened.id
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


def a_while_ago() -> UUID:
    """Before whatever may still be on its way into the database."""
    return before(new_id(), LOOKS_BACK_MS)


def long_ago() -> UUID:
    """Before all that is told to those who come back."""
    return before(new_id(), _REPLAYS_MS)
