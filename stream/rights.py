"""Who may follow still: rights end before tickets do."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from stream.ticket import Ticket

_LIVE = """
SELECT id, enrolled_at AS since FROM device
WHERE id = ANY($1::uuid[]) AND revoked_at IS NULL AND enrolled_at IS NOT NULL
UNION ALL
SELECT office_session.id, office_session.started_at
FROM office_session JOIN staff ON staff.id = office_session.staff_id
WHERE office_session.id = ANY($1::uuid[]) AND office_session.ended_at IS NULL
  AND office_session.ends_at > $2 AND staff.disabled_at IS NULL
"""


async def live_of(
    connection: AsyncConnection[Any], tickets: Collection[Ticket], *, now: datetime
) -> set[Ticket]:
    """Those of the tickets that are good: one statement for any number of them.

    Not those of devices that were revoked, or enrolled anew since, and of sessions that are over.
    """
    asked = [list({ticket.principal_id for ticket in tickets}), now]
    found = await connection.execute(_LIVE, asked)
    since = dict(await found.fetchall())
    return {
        ticket
        for ticket in tickets
        if ticket.principal_id in since
        and since[ticket.principal_id] <= ticket.issued_at
        and now < ticket.ends_at
    }
