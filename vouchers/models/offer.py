"""What is offered: packs and plans, and the terms of each version of them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from chain.models import Product, Staff, Store
from kernel.db import Base

EXPIRY_MODES = ("never", "lapse", "top_up", "refund")
SALE_CHANNELS = ("web", "app", "counter")


class Offer(Base):
    """A pack or a plan, as the chain speaks of it. A plan is a pack on a schedule."""

    __tablename__ = "offer"
    __table_args__ = (CheckConstraint("kind IN ('pack', 'plan')", "kind_known"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]


class OfferVersion(Base):
    """The terms of an offer at one time. A change makes a new version; what was sold keeps its own.

    Somebody proposes a version and another person approves it; from then on its terms never
    change, except for the end of its sale (a trigger refuses it). Only approved ones are sold.

    What is sold: `price` includes VAT, at the rate that `vat_code` has on the day of the sale, and
    `vat_timing` says whether it is invoiced then or (cash-value vouchers) at redemption. `cups`
    counts the bonus cups; `unit` is what they are of. A plan may also be `is_unlimited`, or give no
    cups at all (a membership), and ask for `first_price` when it is sold, and (`needs_card`) for a
    card, where that is nothing. `list_price` is what one of them costs by
    itself. Bonus cups are on the same terms, or with `bonus_after_*` a lot of their own that
    lapses after that; `bonus_use_bp` is how likely (in ten-thousandths) they are collected (E10).

    The end: `expiry_mode` says what happens `expires_after_*` after the sale, at the end of that
    day: nothing (`never`), the cups lapse, they cost a `top_up`, or a `refund` is made by itself.

    Handing over: at `all` stores, the `selling` one, the `listed` ones or those of
    `accepted_regions`; through the `redeem_channels` of devices (None for all). A cup covers drinks
    with a list price of up to `covers_up_to` (None: every product that is listed); a dearer one is
    refused, or with `allows_top_up` costs the difference.

    Giving back: by `refund_basis`, less `refund_fee_bp`, free within `withdrawal_days` of a
    distance sale. `gift_unclaimed` says where an unclaimed gift goes: back to the giver, or its
    money to the payer. `guarantee_months` is how long the performance of what was sold is
    guaranteed. `jurisdiction` names the law these terms were checked against
    (`vouchers.jurisdiction`).
    """

    __tablename__ = "offer_version"
    __table_args__ = (
        UniqueConstraint("offer_id", "version", name="uq_offer_version_number"),
        CheckConstraint("price >= 0 AND cups >= 0 AND first_price >= 0", "sells_something"),
        CheckConstraint("first_price < price", "first_price_is_less"),
        CheckConstraint("NOT needs_card OR first_price = 0", "card_for_what_is_free"),
        CheckConstraint("NOT is_unlimited OR cups = 0", "unlimited_is_not_counted"),
        CheckConstraint("bonus_cups BETWEEN 0 AND greatest(cups - 1, 0)", "bonus_is_a_part"),
        CheckConstraint(
            "expiry_mode IN ('never', 'lapse', 'top_up', 'refund')", "expiry_mode_known"
        ),
        CheckConstraint(
            "(expires_after_count IS NULL) = (expires_after_unit IS NULL)"
            " AND expires_after_count > 0"
            " AND expires_after_unit IN ('day', 'week', 'month', 'year')",
            "expiry_span_sane",
        ),
        CheckConstraint(
            "expires_after_count IS NULL OR expiry_mode <> 'never'", "never_has_no_span"
        ),
        CheckConstraint(
            "(bonus_after_count IS NULL) = (bonus_after_unit IS NULL)"
            " AND (bonus_after_count IS NULL) = (bonus_use_bp IS NULL)"
            " AND bonus_after_count > 0 AND bonus_use_bp BETWEEN 0 AND 10000"
            " AND bonus_after_unit IN ('day', 'week', 'month', 'year')",
            "bonus_span_sane",
        ),
        CheckConstraint(
            "bonus_after_count IS NULL OR (bonus_cups > 0 AND list_price IS NOT NULL)",
            "own_bonus_has_price",
        ),
        CheckConstraint("list_price > 0", "list_price_positive"),
        CheckConstraint("covers_up_to > 0", "covers_something"),
        CheckConstraint(
            "refund_basis IN ('allocated', 'list_price', 'none')", "refund_basis_known"
        ),
        CheckConstraint(
            "refund_basis <> 'list_price' OR list_price IS NOT NULL", "list_basis_has_price"
        ),
        CheckConstraint("refund_fee_bp BETWEEN 0 AND 10000", "refund_fee_sane"),
        CheckConstraint("withdrawal_days BETWEEN 0 AND 365", "withdrawal_days_sane"),
        CheckConstraint("gift_unclaimed IN ('return', 'refund')", "gift_unclaimed_known"),
        CheckConstraint("vat_timing IN ('sale', 'redemption')", "vat_timing_known"),
        CheckConstraint(
            "accepted_at IN ('all', 'selling', 'listed', 'regions')", "accepted_at_known"
        ),
        CheckConstraint(
            "(accepted_at = 'regions') = (cardinality(accepted_regions) > 0)",
            "regions_are_named",
        ),
        CheckConstraint(
            "cardinality(sale_channels) > 0 AND sale_channels <@ ARRAY['web', 'app', 'counter']",
            "sale_channels_known",
        ),
        CheckConstraint("cardinality(redeem_channels) > 0", "redeem_channels_named"),
        CheckConstraint("max_cups > 0", "max_cups_positive"),
        CheckConstraint("member_limit > 0", "member_limit_positive"),
        CheckConstraint("cups_per_day > 0", "cups_per_day_positive"),
        CheckConstraint("minimum_interval_s BETWEEN 1 AND 86400", "minimum_interval_sane"),
        CheckConstraint("guarantee_months >= 0", "guarantee_not_negative"),
        CheckConstraint("approved_by_id <> proposed_by_id", "two_people_agree"),
        CheckConstraint(
            "approved_at IS NULL OR (proposed_by_id IS NULL) = (approved_by_id IS NULL)",
            "proposed_is_approved_by_somebody",
        ),
        CheckConstraint("approved_at IS NULL OR rejected_at IS NULL", "approved_or_rejected"),
        CheckConstraint("(rejected_at IS NULL) = (rejected_by_id IS NULL)", "rejected_by_somebody"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    offer_id: Mapped[UUID] = mapped_column(ForeignKey(Offer.id))
    version: Mapped[int]
    name: Mapped[str]
    note: Mapped[str | None]
    jurisdiction: Mapped[str] = mapped_column(default="TW")
    price: Mapped[int]
    first_price: Mapped[int | None]
    needs_card: Mapped[bool] = mapped_column(default=False)
    currency: Mapped[str]
    vat_code: Mapped[str] = mapped_column(default="standard")
    vat_timing: Mapped[str] = mapped_column(default="sale")
    guarantee_months: Mapped[int] = mapped_column(default=12)
    cups: Mapped[int]
    is_unlimited: Mapped[bool] = mapped_column(default=False)
    bonus_cups: Mapped[int] = mapped_column(default=0)
    unit: Mapped[str] = mapped_column(default="cup")
    list_price: Mapped[int | None]
    bonus_after_count: Mapped[int | None]
    bonus_after_unit: Mapped[str | None]
    bonus_use_bp: Mapped[int | None]
    expiry_mode: Mapped[str]
    expires_after_count: Mapped[int | None]
    expires_after_unit: Mapped[str | None]
    accepted_at: Mapped[str] = mapped_column(default="all")
    accepted_regions: Mapped[list[str]] = mapped_column(ARRAY(TEXT), default=list)
    redeem_channels: Mapped[list[str] | None] = mapped_column(ARRAY(TEXT))
    covers_up_to: Mapped[int | None]
    allows_top_up: Mapped[bool] = mapped_column(default=False)
    max_cups: Mapped[int | None]
    cups_per_day: Mapped[int | None]
    minimum_interval_s: Mapped[int | None]
    member_limit: Mapped[int | None]
    sale_channels: Mapped[list[str]] = mapped_column(
        ARRAY(TEXT), default=lambda: list(SALE_CHANNELS)
    )
    is_giftable: Mapped[bool] = mapped_column(default=True)
    gift_unclaimed: Mapped[str] = mapped_column(default="return")
    refund_basis: Mapped[str] = mapped_column(default="allocated")
    refund_fee_bp: Mapped[int] = mapped_column(default=0)
    withdrawal_days: Mapped[int] = mapped_column(default=7)
    sale_starts_at: Mapped[datetime]
    sale_ends_at: Mapped[datetime | None]
    proposed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey(Staff.id))
    proposed_at: Mapped[datetime | None]
    approved_by_id: Mapped[UUID | None] = mapped_column(ForeignKey(Staff.id))
    approved_at: Mapped[datetime | None]
    rejected_by_id: Mapped[UUID | None] = mapped_column(ForeignKey(Staff.id))
    rejected_at: Mapped[datetime | None]


class OfferVersionProduct(Base):
    """What the cups of a version may be exchanged for."""

    __tablename__ = "offer_version_product"
    __table_args__ = (PrimaryKeyConstraint("offer_version_id", "product_id"),)

    offer_version_id: Mapped[UUID] = mapped_column(ForeignKey(OfferVersion.id))
    product_id: Mapped[UUID] = mapped_column(ForeignKey(Product.id))


class OfferVersionStore(Base):
    """The stores that accept a version whose `accepted_at` is `listed`."""

    __tablename__ = "offer_version_store"
    __table_args__ = (PrimaryKeyConstraint("offer_version_id", "store_id"),)

    offer_version_id: Mapped[UUID] = mapped_column(ForeignKey(OfferVersion.id))
    store_id: Mapped[UUID] = mapped_column(ForeignKey(Store.id))
