"""Cups handed over: at which store, by whom, from which lots, and by which code."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base


class Credential(Base):
    """What a phone makes QR tokens with. Its seed is derived from the id, so none is stored."""

    __tablename__ = "credential"
    __table_args__ = (
        CheckConstraint("octet_length(id) = 8", "id_has_8_bytes"),
        ForeignKeyConstraint(["member_id"], ["wallet.member_id"], name="fk_credential_wallet"),
        Index("ix_credential_member", "member_id"),
    )

    id: Mapped[bytes] = mapped_column(primary_key=True)
    member_id: Mapped[UUID]
    issued_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Redemption(Base):
    """Cups handed over at one store at one time. A code of one step is good for one of them."""

    __tablename__ = "redemption"
    __table_args__ = (
        PrimaryKeyConstraint("member_id", "id"),
        UniqueConstraint(
            "member_id", "credential_id", "step", name="uq_redemption_token_used_once"
        ),
        CheckConstraint("cups > 0", "cups_positive"),
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
    redeemed_at: Mapped[datetime]
    business_day: Mapped[date]
    credential_id: Mapped[bytes]
    step: Mapped[int]
    entry_id: Mapped[UUID]
    voided_at: Mapped[datetime | None]
    voided_by_id: Mapped[UUID | None]


class RedemptionLine(Base):
    """How many cups came from which lot, and the money that went with them."""

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
        CheckConstraint("cups > 0 AND amount >= 0", "takes_cups"),
    )

    member_id: Mapped[UUID]
    redemption_id: Mapped[UUID]
    lot_id: Mapped[UUID]
    offer_id: Mapped[UUID]
    cups: Mapped[int]
    amount: Mapped[int]
