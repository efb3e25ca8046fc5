"""A wallet is blocked: by its member, who lost a phone, or by the chain, that saw it misused."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select

import chain
import members
import vouchers
from chain.models import Staff
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from redemption.block_notices import WALLET_BLOCKED, WALLET_FREED
from redemption.errors import OwnWallet
from redemption.models import WalletBlock
from redemption.queries import find_by_id
from vouchers.models import Wallet


def block_own_wallet(*, member_id: UUID, now: datetime) -> WalletBlock:
    """Let nothing be collected from one's wallet, until one lifts it. Again changes nothing."""
    vouchers.change_wallet(member_id)
    open_one = find_own_block(member_id)
    return open_one or _block(WalletBlock(member_id=member_id, is_own=True), now=now)


def lift_own_block(*, member_id: UUID, now: datetime) -> None:
    """Lift one's own block; the chain's stays. Again changes nothing."""
    vouchers.change_wallet(member_id)
    open_one = find_own_block(member_id)
    if open_one is not None:
        _lift(open_one, by_id=None, now=now)


def block_wallet(
    *, redemption_id: UUID, reason: str, staff_id: UUID, role: str, now: datetime
) -> WalletBlock:
    """Block the wallet that a redemption took from; managers, where that was at a store of theirs.

    It stays blocked until somebody of the staff lifts it; the member is told of both. Again changes
    nothing: the answer is the block that there is.

    Raises:
        NotFound: there is no such redemption.
        StoreScope: it was at another manager's store.
    """
    found = find_by_id(redemption_id)
    if found is None:
        raise NotFound
    chain.check_scope(found.store_id, staff_id=staff_id, role=role)
    vouchers.change_wallet(found.member_id)
    block = WalletBlock(
        member_id=found.member_id,
        is_own=False,
        redemption_id=found.id,
        store_id=found.store_id,
        reason=reason,
        blocked_by_id=staff_id,
    )
    if open_one := _find_open(found.member_id, is_own=False):
        return open_one
    members.notify(found.member_id, WALLET_BLOCKED, now=now)
    return _block(block, now=now)


def lift_wallet_block(
    *, wallet_block_id: UUID, staff_id: UUID, role: str, now: datetime
) -> WalletBlock:
    """Lift a block of the chain's; the member's own stays. Again changes nothing.

    Raises:
        NotFound: the chain made no such block.
        StoreScope: it was made for another manager's store.
        OwnWallet: it is of the wallet of whoever would lift it.
    """
    block = db.session.get(WalletBlock, wallet_block_id)
    if block is None or block.is_own or block.store_id is None:
        raise NotFound
    chain.check_scope(block.store_id, staff_id=staff_id, role=role)
    own_id = db.session.scalar(select(Staff.member_id).where(Staff.id == staff_id))
    if own_id == block.member_id:
        raise OwnWallet
    vouchers.change_wallet(block.member_id)
    db.session.refresh(block)
    if block.lifted_at is None:
        _lift(block, by_id=staff_id, now=now)
        members.notify(block.member_id, WALLET_FREED, now=now)
    return block


def list_wallet_blocks(
    *, staff_id: UUID, role: str, is_open: bool, limit: int, after: UUID | None
) -> Sequence[WalletBlock]:
    """The chain's blocks, the newest first. Managers: those made for their own stores."""
    found = select(WalletBlock).where(~WalletBlock.is_own).order_by(WalletBlock.id.desc())
    scope = chain.scope_of(staff_id=staff_id, role=role)
    if scope is not None:
        found = found.where(WalletBlock.store_id.in_(scope))
    if is_open:
        found = found.where(WalletBlock.lifted_at.is_(None))
    if after is not None:
        found = found.where(WalletBlock.id < after)
    return db.session.scalars(found.limit(limit)).all()


def find_own_block(member_id: UUID) -> WalletBlock | None:
    """The block that a member has put on their own wallet, if it is not lifted."""
    return _find_open(member_id, is_own=True)


def is_blocked_by_chain(member_id: UUID) -> bool:
    """Whether the chain blocks a wallet. Why, it says itself."""
    return _find_open(member_id, is_own=False) is not None


def _find_open(member_id: UUID, *, is_own: bool) -> WalletBlock | None:
    return db.session.scalar(
        select(WalletBlock).where(_is_open(member_id), WalletBlock.is_own == is_own)
    )


def _is_open(member_id: UUID) -> ColumnElement[bool]:
    return (WalletBlock.member_id == member_id) & WalletBlock.lifted_at.is_(None)


def _block(block: WalletBlock, *, now: datetime) -> WalletBlock:
    block.id, block.blocked_at = new_id(), now
    db.session.add(block)
    _mark(block.member_id)
    return block


def _lift(block: WalletBlock, *, by_id: UUID | None, now: datetime) -> None:
    block.lifted_at, block.lifted_by_id = now, by_id
    _mark(block.member_id)


def _mark(member_id: UUID) -> None:
    """Keep what tills read of it: since when, by the oldest block that is open."""
    db.session.flush()
    began = select(WalletBlock.blocked_at).where(_is_open(member_id))
    oldest = db.session.scalar(began.order_by(WalletBlock.blocked_at).limit(1))
    db.session.get_one(Wallet, member_id).blocked_at = oldest
