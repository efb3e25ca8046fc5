"""The seal: every entry gets a number and a link of a chain, and the end of the chain goes out."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base


class Seal(Base):
    """One entry's number in the journal, without gaps, and the chain up to it.

    `chain` is SHA-256 of the chain before and the entry's content hash. Never changed or deleted.
    """

    __tablename__ = "seal"
    __table_args__ = (
        UniqueConstraint("entry_id", "member_id", name="uq_seal_entry_once"),
        CheckConstraint("number >= 1", "number_positive"),
        CheckConstraint("octet_length(chain) = 32", "chain_has_32_bytes"),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    member_id: Mapped[UUID]
    entry_id: Mapped[UUID]
    chain: Mapped[bytes]


class SealHead(Base):
    """The end of the chain on a day, sent outside, so that nobody inside can rewrite the past."""

    __tablename__ = "seal_head"
    __table_args__ = (CheckConstraint("octet_length(chain) = 32", "chain_has_32_bytes"),)

    on_date: Mapped[date] = mapped_column(primary_key=True)
    number: Mapped[int]
    chain: Mapped[bytes]
    made_at: Mapped[datetime]
    due_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    sent_to: Mapped[str | None]
    last_error: Mapped[str | None]
