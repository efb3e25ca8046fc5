"""Money on its way back to its payer: repayments, and disputes that a bank has opened."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from chain.models import Shift
from kernel.db import Base
from payments.models.asking import Payment


class Repayment(Base):
    """Money of a payment on its way back to the payer. Its id is the provider's idempotency key.

    intent → processing → succeeded | failed; and succeeded → failed, when a bank sends it back
    later. Cash waits as `processing` until a clerk hands it out (`shift_id`). `purpose` and
    `purpose_id` say what for (`refund`, or `surplus` for money that nobody had to pay). `asked_at`
    is when the provider was first asked, by its clock and everybody's; `due_at` when to ask
    (again), by that of its member.
    """

    __tablename__ = "repayment"
    __table_args__ = (
        UniqueConstraint("purpose", "purpose_id", "attempt", name="uq_repayment_attempt"),
        Index(
            "uq_repayment_live_once",
            "purpose",
            "purpose_id",
            unique=True,
            postgresql_where=text("status <> 'failed'"),
        ),
        CheckConstraint("amount > 0", "amount_positive"),
        CheckConstraint("purpose IN ('refund', 'surplus')", "purpose_known"),
        CheckConstraint(
            "status IN ('intent', 'processing', 'succeeded', 'failed')", "status_known"
        ),
        CheckConstraint(
            "(settled_at IS NULL) = (status IN ('intent', 'processing'))", "settled_has_time"
        ),
        CheckConstraint("settled_at IS NULL OR due_at IS NULL", "settled_is_never_due"),
        CheckConstraint(
            "provider <> 'cash' OR status <> 'succeeded' OR shift_id IS NOT NULL",
            "cash_has_shift",
        ),
        Index("ix_repayment_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_repayment_payment", "payment_id"),
        Index("ix_repayment_shift", "shift_id", postgresql_where=text("shift_id IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey(Payment.id))
    member_id: Mapped[UUID]
    purpose: Mapped[str]
    purpose_id: Mapped[UUID]
    attempt: Mapped[int] = mapped_column(default=1)
    provider: Mapped[str]
    provider_ref: Mapped[str | None] = mapped_column(unique=True)
    shift_id: Mapped[UUID | None] = mapped_column(ForeignKey(Shift.id))
    amount: Mapped[int]
    currency: Mapped[str]
    status: Mapped[str] = mapped_column(default="intent")
    failure: Mapped[str | None]
    created_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class Dispute(Base):
    """A bank takes the money of a payment back on its holder's word: open → won | lost.

    `status` is what the provider was last seen to say; `followed` how far the room above has drawn
    its consequences (`open`, `won`, `lost`; NULL for not at all), so that news in any order,
    doubled or late, ends the same.
    """

    __tablename__ = "dispute"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'won', 'lost')", "status_known"),
        CheckConstraint("followed IN ('open', 'won', 'lost')", "followed_known"),
        CheckConstraint("(status = 'open') = (closed_at IS NULL)", "closed_has_time"),
        CheckConstraint("amount > 0", "amount_positive"),
        Index("ix_dispute_payment", "payment_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_ref: Mapped[str] = mapped_column(unique=True)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey(Payment.id))
    amount: Mapped[int]
    currency: Mapped[str]
    reason: Mapped[str]
    status: Mapped[str]
    followed: Mapped[str | None]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
