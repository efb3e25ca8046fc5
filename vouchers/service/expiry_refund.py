"""Cups whose terms say so are given back at their end, by themselves."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, update

from kernel.db import db
from kernel.due import of
from vouchers.models import Lot, Wallet
from vouchers.service.expiry import is_ready
from vouchers.service.refund import Part, refund_lots


def find_refundable(
    *, after: UUID | None, limit: int, now: datetime, whose: UUID | None = None
) -> Sequence[UUID]:
    """Whose cups are to be given back at their end, in id order; perhaps only this member's."""
    mine = select(Lot.member_id).where(_is_over(now)).distinct().order_by(Lot.member_id)
    if after is not None:
        mine = mine.where(Lot.member_id > after)
    return db.session.scalars(of(mine, Lot.member_id, whose).limit(limit)).all()


def refund_ended(*, member_id: UUID, now: datetime) -> int:
    """Give back what has ended in one wallet, in the caller's transaction; answer how many lots.

    Either the cup or the money: a redemption that was decided before decides again. A wallet that
    somebody holds is left for later.
    """
    mine = select(Wallet).where(Wallet.member_id == member_id)
    if db.session.scalar(mine.with_for_update(skip_locked=True)) is None:
        return 0
    ended = select(Lot).where(Lot.member_id == member_id, _is_over(now)).order_by(Lot.id)
    lots = db.session.scalars(ended.execution_options(populate_existing=True)).all()
    if lots:
        db.session.execute(
            update(Wallet)
            .where(Wallet.member_id == member_id)
            .values(version=Wallet.version + 1)
            .execution_options(synchronize_session=False)
        )
        refund_lots([Part(lot, lot.units - lot.used) for lot in lots], reason="expiry", now=now)
    return len(lots)


def _is_over(now: datetime) -> ColumnElement[bool]:
    return and_(is_ready(now), Lot.expiry_mode == "refund", Lot.ends_at <= now)
