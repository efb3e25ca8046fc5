"""Which devices may still speak: asked all the time by what holds connections open."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from kernel import hot

_LIVE = """
    SELECT id, enrolled_at FROM device
    WHERE id = ANY (%(ids)s::uuid[]) AND revoked_at IS NULL AND enrolled_at IS NOT NULL
"""


def live_devices(device_ids: Iterable[UUID]) -> dict[UUID, datetime]:
    """Those of the devices that are enrolled and not revoked, and since when each is enrolled.

    A connection that began before that is of an installation whose key and token are gone. One
    statement on the hot road, for any number of them.
    """
    asked = hot.read_rows(_LIVE, {"ids": hot.array(device_ids)})
    return dict(asked)
