"""Tickets to follow a store's redemptions as they happen."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import chain
from api.auth import DeviceCaller, OfficeCaller, TillCaller, office, till_or_device
from api.fields import Id, Schema, Text, Timestamp
from api.routing import Resource
from chain import StoreScope
from kernel import clock
from kernel.config import config
from kernel.errors import NotFound
from stream.ticket import Kind, Ticket

streams = Resource(
    "streams", "/v1/streams", "Streams: what happens at a store, as server-sent events."
)
desk_streams = Resource("desk_streams", "/v1/desk-streams", streams.about)

_AT_DESK = office("manager", "finance", "admin")
_GOOD_FOR = timedelta(hours=12)


class DeskStreamBody(Schema):
    """Which store."""

    store_id = Id(required=True, metadata={"description": "The store; managers name their own."})


class StreamView(Schema):
    """Where to follow."""

    url = Text(
        required=True,
        metadata={
            "description": "For an `EventSource`. Events are `redemption`, `void`, `turned_away`"
            " and, when it is over, `end`; the id of each says how far one has heard, to go on"
            " from there after a break."
        },
    )
    store_id = Id(required=True, metadata={"description": "The store."})
    ends_at = Timestamp(
        required=True,
        metadata={
            "description": "Until when, at a desk no longer than the session; it ends with the"
            " rights of device or session too."
        },
    )


@streams.post("", guard=till_or_device, answer=StreamView, status=201)
def follow_own_store(*, caller: TillCaller | DeviceCaller) -> dict[str, Any]:
    """Let a till or screen follow its own store."""
    now = clock.now()
    return _ticket("device", caller.store_id, caller.device_id, now, ends_at=now + _GOOD_FOR)


@desk_streams.post(
    "",
    guard=_AT_DESK,
    body=DeskStreamBody,
    answer=StreamView,
    status=201,
    refusals=(NotFound, StoreScope),
)
def follow_store(*, caller: OfficeCaller, body: dict[str, Any]) -> dict[str, Any]:
    """Let somebody at a desk follow a store; managers their own ones."""
    store_id = chain.get_store(body["store_id"]).id
    chain.check_scope(store_id, staff_id=caller.staff_id, role=caller.role)
    now = clock.now()
    ends_at = min(now + _GOOD_FOR, caller.ends_at)
    return _ticket("office", store_id, caller.session_id, now, ends_at=ends_at)


def _ticket(
    kind: Kind, store_id: UUID, principal_id: UUID, now: datetime, *, ends_at: datetime
) -> dict[str, Any]:
    ticket = Ticket(kind, store_id, principal_id, now, ends_at)
    return {
        "url": f"{config().stream_origin}/v1/stream?ticket={ticket.text()}",
        "store_id": store_id,
        "ends_at": ticket.ends_at,
    }
