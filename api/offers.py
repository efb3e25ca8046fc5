"""How packs and plans are shown: what both have in common."""

from collections.abc import Sequence
from typing import Any

from marshmallow import fields, validate

import vouchers
from api.fields import Id, Integer, MoneyField, Schema, Text, Timestamp
from api.paging import Position
from chain.models import DEVICE_CHANNELS
from kernel import clock
from vouchers import Offered, jurisdiction
from vouchers.models.offer import EXPIRY_MODES, SALE_CHANNELS
from vouchers.offer_terms import SPANS, UNITS

ACCEPTED_AT = ("all", "selling", "listed", "regions")
REFUND_BASES = ("allocated", "list_price", "none")
GIFT_UNCLAIMED = ("return", "refund")
VAT_TIMINGS = ("sale", "redemption")


class SpanView(Schema):
    """So long after the sale, at the end of that day."""

    count = Integer(required=True, metadata={"description": "So many units."})
    unit = Text(
        required=True,
        validate=validate.OneOf(SPANS),
        metadata={"description": "Of the calendar."},
    )


class SpanField(fields.Nested):
    """A span that a version keeps in two columns, `<name>_count` and `<name>_unit`; or null."""

    def __init__(self, name: str, *, about: str) -> None:
        super().__init__(
            SpanView,
            dump_only=True,
            required=True,
            allow_none=True,
            attribute="version",
            metadata={"description": about},
        )
        self.column = name

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:  # type: ignore[override]  # as Field names it
        count, unit = (getattr(value, f"{self.column}_{part}") for part in ("count", "unit"))
        span = None if count is None else {"count": count, "unit": unit}
        return super()._serialize(span, attr, obj, **kwargs)  # type: ignore[no-untyped-call]


class OfferView(Schema):
    """An offer at the terms of today. What was sold before keeps its own."""

    id = Id(required=True, attribute="offer.id", metadata={"description": "To order it by."})
    code = Text(
        required=True, attribute="offer.code", metadata={"description": "The chain's own name."}
    )
    name = Text(
        required=True, attribute="version.name", metadata={"description": "For people's eyes."}
    )
    note = Text(
        required=True,
        allow_none=True,
        attribute="version.note",
        metadata={"description": "What else people should know; null if nothing."},
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
    list_price = MoneyField(
        required=True,
        allow_none=True,
        attribute="version.list_price",
        currency="version.currency",
        metadata={
            "description": "What one cup costs by itself, where refunds or bonus ask for it."
        },
    )
    vat_timing = Text(
        required=True,
        attribute="version.vat_timing",
        validate=validate.OneOf(VAT_TIMINGS),
        metadata={"description": "When it is invoiced; cash-value vouchers at redemption."},
    )
    jurisdiction = Text(
        required=True,
        attribute="version.jurisdiction",
        validate=validate.OneOf(jurisdiction.known()),
        metadata={"description": "Whose law its terms keep to."},
    )
    cups = Integer(
        required=True,
        attribute="version.cups",
        metadata={"description": "How many cups one of it gives, bonus cups included."},
    )
    unit = Text(
        required=True,
        attribute="version.unit",
        validate=validate.OneOf(UNITS),
        metadata={"description": "What the cups are, if not cups."},
    )
    bonus_cups = Integer(
        required=True,
        attribute="version.bonus_cups",
        metadata={"description": "How many of them are free."},
    )
    bonus_expires_after = SpanField(
        "bonus_after",
        about="When the bonus cups lapse; null where they are on the terms of the others.",
    )
    product_ids = fields.List(
        Id(),
        required=True,
        metadata={
            "description": "The drinks that its cups may be exchanged for; none is named where"
            " every drink up to `covers_up_to` is."
        },
    )
    covers_up_to = MoneyField(
        required=True,
        allow_none=True,
        attribute="version.covers_up_to",
        currency="version.currency",
        metadata={"description": "The list price up to which a cup is good for a drink."},
    )
    allows_top_up = fields.Boolean(
        required=True,
        attribute="version.allows_top_up",
        metadata={"description": "Whether a dearer drink may be had for the difference."},
    )
    accepted_at = Text(
        required=True,
        attribute="version.accepted_at",
        validate=validate.OneOf(ACCEPTED_AT),
        metadata={"description": "At all stores, the one that sold it, those listed, or regions."},
    )
    store_ids = fields.List(
        Id(), required=True, metadata={"description": "The stores, where they are listed."}
    )
    accepted_regions = fields.List(
        Text(),
        required=True,
        attribute="version.accepted_regions",
        metadata={"description": "The regions, where it is by them."},
    )
    redeem_channels = fields.List(
        Text(validate=validate.OneOf(DEVICE_CHANNELS)),
        required=True,
        allow_none=True,
        attribute="version.redeem_channels",
        metadata={"description": "How cups are collected; null: in every way."},
    )
    expiry_mode = Text(
        required=True,
        attribute="version.expiry_mode",
        validate=validate.OneOf(EXPIRY_MODES),
        metadata={"description": "What becomes of cups at their end, where they have one."},
    )
    expires_after = SpanField(
        "expires_after", about="When that is; null where they have none, and for plans."
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
    member_limit = Integer(
        required=True,
        allow_none=True,
        attribute="version.member_limit",
        metadata={"description": "At most so many for one member; null: as many as they like."},
    )
    sale_channels = fields.List(
        Text(validate=validate.OneOf(SALE_CHANNELS)),
        required=True,
        attribute="version.sale_channels",
        metadata={"description": "Where it is sold."},
    )
    is_giftable = fields.Boolean(
        required=True,
        attribute="version.is_giftable",
        metadata={"description": "Whether its cups may be given to somebody."},
    )
    gift_unclaimed = Text(
        required=True,
        attribute="version.gift_unclaimed",
        validate=validate.OneOf(GIFT_UNCLAIMED),
        metadata={"description": "A gift that nobody claims: back to its giver, or refunded."},
    )
    refund_basis = Text(
        required=True,
        attribute="version.refund_basis",
        validate=validate.OneOf(REFUND_BASES),
        metadata={
            "description": "What comes back of unused cups: what they carry; what was paid less"
            " the list price of those that were used; or nothing."
        },
    )
    refund_fee_bp = Integer(
        required=True,
        attribute="version.refund_fee_bp",
        metadata={"description": "Kept of a refund, in hundredths of a percent."},
    )
    withdrawal_days = Integer(
        required=True,
        attribute="version.withdrawal_days",
        metadata={"description": "Given back free of charge so many days after a distance sale."},
    )
    guarantee_months = Integer(
        required=True,
        attribute="version.guarantee_months",
        metadata={"description": "For how long its performance is guaranteed."},
    )
    sale_starts_at = Timestamp(
        required=True,
        attribute="version.sale_starts_at",
        metadata={"description": "From when on it is sold."},
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
