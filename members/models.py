"""Shoppers. What is personal is sealed under a key per person; erasing the key erases it."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base


class Member(Base):
    """A shopper. `phone_index` finds a phone without showing it (HMAC, a blind index)."""

    __tablename__ = "member"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    phone_index: Mapped[bytes] = mapped_column(unique=True)
    phone_sealed: Mapped[bytes]
    profile_sealed: Mapped[bytes | None]
    locale: Mapped[str] = mapped_column(default="zh-TW")
    time_zone: Mapped[str] = mapped_column(default="Asia/Taipei")
    joined_at: Mapped[datetime]


class MemberKey(Base):
    """The key of one person, itself sealed under the installation's key."""

    __tablename__ = "member_key"

    member_id: Mapped[UUID] = mapped_column(ForeignKey(Member.id), primary_key=True)
    key_sealed: Mapped[bytes]


class Challenge(Base):
    """A one-time code sent to a phone. The code itself is nowhere: it is derived from the id."""

    __tablename__ = "sign_in_challenge"
    __table_args__ = (
        CheckConstraint("tries BETWEEN 0 AND 5", "tries_bounded"),
        Index("ix_sign_in_challenge_phone", "phone_index", "sent_at"),
        Index("ix_sign_in_challenge_age", "sent_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    phone_index: Mapped[bytes]
    phone_sealed: Mapped[bytes]
    locale: Mapped[str]
    sent_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None]


class MemberSession(Base):
    """A signed-in app or browser."""

    __tablename__ = "member_session"
    __table_args__ = (
        Index("ix_member_session_live", "member_id", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey(Member.id))
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class MemberClock(Base):
    """How far a member's clock runs ahead of everybody's, in the sandbox only.

    It is on its way to `goal`, step by step: at each it is done what is due by then. Who moves it
    holds it until `leased_until`, by everybody's clock.
    """

    __tablename__ = "member_clock"
    __table_args__ = (
        CheckConstraint("ahead >= interval '0'", "never_behind"),
        CheckConstraint("ahead <= goal", "not_past_its_goal"),
    )

    member_id: Mapped[UUID] = mapped_column(ForeignKey(Member.id), primary_key=True)
    ahead: Mapped[timedelta]
    goal: Mapped[timedelta]
    leased_until: Mapped[datetime | None]
