"""Cups of unlimited plans that were handed over: nobody counts them, but they are told of."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select, tuple_

from kernel.db import db
from ledger.history import Happening, Moved
from redemption.models import Redemption, RedemptionLine
from vouchers.models import Lot


def list_unbooked(*, member_id: UUID, limit: int, before_id: UUID | None) -> Sequence[Happening]:
    """The redemptions that moved nothing in the books, the newest first, undone ones left out."""
    theirs = select(Redemption).where(
        Redemption.member_id == member_id,
        Redemption.entry_id.is_(None),
        Redemption.voided_at.is_(None),
    )
    if before_id is not None:
        theirs = theirs.where(Redemption.id < before_id)
    found = db.session.scalars(theirs.order_by(Redemption.id.desc()).limit(limit)).all()
    lots = _lots_of(found)
    return [
        Happening(
            id=one.id,
            kind="redemption",
            at=one.redeemed_at,
            source_id=one.id,
            store_id=one.store_id,
            cups=0,
            amount=0,
            paid=None,
            currency=lots[one.id][0].currency,
            undoes_id=None,
            moved=[Moved(lot.id, 0, 0) for lot in lots[one.id]],
        )
        for one in found
    ]


def count_uncounted(member_id: UUID, redemption_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """How many cups each of these redemptions took that nobody counts; none where it took none."""
    if not redemption_ids:
        return {}
    taken = (
        select(RedemptionLine.redemption_id, func.sum(RedemptionLine.cups).label("cups"))
        .join(Lot, (Lot.member_id == RedemptionLine.member_id) & (Lot.id == RedemptionLine.lot_id))
        .where(
            RedemptionLine.member_id == member_id,
            RedemptionLine.redemption_id.in_(redemption_ids),
            Lot.units == 0,
        )
        .group_by(RedemptionLine.redemption_id)
    )
    return {row.redemption_id: int(row.cups) for row in db.session.execute(taken)}


def _lots_of(redemptions: Sequence[Redemption]) -> Mapping[UUID, list[Lot]]:
    ids = [(one.member_id, one.id) for one in redemptions]
    if not ids:
        return {}
    taken = (
        select(RedemptionLine.redemption_id, Lot)
        .join(Lot, (Lot.member_id == RedemptionLine.member_id) & (Lot.id == RedemptionLine.lot_id))
        .where(tuple_(RedemptionLine.member_id, RedemptionLine.redemption_id).in_(ids))
        .order_by(Lot.id)
    )
    lots: dict[UUID, list[Lot]] = {redemption_id: [] for _, redemption_id in ids}
    for redemption_id, lot in db.session.execute(taken):
        lots[redemption_id].append(lot)
    return lots
