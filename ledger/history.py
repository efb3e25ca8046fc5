"""A member's own story, told from the books: every cup that came, went, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from kernel.db import db
from ledger.models import Entry, Line
from ledger.policy import CUPS, PLANS, VOUCHERS

_LIABILITY = (VOUCHERS, PLANS)


@dataclass(frozen=True, slots=True)
class Happening:
    """One event in a wallet. `cups` is what it added (a sale, a void) or took (negative).

    `store_id` is where it happened: for a redemption, the store that made the cups.
    """

    id: UUID
    kind: str
    at: datetime
    source_id: UUID
    store_id: UUID
    cups: int
    amount: int
    currency: str


def list_happenings(*, member_id: UUID, limit: int, before_id: UUID | None) -> Sequence[Happening]:
    """Answer a member's events, the newest first; `before_id` continues a listing."""
    mine = select(Entry).where(Entry.member_id == member_id)
    if before_id is not None:
        mine = mine.where(Entry.id < before_id)
    entries = db.session.scalars(mine.order_by(Entry.id.desc()).limit(limit)).all()
    lines = _lines_of(member_id, [entry.id for entry in entries])
    return [_told(entry, lines.get(entry.id, [])) for entry in entries]


def _lines_of(member_id: UUID, entry_ids: list[UUID]) -> dict[UUID, list[Line]]:
    found: dict[UUID, list[Line]] = {}
    mine = select(Line).where(Line.member_id == member_id, Line.entry_id.in_(entry_ids))
    for line in db.session.scalars(mine.order_by(Line.ordinal)):
        found.setdefault(line.entry_id, []).append(line)
    return found


def _told(entry: Entry, lines: Sequence[Line]) -> Happening:
    owed = [line for line in lines if line.debit in _LIABILITY or line.credit in _LIABILITY]
    made = next((line for line in lines if CUPS in (line.debit, line.credit)), lines[0])
    sign = {line: 1 if line.credit in _LIABILITY else -1 for line in owed}
    return Happening(
        id=entry.id,
        kind=entry.kind,
        at=entry.event_at,
        source_id=entry.source_id,
        store_id=made.store_id,
        cups=sum(sign[line] * line.qty for line in owed),
        amount=sum(sign[line] * line.amount for line in owed),
        currency=entry.currency,
    )
