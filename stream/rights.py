"""Who may follow still: rights end before tickets do."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from stream.ticket import Ticket

_LIVE = """
SELECT id, enrolled_at AS since, ARRAY[store_id] AS stores FROM device
WHERE id = ANY($1::uuid[]) AND revoked_at IS NULL AND enrolled_at IS NOT NULL
UNION ALL
SELECT office_session.id, office_session.started_at,
       CASE WHEN staff.role = 'manager'
            THEN ARRAY(SELECT store_id FROM staff_store WHERE staff_id = staff.id) END
FROM office_session JOIN staff ON staff.id = office_session.staff_id
WHERE office_session.id = ANY($1::uuid[]) AND office_session.ended_at IS NULL
  AND office_session.ends_at > $2 AND staff.disabled_at IS NULL
"""


async def live_of(
    connection: AsyncConnection[Any], tickets: Collection[Ticket], *, now: datetime
) -> set[Ticket]:
    """Those of the tickets that are good: one statement for any number of them.

    Not those of devices that were revoked, or enrolled anew since, of sessions that are over, and
    of managers who work at the store no more.
    """
    asked = [list({ticket.principal_id for ticket in tickets}), now]
    found = await connection.execute(_LIVE, asked)
    rights = {one: (since, stores) for one, since, stores in await found.fetchall()}
    return {
        ticket
        for ticket in tickets
        if now < ticket.ends_at and _holds(ticket, *rights.get(ticket.principal_id, (None, None)))
    }


def _holds(ticket: Ticket, since: datetime | None, stores: Collection[UUID] | None) -> bool:
    """Whether a principal that is good `since` then, at all or at `stores`, may still follow."""
    return (
        since is not None
        and since <= ticket.issued_at
        and (stores is None or ticket.store_id in stores)
    )
