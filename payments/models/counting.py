"""What was counted: a till's cash after a shift, and differences to the providers' lists."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from chain.models import Shift, Staff
from kernel.db import Base
from payments.models.asking import Payment
from payments.models.returning import Repayment


class ShiftTotal(Base):
    """What a shift took and gave out, closed once. `counted` is the cash that was in the drawer.

    `cash` and `terminal` are payments less repayments, as recorded; the difference of `counted`
    to `cash` is explained by the `note`.
    """

    __tablename__ = "shift_total"
    __table_args__ = (PrimaryKeyConstraint("shift_id", "currency"),)

    shift_id: Mapped[UUID] = mapped_column(ForeignKey(Shift.id))
    currency: Mapped[str]
    cash: Mapped[int]
    terminal: Mapped[int]
    counted: Mapped[int]
    note: Mapped[str | None]
    closed_by_id: Mapped[UUID] = mapped_column(ForeignKey(Staff.id))
    closed_at: Mapped[datetime]


class ProviderLook(Base):
    """Until when a provider's lists of payments and repayments have been compared with ours."""

    __tablename__ = "provider_look"

    provider: Mapped[str] = mapped_column(primary_key=True)
    looked_until: Mapped[datetime]
    leased_until: Mapped[datetime | None]


class PaymentDifference(Base):
    """Something that a provider's list and ours say differently, and that nobody can just repair.

    `ref` is the provider's reference, or our id where the provider knows nothing of it. It is gone
    (`gone_at`) once a later look finds both the same.
    """

    __tablename__ = "payment_difference"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('unknown_to_us', 'unknown_to_provider', 'amount_differs',"
            " 'status_differs', 'repayment_unknown_to_us', 'repayment_unknown_to_provider',"
            " 'repayment_differs', 'dispute_unknown_to_us')",
            "kind_known",
        ),
        Index(
            "uq_payment_difference_open",
            "provider",
            "ref",
            "kind",
            unique=True,
            postgresql_where=text("gone_at IS NULL"),
        ),
        Index("ix_payment_difference_found", "found_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider: Mapped[str]
    kind: Mapped[str]
    ref: Mapped[str]
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey(Payment.id))
    repayment_id: Mapped[UUID | None] = mapped_column(ForeignKey(Repayment.id))
    facts: Mapped[dict[str, Any]]
    found_at: Mapped[datetime]
    gone_at: Mapped[datetime | None]
