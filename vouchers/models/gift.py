"""Cups on their way from one member to another."""

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

from kernel.db import Base


class Gift(Base):
    """Cups that a member gives by a link: open → claimed, or back (withdrawn, returned, refunded).

    Its token is derived from its id, so none is stored (`vouchers.gift_token`). `ends_at` is until
    when it can be claimed, `due_at` when somebody is to be reminded or its end is due. A disputed
    payment freezes it; when that is `lost`, its cups are gone. `message_sealed` is under the
    giver's key.
    """

    __tablename__ = "gift"
    __table_args__ = (
        ForeignKeyConstraint(["giver_id"], ["wallet.member_id"], name="fk_gift_wallet"),
        CheckConstraint(
            "status IN ('open', 'claimed', 'withdrawn', 'returned', 'refunded', 'lost')",
            "status_known",
        ),
        CheckConstraint("(status = 'open') = (closed_at IS NULL)", "closed_has_time"),
        CheckConstraint(
            "(status = 'claimed') = (claimed_by_id IS NOT NULL)", "claimed_by_somebody"
        ),
        CheckConstraint("claimed_by_id <> giver_id", "claimed_by_another"),
        CheckConstraint("cups > 0", "gives_cups"),
        CheckConstraint("(due_at IS NULL) = (status <> 'open')", "open_is_due"),
        Index("ix_gift_giver", "giver_id", "id"),
        Index("ix_gift_claimed", "claimed_by_id", postgresql_where=text("status = 'claimed'")),
        Index("ix_gift_due", "due_at", postgresql_where=text("status = 'open'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    giver_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(default="open")
    cups: Mapped[int]
    message_sealed: Mapped[bytes | None]
    given_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    frozen_at: Mapped[datetime | None]
    claimed_by_id: Mapped[UUID | None]
    closed_at: Mapped[datetime | None]


class GiftItem(Base):
    """The part of a gift that came from one lot: cups, and the money that went with them."""

    __tablename__ = "gift_item"
    __table_args__ = (
        PrimaryKeyConstraint("gift_id", "ordinal"),
        ForeignKeyConstraint(
            ["member_id", "lot_id"], ["lot.member_id", "lot.id"], name="fk_gift_item_lot"
        ),
        CheckConstraint("cups > 0 AND net >= 0 AND vat >= 0", "gives_cups"),
        Index("ix_gift_item_lot", "member_id", "lot_id"),
    )

    gift_id: Mapped[UUID] = mapped_column(ForeignKey(Gift.id))
    ordinal: Mapped[int]
    member_id: Mapped[UUID]
    lot_id: Mapped[UUID]
    cups: Mapped[int]
    net: Mapped[int]
    vat: Mapped[int]


class GiftBlock(Base):
    """A member wants no gifts from, and gives none to, another one."""

    __tablename__ = "gift_block"
    __table_args__ = (
        PrimaryKeyConstraint("member_id", "blocked_id"),
        CheckConstraint("member_id <> blocked_id", "blocks_another"),
    )

    member_id: Mapped[UUID]
    blocked_id: Mapped[UUID]
    blocked_at: Mapped[datetime]
