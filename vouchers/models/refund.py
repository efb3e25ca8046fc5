"""Unused cups that were given back for money."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from chain.models import Store
from kernel.db import Base


class Refund(Base):
    """Unused cups given back: what its payer is owed for them, and whether they have it.

    `purpose` and `purpose_id` name what had been paid for, as payments do. `gross` is what the
    cups carried; `kept` of it pays for used cups at list price (negative: that was kept before, for
    cups whose use was undone), `fee` is the chain's; the rest is `payable`, always to the payer.
    `owed` → `paid`, or `failed` when the provider could not bring it (it is still owed then), also
    after it had said `paid`. Finance may have paid it in another way then (`settled_by_id`, by
    which `settled_reference`).
    """

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint(
            "reason IN ('withdrawal', 'request', 'expiry', 'gift_unclaimed', 'goodwill')",
            "reason_known",
        ),
        CheckConstraint("basis IN ('allocated', 'list_price')", "basis_known"),
        CheckConstraint("status IN ('owed', 'paid', 'failed')", "status_known"),
        CheckConstraint(
            "payable = gross - kept - fee AND payable >= 0 AND fee >= 0",
            "adds_up",
        ),
        CheckConstraint("(status = 'paid') = (paid_at IS NOT NULL)", "paid_has_time"),
        CheckConstraint(
            "(settled_by_id IS NULL) = (settled_reference IS NULL)"
            " AND (settled_by_id IS NULL OR status = 'paid')",
            "settled_by_somebody",
        ),
        Index("ix_refund_unpaid", "id", postgresql_where=text("status <> 'paid'")),
        Index("ix_refund_payer", "payer_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    payer_id: Mapped[UUID]
    purpose: Mapped[str]
    purpose_id: Mapped[UUID]
    store_id: Mapped[UUID] = mapped_column(ForeignKey(Store.id))
    reason: Mapped[str]
    basis: Mapped[str]
    asked_by_id: Mapped[UUID | None]
    currency: Mapped[str]
    gross: Mapped[int]
    kept: Mapped[int]
    fee: Mapped[int]
    payable: Mapped[int]
    status: Mapped[str] = mapped_column(default="owed")
    refunded_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    payout_entry_id: Mapped[UUID | None]
    settled_by_id: Mapped[UUID | None]
    settled_reference: Mapped[str | None]


class RefundLine(Base):
    """What was given back of one lot, or of one lot's part of an unclaimed gift (`gift_id`).

    Of days that nobody counts in cups, only money.
    """

    __tablename__ = "refund_line"
    __table_args__ = (
        PrimaryKeyConstraint("refund_id", "ordinal"),
        ForeignKeyConstraint(
            ["member_id", "lot_id"], ["lot.member_id", "lot.id"], name="fk_refund_line_lot"
        ),
        CheckConstraint("cups >= 0 AND cups + net + vat > 0", "gives_something_back"),
        CheckConstraint(
            "net >= 0 AND vat >= 0"
            " AND (kept_net >= 0 AND kept_vat >= 0 OR kept_net <= 0 AND kept_vat <= 0)"
            " AND fee_net >= 0 AND fee_vat >= 0"
            " AND kept_net + kept_vat + fee_net + fee_vat <= net + vat",
            "keeps_no_more_than_it_gives",
        ),
        Index("ix_refund_line_lot", "member_id", "lot_id"),
    )

    refund_id: Mapped[UUID] = mapped_column(ForeignKey(Refund.id))
    ordinal: Mapped[int]
    member_id: Mapped[UUID]
    lot_id: Mapped[UUID]
    gift_id: Mapped[UUID | None]
    cups: Mapped[int]
    net: Mapped[int]
    vat: Mapped[int]
    kept_net: Mapped[int] = mapped_column(default=0)
    kept_vat: Mapped[int] = mapped_column(default=0)
    fee_net: Mapped[int] = mapped_column(default=0)
    fee_vat: Mapped[int] = mapped_column(default=0)
    entry_id: Mapped[UUID]
