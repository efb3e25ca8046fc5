"""What finance books by hand: proposed by one person, approved and thereby booked by another."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base
from ledger.models.chart import Account


class Adjustment(Base):
    """A correction by hand. It is in the books once it is approved, as `entry_id`."""

    __tablename__ = "adjustment"
    __table_args__ = (
        CheckConstraint("approved_by_id <> proposed_by_id", "two_people"),
        CheckConstraint(
            "(approved_at IS NULL) = (approved_by_id IS NULL)"
            " AND (approved_at IS NULL) = (entry_id IS NULL)",
            "approved_is_booked",
        ),
        CheckConstraint("rejected_at IS NULL OR approved_at IS NULL", "one_end"),
        CheckConstraint("(rejected_at IS NULL) = (rejected_by_id IS NULL)", "rejected_by_somebody"),
        CheckConstraint("reason <> ''", "has_a_reason"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", "currency_plain"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    book_date: Mapped[date]
    currency: Mapped[str]
    reason: Mapped[str]
    proposed_by_id: Mapped[UUID]
    proposed_at: Mapped[datetime]
    approved_by_id: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]
    rejected_by_id: Mapped[UUID | None]
    rejected_at: Mapped[datetime | None]
    entry_id: Mapped[UUID | None]


class AdjustmentLine(Base):
    """One pair of an adjustment as it was proposed: balanced like every line of the books."""

    __tablename__ = "adjustment_line"
    __table_args__ = (
        PrimaryKeyConstraint("adjustment_id", "ordinal"),
        CheckConstraint("debit <> credit", "two_accounts"),
        CheckConstraint("amount > 0", "amount_positive"),
        CheckConstraint("counterpart_store_id <> store_id", "counterpart_is_another"),
    )

    adjustment_id: Mapped[UUID] = mapped_column(ForeignKey(Adjustment.id))
    ordinal: Mapped[int]
    store_id: Mapped[UUID]
    debit: Mapped[str] = mapped_column(ForeignKey(Account.code))
    credit: Mapped[str] = mapped_column(ForeignKey(Account.code))
    amount: Mapped[int]
    counterpart_store_id: Mapped[UUID | None]
    offer_id: Mapped[UUID | None]
