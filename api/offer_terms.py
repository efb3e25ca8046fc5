"""The terms of a pack or a plan as an admin proposes them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from marshmallow import ValidationError, fields, validate, validates_schema

import ledger
from api.fields import Flag, Id, Integer, Name, Schema, Text, Timestamp
from api.known import refuse_unknown_entities, refuse_unknown_products, refuse_unknown_stores
from api.money import MOST as MOST_MONEY
from api.offers import ACCEPTED_AT, GIFT_UNCLAIMED, REFUND_BASES, VAT_TIMINGS
from chain.models import DEVICE_CHANNELS
from kernel import clock
from kernel.currencies import CURRENCIES
from kernel.errors import NotFound
from vouchers.models.offer import EXPIRY_MODES, SALE_CHANNELS
from vouchers.offer_terms import SPANS, UNITS, OfferTerms
from vouchers.policy import MOST

_TWICE = "Is listed more than once."
_MOST_LISTED = 200
_ALL_BP = 10_000


def _each_once(listed: list[Any]) -> None:
    if len(set(listed)) < len(listed):
        raise ValidationError(_TWICE)


def listed(inner: fields.Field[Any], *, least: int = 0, **options: Any) -> fields.List[Any]:
    checks: list[Callable[[Any], Any]] = [validate.Length(least, _MOST_LISTED), _each_once]
    return fields.List(inner, validate=checks, **options)


def choice(known: Any, *, usual: str, about: str) -> Text:
    return Text(load_default=usual, validate=validate.OneOf(known), metadata={"description": about})


def perhaps(about: str, *, most: int = 1_000) -> Integer:
    """A whole number from one on, or null."""
    return Integer(
        load_default=None, allow_none=True, least=1, most=most, metadata={"description": about}
    )


class SpanBody(Schema):
    """So long after the sale, at the end of that day."""

    count = Integer(required=True, least=1, most=1_000, metadata={"description": "So many units."})
    unit = Text(
        required=True, validate=validate.OneOf(SPANS), metadata={"description": "Of the calendar."}
    )


def span(about: str) -> fields.Nested:
    return fields.Nested(
        SpanBody, load_default=None, allow_none=True, metadata={"description": about}
    )


class OfferTermsBody(Schema):
    """The terms that packs and plans have in common."""

    FIXED: ClassVar[Mapping[str, Any]] = {}
    """The terms that offers of this kind do not choose."""

    legal_entity_id = Id(
        load_default=None,
        allow_none=True,
        metadata={
            "description": "Who sells it: their law binds. The online store's owner if null."
        },
    )
    name = Name(
        required=True, metadata={"description": "For people's eyes.", "example": "十杯拿鐵"}
    )
    note = Name(
        load_default=None,
        allow_none=True,
        most=500,
        metadata={"description": "What else people should know."},
    )
    currency = Text(
        load_default="TWD",
        validate=validate.OneOf(sorted(CURRENCIES)),
        metadata={
            "description": "ISO 4217; of all prices here, and of the products.",
            "example": "TWD",
        },
    )
    list_price = perhaps("What one cup costs by itself, in minor units.", most=MOST_MONEY)
    vat_code = Text(
        load_default="standard",
        least=1,
        most=40,
        metadata={"description": "Of the chain's VAT rates."},
    )
    guarantee_months = Integer(
        load_default=12,
        least=0,
        most=240,
        metadata={"description": "For how long its performance is guaranteed."},
    )
    unit = choice(UNITS, usual="cup", about="What the cups are, if not cups.")
    product_ids = listed(
        Id(), load_default=list, metadata={"description": "What its cups may be exchanged for."}
    )
    covers_up_to = perhaps("The list price up to which a cup is good for a drink.", most=MOST_MONEY)
    allows_top_up = Flag(
        load_default=False,
        metadata={"description": "Whether a dearer drink may be had for the difference."},
    )
    accepted_at = choice(ACCEPTED_AT, usual="all", about="Which stores hand over its cups.")
    store_ids = listed(
        Id(), load_default=list, metadata={"description": "The stores, where they are listed."}
    )
    accepted_regions = listed(
        Name(), load_default=list, metadata={"description": "The regions, where it is by them."}
    )
    redeem_channels = listed(
        Text(validate=validate.OneOf(DEVICE_CHANNELS)),
        least=1,
        load_default=None,
        allow_none=True,
        metadata={"description": "How cups are collected; null: in every way."},
    )
    max_cups_per_redemption = perhaps("At most so many cups at one time.")
    cups_per_day = perhaps("At most so many cups on one business day of a store.")
    minimum_interval_s = perhaps("So many seconds between redemptions.", most=86_400)
    member_limit = perhaps("At most so many for one member.")
    sale_channels = listed(
        Text(validate=validate.OneOf(SALE_CHANNELS)),
        least=1,
        load_default=lambda: list(SALE_CHANNELS),
        metadata={"description": "Where it is sold."},
    )
    is_giftable = Flag(
        load_default=True, metadata={"description": "Whether its cups may be given to somebody."}
    )
    gift_unclaimed = choice(
        GIFT_UNCLAIMED, usual="return", about="Where a gift goes that nobody claims."
    )
    refund_basis = choice(REFUND_BASES, usual="allocated", about="What comes back of unused cups.")
    refund_fee_bp = Integer(
        load_default=0,
        least=0,
        most=_ALL_BP,
        metadata={"description": "Kept of a refund, in hundredths of a percent."},
    )
    withdrawal_days = Integer(
        load_default=7,
        least=0,
        most=365,
        metadata={"description": "Given back free of charge so many days after a distance sale."},
    )
    sale_starts_at = Timestamp(
        load_default=None,
        allow_none=True,
        metadata={"description": "From when on it is sold, once approved; null: at once."},
    )
    sale_ends_at = Timestamp(
        load_default=None, allow_none=True, metadata={"description": "Until when; null: open."}
    )

    @validates_schema(skip_on_field_errors=True)
    def _refuse_contradictions(self, loaded: dict[str, Any], **_: Any) -> None:
        wrong = {field: [why] for field, why in _contradictions({**self.FIXED, **loaded})}
        if wrong:
            raise ValidationError(wrong)


class TermsBody(OfferTermsBody):
    """All terms of a version. What is not said is as usual: it is not taken from the one before."""

    EXAMPLE: ClassVar = {"covers_up_to": 60}
    FIXED: ClassVar = {"is_unlimited": False}

    price = Integer(
        required=True,
        least=1,
        most=MOST,
        metadata={"description": "In minor units, VAT included.", "example": 500},
    )
    vat_timing = choice(
        VAT_TIMINGS, usual="sale", about="When it is invoiced; cash-value vouchers at redemption."
    )
    cups = Integer(
        required=True,
        least=1,
        most=1_000,
        metadata={"description": "Bonus cups included.", "example": 11},
    )
    bonus_cups = Integer(
        load_default=0, least=0, most=999, metadata={"description": "How many of them are free."}
    )
    bonus_expires_after = span("When they lapse, if not on the terms of the others.")
    bonus_use_bp = Integer(
        load_default=None,
        allow_none=True,
        least=0,
        most=_ALL_BP,
        metadata={
            "description": "How likely bonus cups that lapse are collected, in hundredths of a"
            " percent: for the books."
        },
    )
    expiry_mode = choice(EXPIRY_MODES, usual="never", about="What becomes of cups at their end.")
    expires_after = span("When that is, where they have one.")


def _contradictions(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Terms that do not go together, by the field that would have to change."""
    own_bonus = said["bonus_expires_after"] is not None
    gives_back = said["expiry_mode"] == "refund" or said["gift_unclaimed"] == "refund"
    needs_list_price = said["refund_basis"] == "list_price" or own_bonus
    gives = said["cups"] > 0 or said["is_unlimited"]
    starts_at, ends_at = said["sale_starts_at"], said["sale_ends_at"]
    found = (
        ("bonus_cups", said["bonus_cups"] > 0 and said["bonus_cups"] >= said["cups"],
         "Are fewer than all cups."),
        ("bonus_cups", own_bonus and said["bonus_cups"] == 0, "Are needed to end by themselves."),
        ("bonus_use_bp", own_bonus != (said["bonus_use_bp"] is not None),
         "Goes with bonus_expires_after."),
        ("list_price", needs_list_price and said["list_price"] is None,
         "Is needed for refunds by it and for bonus cups that lapse."),
        ("refund_basis", gives_back and said["refund_basis"] == "none",
         "Is needed where something is refunded by itself."),
        ("expires_after", said["expiry_mode"] == "never" and said["expires_after"] is not None,
         "Goes with an expiry_mode."),
        ("product_ids", gives and not said["product_ids"] and said["covers_up_to"] is None,
         "Name products, or covers_up_to."),
        ("allows_top_up", said["allows_top_up"] and said["covers_up_to"] is None,
         "Goes with covers_up_to."),
        ("store_ids", (said["accepted_at"] == "listed") != bool(said["store_ids"]),
         "Goes with accepted_at: listed."),
        ("accepted_regions", (said["accepted_at"] == "regions") != bool(said["accepted_regions"]),
         "Goes with accepted_at: regions."),
        ("sale_ends_at", ends_at is not None and ends_at <= (starts_at or clock.now()),
         "Is after the sale begins."),
    )  # fmt: skip
    return [(field, why) for field, is_wrong, why in found if is_wrong]


def read_terms(
    body: Mapping[str, Any], *, fixed: Mapping[str, Any], needs_end: bool, now: datetime
) -> OfferTerms:
    """Make terms of a body whose names are all there; `fixed` is what its kind does not choose.

    `needs_end`: cups that end say when; those of a plan end with their period.

    Raises:
        ValidationError: something that it names is not there, or an end is missing.
    """
    body = {**fixed, **body}
    _refuse_unknown(body, now)
    if needs_end and body["expiry_mode"] != "never" and body["expires_after"] is None:
        raise ValidationError({"expires_after": ["Is needed for this expiry_mode."]})
    renamed = {"max_cups": body["max_cups_per_redemption"]}
    spans = {
        **_columns("expires_after", body["expires_after"]),
        **_columns("bonus_after", body["bonus_expires_after"]),
    }
    same = {name: body[name] for name in _SAME}
    starts_at = body["sale_starts_at"] or now
    return OfferTerms(**{**same, **renamed, **spans, "sale_starts_at": starts_at})


_SAME = (
    *("name", "note", "price", "currency", "list_price", "vat_code", "vat_timing"),
    *("guarantee_months", "cups", "is_unlimited", "unit", "bonus_cups", "bonus_use_bp"),
    *("product_ids", "covers_up_to", "allows_top_up", "accepted_at", "store_ids"),
    *("accepted_regions", "redeem_channels", "expiry_mode", "cups_per_day", "minimum_interval_s"),
    *("member_limit", "sale_channels", "is_giftable", "gift_unclaimed", "refund_basis"),
    *("refund_fee_bp", "withdrawal_days", "sale_ends_at"),
)


def _columns(name: str, span: Mapping[str, Any] | None) -> dict[str, Any]:
    said = span or {"count": None, "unit": None}
    return {f"{name}_count": said["count"], f"{name}_unit": said["unit"]}


def _refuse_unknown(body: Mapping[str, Any], now: datetime) -> None:
    refuse_unknown_entities({"legal_entity_id": body["legal_entity_id"]})
    refuse_unknown_stores(_named("store_ids", body))
    refuse_unknown_products(_named("product_ids", body), currency=body["currency"])
    try:
        ledger.taxed(body["price"], code=body["vat_code"], on=now.date())
    except NotFound as unknown:
        raise ValidationError({"vat_code": ["Is not there."]}) from unknown


def _named(name: str, body: Mapping[str, Any]) -> dict[str, UUID | None]:
    return {f"{name}.{at}": one for at, one in enumerate(body[name])}
