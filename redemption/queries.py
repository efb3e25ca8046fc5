"""Reading what was handed over."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from kernel.db import db
from kernel.errors import NotFound
from ledger.models import Entry
from redemption.models import Redemption, RedemptionLine, Void
from vouchers.models import Lot


def get_redemption(*, redemption_id: UUID, store_id: UUID) -> Redemption:
    """Answer a redemption of one store.

    Raises:
        NotFound: there is none, or it was another store's.
    """
    redemption = find_by_id(redemption_id)
    if redemption is None or redemption.store_id != store_id:
        raise NotFound
    return redemption


def find_by_id(redemption_id: UUID) -> Redemption | None:
    """Find a redemption without knowing whose it is, as a till does."""
    return db.session.scalar(select(Redemption).where(Redemption.id == redemption_id))


def currency_of(redemption: Redemption) -> str:
    """Answer the currency of a redemption's money: that of its entry, or of what it came from."""
    if redemption.entry_id is None:
        line = lines_of(redemption)[0]
        return db.session.get_one(Lot, (line.member_id, line.lot_id)).currency
    return db.session.get_one(Entry, (redemption.member_id, redemption.entry_id)).currency


def last_void(redemption: Redemption) -> Void:
    """Answer the newest of the voids of a redemption; there is one."""
    mine = select(Void).where(
        Void.member_id == redemption.member_id, Void.redemption_id == redemption.id
    )
    return db.session.scalars(mine.order_by(Void.id.desc()).limit(1)).one()


def lines_of(redemption: Redemption) -> Sequence[RedemptionLine]:
    """Answer which lots the cups of a redemption came from."""
    mine = select(RedemptionLine).where(
        RedemptionLine.member_id == redemption.member_id,
        RedemptionLine.redemption_id == redemption.id,
    )
    return db.session.scalars(mine.order_by(RedemptionLine.lot_id)).all()
