"""Checks of the books: how far one has got, and what it found."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base


class BooksCheck(Base):
    """One run over all invariants. `position` is where it goes on after a stop.

    `due_at` is when a worker may take up an unfinished one again; every step moves it on.
    """

    __tablename__ = "books_check"
    __table_args__ = (CheckConstraint("findings >= 0 AND checked >= 0", "counts_positive"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    due_at: Mapped[datetime]
    position: Mapped[dict[str, Any]]
    checked: Mapped[int] = mapped_column(default=0)
    findings: Mapped[int] = mapped_column(default=0)


class Finding(Base):
    """Something that does not hold: which invariant, where, what was expected and what is there."""

    __tablename__ = "books_finding"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    check_id: Mapped[UUID] = mapped_column(ForeignKey(BooksCheck.id))
    invariant: Mapped[str]
    facts: Mapped[dict[str, Any]]
    found_at: Mapped[datetime]
