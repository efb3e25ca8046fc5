"""Cups of unlimited plans that were handed over: nobody counts them, but they are told of."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, select, tuple_

from kernel.db import db
from ledger.history import Happening, Moved
from redemption.models import Redemption, RedemptionLine, Void
from vouchers.day_use import knows_what_was_collected
from vouchers.models import Lot


def list_unbooked(*, member_id: UUID, limit: int, before_id: UUID | None) -> Sequence[Happening]:
    """The redemptions that never moved anything in the books, the newest first, but undone ones.

    One that has no entry any more, since all that it booked was undone, is told by those.
    """
    was_booked = exists().where(
        Void.member_id == Redemption.member_id,
        Void.redemption_id == Redemption.id,
        Void.entry_id.is_not(None),
    )
    theirs = select(Redemption).where(
        Redemption.member_id == member_id,
        Redemption.entry_id.is_(None),
        Redemption.voided_at.is_(None),
        ~was_booked,
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
        select(
            RedemptionLine.redemption_id,
            func.sum(RedemptionLine.cups - RedemptionLine.cups_voided).label("cups"),
        )
        .join(Lot, (Lot.member_id == RedemptionLine.member_id) & (Lot.id == RedemptionLine.lot_id))
        .where(
            RedemptionLine.member_id == member_id,
            RedemptionLine.redemption_id.in_(redemption_ids),
            Lot.units == 0,
        )
        .group_by(RedemptionLine.redemption_id)
    )
    return {row.redemption_id: int(row.cups) for row in db.session.execute(taken)}


@knows_what_was_collected
def last_collected(lots: Collection[tuple[UUID, UUID]], since: datetime) -> Mapping[UUID, datetime]:
    """When cups were last collected out of lots (member and id) since a moment, and not undone."""
    taken = (
        select(RedemptionLine.lot_id, func.max(Redemption.redeemed_at).label("at"))
        .join(
            Redemption,
            (Redemption.member_id == RedemptionLine.member_id)
            & (Redemption.id == RedemptionLine.redemption_id),
        )
        .where(
            Redemption.member_id.in_({member_id for member_id, _ in lots}),
            Redemption.redeemed_at > since,
            Redemption.voided_at.is_(None),
            RedemptionLine.lot_id.in_([lot_id for _, lot_id in lots]),
            RedemptionLine.cups > RedemptionLine.cups_voided,
        )
        .group_by(RedemptionLine.lot_id)
    )
    return {row.lot_id: row.at for row in db.session.execute(taken)}


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
