"""A member's own story, told from the books: every cup that came, went, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from kernel.db import db
from ledger.models import Entry, Line
from ledger.policy import CUPS, PLANS, VOUCHERS

_IN_LOTS = (VOUCHERS, PLANS)


@dataclass(frozen=True, slots=True)
class Happening:
    """One event in a wallet. `cups` is what it added (positive) or took (negative).

    A sale, a void, a claim and a gift that came back add; a redemption, a gift, a refund, a lapse
    and a lost dispute take; a payout moves money and no cups. `amount` is what those cups carry.
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
    lines = _lines_of(member_id, entries)
    return [_told(entry, lines[entry.id]) for entry in entries]


def _lines_of(member_id: UUID, entries: Sequence[Entry]) -> dict[UUID, list[Line]]:
    found: dict[UUID, list[Line]] = {entry.id: [] for entry in entries}
    mine = select(Line).where(
        Line.member_id == member_id,
        Line.book_date.in_({entry.book_date for entry in entries}),
        Line.entry_id.in_(found),
    )
    for line in db.session.scalars(mine.order_by(Line.ordinal)):
        found[line.entry_id].append(line)
    return found


def _told(entry: Entry, lines: Sequence[Line]) -> Happening:
    made = next((line for line in lines if CUPS in {line.debit, line.credit}), lines[0])
    sign = [(line.credit in _IN_LOTS) - (line.debit in _IN_LOTS) for line in lines]
    return Happening(
        id=entry.id,
        kind=entry.kind,
        at=entry.event_at,
        source_id=entry.source_id,
        store_id=made.store_id,
        cups=sum(way * line.qty for way, line in zip(sign, lines, strict=True)),
        amount=sum(way * line.amount for way, line in zip(sign, lines, strict=True)),
        currency=entry.currency,
    )
