"""The books: an entry per event, and its lines, each a debit and a credit of one amount."""

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

KINDS = (
    "sale",
    "redemption",
    "void",
    "rest",
    "refund",
    "payout",
    "gift",
    "claim",
    "gift_return",
    "transfer",
    "lapse",
    "top_up",
    "surplus",
    "earning",
    "dispute_opened",
    "dispute_won",
    "dispute_lost",
    "settlement",
    "adjustment",
    "breakage",
)
_KIND_KNOWN = "kind IN ({})".format(", ".join(f"'{kind}'" for kind in KINDS))


class Entry(Base):
    """One accounting event. It may reverse another entry, once. Never changed, never deleted.

    `event_at` is the moment it happened, `occurred_on` the local day it belongs to, `book_date` the
    day it is booked on: the same, unless that day's month was no longer open when it became known.
    `member_id` is whose cups it moved, or NOBODY. `content_hash` is over all fields and lines, see
    `ledger.content`.
    """

    __tablename__ = "entry"
    __table_args__ = (
        PrimaryKeyConstraint("member_id", "id"),
        UniqueConstraint("member_id", "reverses_id", name="uq_entry_reversed_once"),
        ForeignKeyConstraint(
            ["member_id", "reverses_id"], ["entry.member_id", "entry.id"], name="fk_entry_reverses"
        ),
        CheckConstraint("reverses_id <> id", "not_its_own_reversal"),
        CheckConstraint(_KIND_KNOWN, "kind_known"),
        CheckConstraint("(kind = 'void') = (reverses_id IS NOT NULL)", "void_reverses"),
        CheckConstraint("book_date >= occurred_on", "booked_late_never_early"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", "currency_plain"),
        CheckConstraint("octet_length(content_hash) = 32", "content_hash_has_32_bytes"),
        Index("ix_entry_late", "book_date", postgresql_where=text("book_date <> occurred_on")),
    )

    member_id: Mapped[UUID]
    id: Mapped[UUID]
    kind: Mapped[str]
    source_id: Mapped[UUID]
    event_at: Mapped[datetime]
    occurred_on: Mapped[date]
    book_date: Mapped[date]
    currency: Mapped[str]
    reverses_id: Mapped[UUID | None]
    content_hash: Mapped[bytes]


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


class Unfolded(Base):
    """An entry that is not yet in the roll-ups and not yet sealed: the books' own outbox.

    A trigger writes it with the entry, the fold deletes it. Entry ids do not commit in order, so
    no watermark could tell what is new.
    """

    __tablename__ = "unfolded"
    __table_args__ = (PrimaryKeyConstraint("entry_id", "member_id"),)

    entry_id: Mapped[UUID]
    member_id: Mapped[UUID]
    book_date: Mapped[date]
