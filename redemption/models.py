"""Cups handed over: at which store, by whom, from which lots, and by which code."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base


class Credential(Base):
    """What a phone makes QR tokens with. Its seed is derived from the id, so none is stored.

    It opens the wallet of `member_id`; one of a sharer (`holder_id`) only what is of a plan,
    `subscription_id`.
    """

    __tablename__ = "credential"
    __table_args__ = (
        CheckConstraint("octet_length(id) = 8", "id_has_8_bytes"),
        ForeignKeyConstraint(["member_id"], ["wallet.member_id"], name="fk_credential_wallet"),
        CheckConstraint("(holder_id IS NULL) = (subscription_id IS NULL)", "shared_is_of_a_plan"),
        Index("ix_credential_member", "member_id"),
        Index("ix_credential_holder", "holder_id", postgresql_where=text("holder_id IS NOT NULL")),
    )

    id: Mapped[bytes] = mapped_column(primary_key=True)
    member_id: Mapped[UUID]
    holder_id: Mapped[UUID | None]
    subscription_id: Mapped[UUID | None]
    issued_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Redemption(Base):
    """Cups handed over at one store at one time. A code of one step is good for one of them.

    `top_up` is what the till took besides for a dearer drink, and `top_up_vat` the VAT in it. Cups
    that nobody counts (an unlimited plan's) move no money: then there is no entry.
    """

    __tablename__ = "redemption"
    __table_args__ = (
        PrimaryKeyConstraint("member_id", "id"),
        UniqueConstraint(
            "member_id", "credential_id", "step", name="uq_redemption_token_used_once"
        ),
        CheckConstraint("cups > 0", "cups_positive"),
        CheckConstraint("top_up_vat BETWEEN 0 AND top_up", "top_up_sane"),
        CheckConstraint("(voided_at IS NULL) = (voided_by_id IS NULL)", "void_has_author"),
        Index("ix_redemption_history", "member_id", "redeemed_at"),
        Index("ix_redemption_id", "id"),
    )

    member_id: Mapped[UUID]
    id: Mapped[UUID]
    store_id: Mapped[UUID]
    device_id: Mapped[UUID]
    staff_id: Mapped[UUID]
    product_id: Mapped[UUID]
    cups: Mapped[int]
    top_up: Mapped[int] = mapped_column(default=0)
    top_up_vat: Mapped[int] = mapped_column(default=0)
    redeemed_at: Mapped[datetime]
    business_day: Mapped[date]
    credential_id: Mapped[bytes]
    step: Mapped[int]
    entry_id: Mapped[UUID | None]
    voided_at: Mapped[datetime | None]
    voided_by_id: Mapped[UUID | None]


class RedemptionLine(Base):
    """How many cups came from which lot, and the money that went with them.

    `amount` and `vat` are what left the lot. Where the voucher is taxed at the till, `amount` holds
    the whole price and `vat` none: what of it is VAT stands in the entry.
    """

    __tablename__ = "redemption_line"
    __table_args__ = (
        PrimaryKeyConstraint("member_id", "redemption_id", "lot_id"),
        ForeignKeyConstraint(
            ["member_id", "redemption_id"],
            ["redemption.member_id", "redemption.id"],
            name="fk_redemption_line_redemption",
        ),
        ForeignKeyConstraint(
            ["member_id", "lot_id"], ["lot.member_id", "lot.id"], name="fk_redemption_line_lot"
        ),
        CheckConstraint("cups > 0 AND amount >= 0 AND vat >= 0", "takes_cups"),
    )

    member_id: Mapped[UUID]
    redemption_id: Mapped[UUID]
    lot_id: Mapped[UUID]
    offer_id: Mapped[UUID]
    cups: Mapped[int]
    amount: Mapped[int]
    vat: Mapped[int] = mapped_column(default=0)
