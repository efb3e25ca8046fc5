"""The chain's stores."""

from typing import Any

from marshmallow import fields

import chain
from api.auth import anyone
from api.fields import Id, Integer, Schema, Text
from api.paging import Page, page_of, paged
from api.routing import Resource

stores = Resource("stores", "/v1/stores", "Stores: where cups are sold and collected.")


class StoreView(Schema):
    """A branch, or the online store."""

    id = Id(required=True, metadata={"description": "To name it by."})
    code = Text(required=True, metadata={"description": "The chain's own short name."})
    name = Text(required=True, metadata={"description": "As shoppers know it."})
    region = Text(
        required=True,
        allow_none=True,
        metadata={"description": "Which offers of some regions ask for; null where it has none."},
    )
    time_zone = Text(
        required=True, metadata={"description": "An IANA name.", "example": "Asia/Taipei"}
    )
    day_ends_at = fields.Time(
        required=True,
        format="%H:%M",
        metadata={"description": "Until when the night belongs to the day before, HH:MM."},
    )
    is_online = fields.Boolean(
        required=True, metadata={"description": "The store that sells in the web and the app."}
    )
    store_group = Integer(
        required=True,
        attribute="offline_group",
        metadata={"description": "Which capsules its tills take without a network: those of it."},
    )


@stores.get("", guard=anyone, query=Page, answer=paged(StoreView))
def list_stores(*, query: dict[str, Any]) -> dict[str, Any]:
    """List the stores, in the order in which they joined."""
    return page_of(
        lambda limit, after: chain.list_stores(after=after[0] if after else None, limit=limit),
        query=query,
        position=lambda store: (store.id,),
    )
