"""What items have taken, given back on paper, so that they can be served again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import select

from kernel.db import db
from redemption.models import OfflineItem, RedemptionLine
from redemption.offline.judging import sealed_in
from redemption.offline.reading import Met
from redemption.policy import HeldLot


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Items of one wallet, and the lines of what they have taken: nobody has undone any of it."""

    rows: Sequence[OfflineItem]
    lines: Sequence[RedemptionLine]

    @classmethod
    def of(cls, member_id: UUID, rows: Sequence[OfflineItem]) -> "GivenBack":
        ids = [row.redemption_id for row in rows if row.redemption_id is not None]
        theirs = select(RedemptionLine).where(
            RedemptionLine.member_id == member_id, RedemptionLine.redemption_id.in_(ids)
        )
        return cls(rows, db.session.scalars(theirs).all())

    def picks_of(self, row: OfflineItem) -> list[tuple[UUID, int]]:
        """What one of them had taken, as `Settled.picks` has it."""
        return sorted(
            (line.lot_id, line.cups)
            for line in self.lines
            if line.redemption_id == row.redemption_id
        )

    def rights_of(self, mets: Iterable[Met]) -> dict[bytes, int]:
        """What each capsule may take with it."""
        back: dict[bytes | None, int] = {}
        for row in self.rows:
            cups = sum(cups for _, cups in self.picks_of(row))
            back[row.serial] = back.get(row.serial, 0) + cups
        return {
            sealed.serial: max(0, sealed.cups - met.spent + back.get(sealed.serial, 0))
            for met in mets
            if (sealed := sealed_in(met.brought.code)) is not None
        }

    def put_into(self, lot: HeldLot) -> HeldLot:
        """The lot with its cups back in it."""
        mine = [line for line in self.lines if line.lot_id == lot.id]
        if not mine or lot.is_unlimited:
            return lot
        return replace(
            lot,
            used=lot.used - sum(line.cups for line in mine),
            net_recognised=lot.net_recognised - sum(line.amount for line in mine),
            vat_gone=lot.vat_gone - sum(line.vat for line in mine),
        )
