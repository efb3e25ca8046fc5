"""Who else collects from a plan."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base
from subs.models.subscription import Subscription


class Sharer(Base):
    """A place in a shared plan: offered by a link, taken by one member, left or taken away.

    The cups stay in the owner's wallet; a sharer shows a code that opens nothing but this plan.
    """

    __tablename__ = "sharer"
    __table_args__ = (
        CheckConstraint("octet_length(token_digest) = 32", "token_is_hashed"),
        CheckConstraint("(joined_at IS NULL) = (member_id IS NULL)", "joined_by_somebody"),
        Index("uq_sharer_token", "token_digest", unique=True),
        Index(
            "uq_sharer_member",
            "subscription_id",
            "member_id",
            unique=True,
            postgresql_where=text("left_at IS NULL AND member_id IS NOT NULL"),
        ),
        Index("ix_sharer_subscription", "subscription_id", "invited_at"),
        Index("ix_sharer_member", "member_id", postgresql_where=text("member_id IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subscription_id: Mapped[UUID] = mapped_column(ForeignKey(Subscription.id))
    token_digest: Mapped[bytes]
    member_id: Mapped[UUID | None]
    invited_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    joined_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
