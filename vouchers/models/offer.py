"""What is offered, what was ordered, and the lots that shoppers hold."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from chain.models import Product, Store
from kernel.db import Base


class Offer(Base):
    """A pack or a plan, as the chain speaks of it. A plan is a pack on a schedule."""

    __tablename__ = "offer"
    __table_args__ = (CheckConstraint("kind IN ('pack', 'plan')", "kind_known"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]


class OfferVersion(Base):
    """The terms of an offer at one time. A change makes a new version; what was sold keeps its own.

    `price` includes VAT, at the rate that `vat_code` has on the day of the sale. `cups` counts the
    bonus cups, which are on the same terms. `accepted_at` says where cups are handed over: at `all`
    stores, the `selling` one, or the `listed` ones. `guarantee_months` is how long the performance
    of what was sold is guaranteed (a year at least, law).
    """

    __tablename__ = "offer_version"
    __table_args__ = (
        UniqueConstraint("offer_id", "version", name="uq_offer_version_number"),
        CheckConstraint("price > 0 AND cups > 0", "sells_something"),
        CheckConstraint("bonus_cups BETWEEN 0 AND cups - 1", "bonus_is_a_part"),
        CheckConstraint("expiry_mode IN ('never', 'lapse')", "expiry_mode_known"),
        CheckConstraint("accepted_at IN ('all', 'selling', 'listed')", "accepted_at_known"),
        CheckConstraint("max_cups > 0", "max_cups_positive"),
        CheckConstraint("cups_per_day > 0", "cups_per_day_positive"),
        CheckConstraint("minimum_interval_s BETWEEN 1 AND 86400", "minimum_interval_sane"),
        CheckConstraint("guarantee_months >= 12", "guarantee_at_least_a_year"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    offer_id: Mapped[UUID] = mapped_column(ForeignKey(Offer.id))
    version: Mapped[int]
    name: Mapped[str]
    price: Mapped[int]
    currency: Mapped[str]
    vat_code: Mapped[str] = mapped_column(default="standard")
    guarantee_months: Mapped[int] = mapped_column(default=12)
    cups: Mapped[int]
    bonus_cups: Mapped[int] = mapped_column(default=0)
    expiry_mode: Mapped[str]
    accepted_at: Mapped[str] = mapped_column(default="all")
    max_cups: Mapped[int | None]
    cups_per_day: Mapped[int | None]
    minimum_interval_s: Mapped[int | None]
    sale_starts_at: Mapped[datetime]
    sale_ends_at: Mapped[datetime | None]


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


class Wallet(Base):
    """Everything a member holds. Its row is the only lock: whoever changes it bumps `version`."""

    __tablename__ = "wallet"

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    blocked_at: Mapped[datetime | None]


class Order(Base):
    """What a member bought and must pay for: pending → fulfilled, or ended."""

    __tablename__ = "voucher_order"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'fulfilled', 'ended')", "status_known"),
        CheckConstraint("total > 0", "total_positive"),
        CheckConstraint("(status = 'fulfilled') = (paid_at IS NOT NULL)", "paid_has_time"),
        CheckConstraint("(paid_at IS NULL) = (fulfilled_at IS NULL)", "paid_is_fulfilled"),
        Index("ix_voucher_order_member", "member_id", "id"),
        Index("ix_voucher_order_unpaid", "ends_at", postgresql_where=text("status = 'pending'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID]
    store_id: Mapped[UUID] = mapped_column(ForeignKey(Store.id))
    status: Mapped[str] = mapped_column(default="pending")
    total: Mapped[int]
    currency: Mapped[str]
    ordered_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    fulfilled_at: Mapped[datetime | None]


class OrderItem(Base):
    """One offer in an order, so many times. `gross = net + vat`, for all of them together."""

    __tablename__ = "order_item"
    __table_args__ = (
        UniqueConstraint("order_id", "position", name="uq_order_item_position"),
        CheckConstraint("quantity BETWEEN 1 AND 99", "quantity_bounded"),
        CheckConstraint("gross = net + vat AND net >= 0 AND vat >= 0", "vat_adds_up"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey(Order.id))
    position: Mapped[int]
    offer_version_id: Mapped[UUID] = mapped_column(ForeignKey(OfferVersion.id))
    quantity: Mapped[int]
    gross: Mapped[int]
    net: Mapped[int]
    vat: Mapped[int]


class Lot(Base):
    """Cups of one kind held by one member, and the money they carry.

    `used` counts cups that have left in any way (collected, lapsed); `net_recognised` is the part
    of `net` that left with them. A lot is issued once per source and ordinal, whatever is retried.
    """

    __tablename__ = "lot"
    __table_args__ = (
        PrimaryKeyConstraint("member_id", "id"),
        UniqueConstraint("member_id", "source", "source_id", "ordinal", name="uq_lot_issued_once"),
        ForeignKeyConstraint(["member_id"], ["wallet.member_id"], name="fk_lot_wallet"),
        CheckConstraint("units > 0 AND used BETWEEN 0 AND units", "used_within_units"),
        CheckConstraint("net_recognised BETWEEN 0 AND net", "recognised_within_net"),
        CheckConstraint("used < units OR net_recognised = net", "empty_is_recognised"),
        CheckConstraint("is_open = (used < units)", "open_has_cups"),
        CheckConstraint("account IN ('2131', '2132')", "account_is_contract_liability"),
        CheckConstraint("source IN ('order_item', 'period')", "source_known"),
        Index("ix_lot_open", "member_id", postgresql_where=text("is_open")),
        Index("ix_lot_due", "ends_at", postgresql_where=text("is_open AND ends_at IS NOT NULL")),
    )

    member_id: Mapped[UUID]
    id: Mapped[UUID]
    offer_version_id: Mapped[UUID] = mapped_column(ForeignKey(OfferVersion.id))
    offer_id: Mapped[UUID] = mapped_column(ForeignKey(Offer.id))
    store_id: Mapped[UUID] = mapped_column(ForeignKey(Store.id))
    source: Mapped[str]
    source_id: Mapped[UUID]
    ordinal: Mapped[int] = mapped_column(default=1)
    account: Mapped[str]
    currency: Mapped[str]
    units: Mapped[int]
    used: Mapped[int] = mapped_column(default=0)
    net: Mapped[int]
    vat: Mapped[int]
    net_recognised: Mapped[int] = mapped_column(default=0)
    sold_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    frozen_at: Mapped[datetime | None]
    is_open: Mapped[bool] = mapped_column(default=True)
