"""A member's own story, told from the books: every cup that came, went, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select, true

from kernel.db import db
from ledger.models import Entry, Line
from ledger.policy import CASH, CUPS, PLANS, REFUND_PAYABLE, VOUCHERS

_IN_LOTS = frozenset({VOUCHERS, PLANS})
_REST = "rest"
_OF_THE_BOOKS = ("earning", _REST)
"""No events for a member: what finance books day by day about a plan, and what stays of an event
whose part was undone, which is told with the void."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What an event did to one lot: `cups` and the `amount` they carry, negative if they left."""

    lot_id: UUID | None
    cups: int
    amount: int


@dataclass(frozen=True, slots=True)
class Happening:
    """One event in a wallet. `cups` is what it added (positive) or took (negative).

    A sale, a void, a claim and a gift that came back add; a redemption, a gift, a refund, a lapse
    and a lost dispute take; a payout moves money and no cups, and so does the refund of a gift,
    whose cups had left before. `amount` is what those cups carry, net, and `moved` says it lot by
    lot. `paid` is the money that came with it (negative: that goes back), VAT included; None where
    no money moves. `store_id` is where it happened: for a redemption, the store that made the cups.
    A void names what it undid, or a part of what.
    """

    id: UUID
    kind: str
    at: datetime
    source_id: UUID
    store_id: UUID
    cups: int
    amount: int
    paid: int | None
    currency: str
    undoes_id: UUID | None
    moved: Sequence[Moved]


def list_happenings(*, member_id: UUID, limit: int, before_id: UUID | None) -> Sequence[Happening]:
    """Answer a member's events, the newest first; `before_id` continues a listing.

    One statement, which reads no more of the books than it answers; and a second one where among
    these something was undone.
    """
    mine = select(Entry).where(Entry.member_id == member_id)
    if before_id is not None:
        mine = mine.where(Entry.id < before_id)
    entries = _read(mine.where(Entry.kind.not_in(_OF_THE_BOOKS)).limit(limit))
    voids = [lines[0].id for lines in entries if lines[0].kind == "void"]
    if voids:
        rests = _read(mine.where(Entry.kind == _REST, Entry.id > min(voids)))
        for rest in rests:
            entries[_undone_by(rest, entries)].extend(rest)
    return [_told(lines) for lines in entries]


def _undone_by(rest: Sequence[Row[Any]], entries: Sequence[Sequence[Row[Any]]]) -> int:
    """Which of the entries, the newest first, left this rest: it was booked right after it."""
    return next(at for at, lines in enumerate(entries) if lines[0].id < rest[0].id)


def _read(wanted: Select[Entry]) -> list[list[Row[Any]]]:
    """The lines of entries, entry by entry, the newest first."""
    newest = wanted.order_by(Entry.id.desc()).subquery("newest")
    lines = (
        select(*_OF_LINE)
        .where(
            Line.member_id == newest.c.member_id,
            Line.book_date == newest.c.book_date,
            Line.entry_id == newest.c.id,
        )
        .offset(0)  # entry by entry: any other order of joining reads all lines of the member
        .lateral("lines")
    )
    told = select(newest, lines).join_from(newest, lines, true())
    rows = db.session.execute(told.order_by(newest.c.id.desc(), lines.c.ordinal)).all()
    return [list(same) for _, same in groupby(rows, key=lambda row: row.id)]


_OF_LINE = (
    Line.ordinal,
    Line.store_id,
    Line.debit,
    Line.credit,
    Line.amount.label("moves"),
    Line.qty,
    Line.lot_id,
)


def _told(lines: Sequence[Row[Any]]) -> Happening:
    entry = lines[0]
    made = next((line for line in lines if CUPS in {line.debit, line.credit}), entry)
    moved = _moved(lines)
    return Happening(
        id=entry.id,
        kind=entry.kind,
        at=entry.event_at,
        source_id=entry.source_id,
        store_id=made.store_id,
        cups=sum(one.cups for one in moved),
        amount=sum(one.amount for one in moved),
        paid=_paid(lines),
        currency=entry.currency,
        undoes_id=entry.reverses_id,
        moved=moved,
    )


def _moved(lines: Sequence[Row[Any]]) -> list[Moved]:
    """What went into lots and out of them, each lot once."""
    moved: dict[UUID | None, Moved] = {}
    for line in lines:
        way = (line.credit in _IN_LOTS) - (line.debit in _IN_LOTS)
        if way:
            so_far = moved.get(line.lot_id, Moved(line.lot_id, 0, 0))
            cups, amount = so_far.cups + way * line.qty, so_far.amount + way * line.moves
            moved[line.lot_id] = Moved(line.lot_id, cups, amount)
    return list(moved.values())


def _paid(lines: Sequence[Row[Any]]) -> int | None:
    """What came in cash; where none did, what became owed in money, or is so no more."""
    for account in (CASH, REFUND_PAYABLE):
        moves: list[int] = [(line.debit == account) - (line.credit == account) for line in lines]
        if any(moves):
            return sum(way * int(line.moves) for way, line in zip(moves, lines, strict=True))
    return None
