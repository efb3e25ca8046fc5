"""Months of the books: open → soft → closed, and how they got there."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base

_FIRST = "extract(day FROM first_on) = 1"


class BookMonth(Base):
    """A month that is no longer open. Without a row it is.

    soft: only finance books into it (adjustments, breakage); closed: nobody does. `version` counts
    how often it was closed, plus one while it is soft. `closing_asked_at` asks the closing job,
    which leaves its reason in `problem` when it could not. `digest` is over all balances of the
    version, see `ledger.service.balances`.
    """

    __tablename__ = "book_month"
    __table_args__ = (
        CheckConstraint("state IN ('soft', 'closed')", "state_known"),
        CheckConstraint(_FIRST, "starts_on_the_first"),
        CheckConstraint("version >= 1", "version_positive"),
        CheckConstraint(
            "(state = 'closed') = (closed_at IS NOT NULL AND digest IS NOT NULL)",
            "closed_has_digest",
        ),
        CheckConstraint("state = 'soft' OR closing_asked_at IS NULL", "closed_is_not_closing"),
    )

    first_on: Mapped[date] = mapped_column(primary_key=True)
    state: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    closing_asked_at: Mapped[datetime | None]
    closing_asked_by_id: Mapped[UUID | None]
    problem: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    digest: Mapped[bytes | None]


class BookMonthStep(Base):
    """One step in the life of a month, and who took it. Never changed, never deleted."""

    __tablename__ = "book_month_step"
    __table_args__ = (
        CheckConstraint("step IN ('soft_closed', 'opened', 'closed', 'reopened')", "step_known"),
        CheckConstraint(_FIRST, "starts_on_the_first"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    first_on: Mapped[date]
    step: Mapped[str]
    version: Mapped[int]
    at: Mapped[datetime]
    by_id: Mapped[UUID]
    digest: Mapped[bytes | None]


class Reopening(Base):
    """A wish to reopen the latest closed month: proposed by one person, approved by another."""

    __tablename__ = "reopening"
    __table_args__ = (
        UniqueConstraint("first_on", "version", name="uq_reopening_once_a_version"),
        CheckConstraint("approved_by_id <> proposed_by_id", "two_people"),
        CheckConstraint("(approved_at IS NULL) = (approved_by_id IS NULL)", "approved_by_somebody"),
        CheckConstraint("reason <> ''", "has_a_reason"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    first_on: Mapped[date] = mapped_column(ForeignKey(BookMonth.first_on))
    version: Mapped[int]
    reason: Mapped[str]
    proposed_by_id: Mapped[UUID]
    proposed_at: Mapped[datetime]
    approved_by_id: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]
