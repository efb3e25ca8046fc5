"""The terms of a version of an offer, as they are proposed."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from vouchers.models.offer import SALE_CHANNELS

UNITS: Final = ("cup", "item", "bag", "visit")
SPANS: Final = ("day", "week", "month", "year")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferTerms:
    """Everything that a version says; `OfferVersion` tells what each of it means.

    `product_ids` are what its cups may be exchanged for, `store_ids` who accepts them where
    `accepted_at` is `listed`.
    """

    name: str
    note: str | None = None
    price: int
    first_price: int | None = None
    needs_card: bool = False
    currency: str
    vat_code: str = "standard"
    vat_timing: str = "sale"
    guarantee_months: int = 12
    cups: int
    is_unlimited: bool = False
    bonus_cups: int = 0
    unit: str = "cup"
    list_price: int | None = None
    bonus_after_count: int | None = None
    bonus_after_unit: str | None = None
    bonus_use_bp: int | None = None
    expiry_mode: str = "never"
    expires_after_count: int | None = None
    expires_after_unit: str | None = None
    accepted_at: str = "all"
    accepted_regions: list[str] = field(default_factory=list)
    redeem_channels: list[str] | None = None
    covers_up_to: int | None = None
    allows_top_up: bool = False
    max_cups: int | None = None
    cups_per_day: int | None = None
    minimum_interval_s: int | None = None
    member_limit: int | None = None
    sale_channels: list[str] = field(default_factory=lambda: list(SALE_CHANNELS))
    is_giftable: bool = True
    gift_unclaimed: str = "return"
    refund_basis: str = "allocated"
    refund_fee_bp: int = 0
    withdrawal_days: int = 7
    sale_starts_at: datetime
    sale_ends_at: datetime | None = None
    product_ids: Sequence[UUID] = ()
    store_ids: Sequence[UUID] = ()

    @property
    def columns(self) -> dict[str, Any]:
        """What the version's own row keeps."""
        names = {one.name for one in fields(self)} - {"product_ids", "store_ids"}
        return {name: getattr(self, name) for name in names}
