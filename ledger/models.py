"""The books: an entry per event, and its lines, each a debit and a credit of one amount."""

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


class Account(Base):
    """One account of the chart. Codes are the chain's own; these are only the defaults."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("kind IN ('asset', 'liability', 'income', 'expense')", "kind_known"),
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]


class Entry(Base):
    """One accounting event. It may reverse another entry, once. Never changed, never deleted.

    `event_at` is the moment it happened, `book_date` the local day it is booked on. The
    roll-forward has a column for each kind: another one would be owed and shown nowhere.
    """

    __tablename__ = "entry"
    __table_args__ = (
        PrimaryKeyConstraint("member_id", "id"),
        UniqueConstraint("member_id", "reverses_id", name="uq_entry_reversed_once"),
        ForeignKeyConstraint(
            ["member_id", "reverses_id"], ["entry.member_id", "entry.id"], name="fk_entry_reverses"
        ),
        CheckConstraint("reverses_id <> id", "not_its_own_reversal"),
        CheckConstraint("kind IN ('sale', 'redemption', 'void', 'lapse')", "kind_known"),
        CheckConstraint("(kind = 'void') = (reverses_id IS NOT NULL)", "void_reverses"),
    )

    member_id: Mapped[UUID]
    id: Mapped[UUID]
    kind: Mapped[str]
    source_id: Mapped[UUID]
    event_at: Mapped[datetime]
    book_date: Mapped[date]
    currency: Mapped[str]
    reverses_id: Mapped[UUID | None]


class Line(Base):
    """One debit account, one credit account, one amount, in one store's book.

    Balanced by construction. `qty` counts cups; a free cup has amount 0. `book_date` repeats the
    entry's, since lines are read, and later partitioned, by it. `offer_id` is what was sold.
    """

    __tablename__ = "line"
    __table_args__ = (
        PrimaryKeyConstraint("member_id", "book_date", "entry_id", "ordinal"),
        ForeignKeyConstraint(
            ["member_id", "entry_id"], ["entry.member_id", "entry.id"], name="fk_line_entry"
        ),
        CheckConstraint("debit <> credit", "two_accounts"),
        CheckConstraint("amount >= 0 AND qty >= 0 AND amount + qty > 0", "moves_something"),
        CheckConstraint("counterpart_store_id <> store_id", "counterpart_is_another"),
        Index("ix_line_report", "book_date", "store_id"),
    )

    member_id: Mapped[UUID]
    entry_id: Mapped[UUID]
    ordinal: Mapped[int]
    book_date: Mapped[date]
    store_id: Mapped[UUID]
    debit: Mapped[str]
    credit: Mapped[str]
    amount: Mapped[int]
    qty: Mapped[int] = mapped_column(default=0)
    counterpart_store_id: Mapped[UUID | None]
    offer_id: Mapped[UUID | None]
    lot_id: Mapped[UUID | None]
