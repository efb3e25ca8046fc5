"""How packs and plans are shown: what both have in common."""

from collections.abc import Sequence
from typing import Any

from marshmallow import fields, validate

import vouchers
from api.fields import Id, Integer, MoneyField, Schema, Text, Timestamp
from api.paging import Position
from kernel import clock
from vouchers import Offered


class OfferView(Schema):
    """An offer at the terms of today. What was sold before keeps its own."""

    id = Id(required=True, attribute="offer.id", metadata={"description": "To order it by."})
    code = Text(
        required=True, attribute="offer.code", metadata={"description": "The chain's own name."}
    )
    name = Text(
        required=True, attribute="version.name", metadata={"description": "For people's eyes."}
    )
    version = Integer(
        required=True, attribute="version.version", metadata={"description": "Of its terms."}
    )
    price = MoneyField(
        required=True,
        attribute="version.price",
        currency="version.currency",
        metadata={"description": "VAT included."},
    )
    cups = Integer(
        required=True,
        attribute="version.cups",
        metadata={"description": "How many cups one of it gives, bonus cups included."},
    )
    bonus_cups = Integer(
        required=True,
        attribute="version.bonus_cups",
        metadata={"description": "How many of them are free."},
    )
    product_ids = fields.List(
        Id(),
        required=True,
        metadata={"description": "The drinks that its cups may be exchanged for."},
    )
    accepted_at = Text(
        required=True,
        attribute="version.accepted_at",
        validate=validate.OneOf(("all", "selling", "listed")),
        metadata={"description": "At all stores, the one that sold it, or those listed."},
    )
    store_ids = fields.List(
        Id(), required=True, metadata={"description": "The stores, where they are listed."}
    )
    expiry_mode = Text(
        required=True,
        attribute="version.expiry_mode",
        validate=validate.OneOf(("never", "lapse")),
        metadata={"description": "What becomes of cups at their end, where they have one."},
    )
    max_cups_per_redemption = Integer(
        required=True,
        allow_none=True,
        attribute="version.max_cups",
        metadata={"description": "At most so many cups at one time."},
    )
    cups_per_day = Integer(
        required=True,
        allow_none=True,
        attribute="version.cups_per_day",
        metadata={"description": "At most so many cups on one business day of a store."},
    )
    minimum_interval_s = Integer(
        required=True,
        allow_none=True,
        attribute="version.minimum_interval_s",
        metadata={"description": "So many seconds from one redemption to the next."},
    )
    sale_ends_at = Timestamp(
        required=True,
        allow_none=True,
        attribute="version.sale_ends_at",
        metadata={"description": "Until when it is sold; null if that is open."},
    )


def read_offers(kind: str, limit: int, after: Position | None) -> Sequence[Offered]:
    """One page of what is on sale now."""
    place = None if after is None else after[0]
    return vouchers.list_offers(kind=kind, after=place, limit=limit, now=clock.now())


def position(one: Any) -> Position:
    """Where an offer stands in its list."""
    return (one.offer.id,)
