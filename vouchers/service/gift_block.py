"""Whom a member wants no gifts from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select

from kernel import secrets
from kernel.db import db
from kernel.errors import NotFound
from vouchers.models import GiftBlock


@dataclass(frozen=True, slots=True)
class Block:
    """A block, under an id that does not tell who is blocked."""

    id: UUID
    blocked_at: datetime


def list_blocks(
    *, member_id: UUID, limit: int, after: tuple[datetime, UUID] | None
) -> Sequence[Block]:
    """A member's blocks, the newest first. They are few: each took a gift to decline."""
    blocks = sorted(
        (Block(_id_of(row), row.blocked_at) for row in _rows(member_id)),
        key=_position,
        reverse=True,
    )
    return [block for block in blocks if after is None or _position(block) < after][:limit]


def unblock(*, member_id: UUID, block_id: UUID) -> None:
    """Lift a block.

    Raises:
        NotFound: the member has no such block.
    """
    blocked = [row.blocked_id for row in _rows(member_id) if _id_of(row) == block_id]
    if not blocked:
        raise NotFound
    gone = delete(GiftBlock).where(
        GiftBlock.member_id == member_id, GiftBlock.blocked_id == blocked[0]
    )
    db.session.execute(gone)


def _rows(member_id: UUID) -> Sequence[GiftBlock]:
    return db.session.scalars(select(GiftBlock).where(GiftBlock.member_id == member_id)).all()


def _id_of(row: GiftBlock) -> UUID:
    """Derived, since the id of a member says when they joined and is the same in every gift."""
    pair = row.member_id.bytes + row.blocked_id.bytes
    return UUID(bytes=secrets.mac("gift block", pair)[:16])


def _position(block: Block) -> tuple[datetime, UUID]:
    return block.blocked_at, block.id
