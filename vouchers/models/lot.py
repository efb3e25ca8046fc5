"""What members hold."""

from datetime import date, datetime
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

from chain.models import Store
from kernel.db import Base
from vouchers.models.offer import Offer, OfferVersion


class Wallet(Base):
    """Everything a member holds. Its row is the only lock: whoever changes it bumps `version`."""

    __tablename__ = "wallet"
    __table_args__ = (
        Index("ix_wallet_blocked", "member_id", postgresql_where=text("blocked_at IS NOT NULL")),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    blocked_at: Mapped[datetime | None]


class Lot(Base):
    """Cups of one kind held by one member, and the money they carry.

    `used` counts cups that have left in any way (collected, given, refunded, lapsed);
    `net_recognised` and `vat_gone` are the parts of `net` and `vat` that left with them. A lot is
    issued once per source and ordinal, whatever is retried.

    `buyer_id` is who paid, and stays when the cups are given on; `order_item_id` what they paid
    for (none for a plan's period). `due_at` is when something is to be done about its end next:
    an announcement, or what its `expiry_mode` says; NULL when nothing is.

    What a plan gives is of its `subscription_id`. Unlimited cups and memberships are not counted:
    such a lot has no units, and earns its money by the day, `earns_days` from `earns_from_on` on;
    `due_at` is the end of its next day. With `prepays_plan` its units are periods of a plan that
    somebody has paid for: no till takes them.
    """

    __tablename__ = "lot"
    __table_args__ = (
        PrimaryKeyConstraint("member_id", "id"),
        UniqueConstraint("member_id", "source", "source_id", "ordinal", name="uq_lot_issued_once"),
        ForeignKeyConstraint(["member_id"], ["wallet.member_id"], name="fk_lot_wallet"),
        CheckConstraint("used BETWEEN 0 AND units", "used_within_units"),
        CheckConstraint("(units > 0) = (earns_days IS NULL)", "cups_or_days"),
        CheckConstraint(
            "(earns_days IS NULL) = (earns_from_on IS NULL) AND earns_days > 0", "days_sane"
        ),
        CheckConstraint("net_recognised BETWEEN 0 AND net", "recognised_within_net"),
        CheckConstraint("vat_gone BETWEEN 0 AND vat", "vat_gone_within_vat"),
        CheckConstraint(
            "is_open OR (net_recognised = net AND vat_gone = vat)", "empty_is_recognised"
        ),
        CheckConstraint("units = 0 OR is_open = (used < units)", "open_has_cups"),
        CheckConstraint("account IN ('2131', '2132')", "account_is_contract_liability"),
        CheckConstraint(
            "source IN ('order_item', 'period', 'gift', 'plan_change')", "source_known"
        ),
        CheckConstraint(
            "expiry_mode IN ('never', 'lapse', 'top_up', 'refund')", "expiry_mode_known"
        ),
        CheckConstraint("(expiry_mode = 'never') = (ends_at IS NULL)", "end_has_a_mode"),
        CheckConstraint("due_at <= ends_at", "due_by_its_end"),
        Index("ix_lot_open", "member_id", postgresql_where=text("is_open")),
        CheckConstraint("NOT prepays_plan OR units > 0", "prepaid_is_counted"),
        Index(
            "ix_lot_due",
            "due_at",
            postgresql_where=text("is_open AND due_at IS NOT NULL AND earns_days IS NULL"),
        ),
        Index(
            "ix_lot_earning",
            "due_at",
            postgresql_where=text("is_open AND earns_days IS NOT NULL"),
        ),
        Index(
            "ix_lot_order_item",
            "order_item_id",
            postgresql_where=text("order_item_id IS NOT NULL"),
        ),
    )

    member_id: Mapped[UUID]
    id: Mapped[UUID]
    offer_version_id: Mapped[UUID] = mapped_column(ForeignKey(OfferVersion.id))
    offer_id: Mapped[UUID] = mapped_column(ForeignKey(Offer.id))
    store_id: Mapped[UUID] = mapped_column(ForeignKey(Store.id))
    source: Mapped[str]
    source_id: Mapped[UUID]
    ordinal: Mapped[int] = mapped_column(default=1)
    buyer_id: Mapped[UUID]
    order_item_id: Mapped[UUID | None]
    subscription_id: Mapped[UUID | None]
    is_bonus: Mapped[bool] = mapped_column(default=False)
    prepays_plan: Mapped[bool] = mapped_column(default=False)
    account: Mapped[str]
    currency: Mapped[str]
    units: Mapped[int]
    used: Mapped[int] = mapped_column(default=0)
    net: Mapped[int]
    vat: Mapped[int]
    net_recognised: Mapped[int] = mapped_column(default=0)
    vat_gone: Mapped[int] = mapped_column(default=0)
    earns_from_on: Mapped[date | None]
    earns_days: Mapped[int | None]
    sold_at: Mapped[datetime]
    expiry_mode: Mapped[str] = mapped_column(default="never")
    ends_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    frozen_at: Mapped[datetime | None]
    is_open: Mapped[bool] = mapped_column(default=True)
