"""The journal: every line of the books in its order, and an entry with all that belongs to it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from kernel.db import db
from kernel.errors import NotFound
from ledger.models import Entry, Line, Seal
from ledger.reports.reading import read


class Place(NamedTuple):
    """Where a line stands in the journal: day, store's book, entry, line. Listings go on after it.

    Entry ids sort by the time at which they were made.
    """

    book_date: date
    store_id: UUID
    entry_id: UUID
    member_id: UUID
    ordinal: int


class Posted(NamedTuple):
    """One line, with the facts of its entry.

    `number` is the entry's in the seal, None while it is not sealed. `source_id` names what caused
    it: of kind `redemption`, the redemption. Amounts in whole minor units.
    """

    book_date: date
    store_id: UUID
    entry_id: UUID
    member_id: UUID
    ordinal: int
    debit: str
    credit: str
    amount: int
    qty: int
    counterpart_store_id: UUID | None
    offer_id: UUID | None
    lot_id: UUID | None
    kind: str
    source_id: UUID
    event_at: datetime
    occurred_on: date
    currency: str
    reverses_id: UUID | None
    number: int | None

    @property
    def place(self) -> Place:
        return Place(*self[:5])


class EntryView(NamedTuple):
    """An entry: what it says, what it reverses or is reversed by, its number in the seal."""

    entry: Entry
    lines: Sequence[Line]
    reversed_by_id: UUID | None
    number: int | None


# The page is cut before anything is joined to it, along ix_line_report.
_JOURNAL = """
WITH page AS MATERIALIZED (
    SELECT * FROM line
    WHERE book_date >= %(first_on)s AND book_date <= %(last_on)s
      AND (%(store_id)s::uuid IS NULL OR store_id = %(store_id)s::uuid)
      AND (%(account)s::text IS NULL OR debit = %(account)s OR credit = %(account)s)
      AND (%(is_first)s OR (book_date, store_id, entry_id, member_id, ordinal) > (
               %(after_on)s::date, %(after_store)s::uuid, %(after_entry)s::uuid,
               %(after_member)s::uuid, %(after_ordinal)s::bigint))
    ORDER BY book_date, store_id, entry_id, member_id, ordinal
    LIMIT %(limit)s
)
SELECT page.book_date, page.store_id, page.entry_id, page.member_id, page.ordinal, page.debit,
       page.credit, page.amount, page.qty, page.counterpart_store_id, page.offer_id, page.lot_id,
       entry.kind, entry.source_id, entry.event_at, entry.occurred_on, entry.currency,
       entry.reverses_id, seal.number
FROM page
JOIN entry ON entry.member_id = page.member_id AND entry.id = page.entry_id
LEFT JOIN seal ON seal.entry_id = page.entry_id AND seal.member_id = page.member_id
ORDER BY page.book_date, page.store_id, page.entry_id, page.member_id, page.ordinal
"""


def journal(
    first_on: date,
    last_on: date,
    *,
    store_id: UUID | None = None,
    account: str | None = None,
    after: Place | None = None,
    limit: int,
) -> Sequence[Posted]:
    """Lines booked from a day to a day, in the order of day, store's book and entry.

    Of one store or of all; of one account (on either side) or of all. `after` continues a listing
    behind the `place` of its last line.
    """
    start = after or Place(first_on, UUID(int=0), UUID(int=0), UUID(int=0), 0)
    asked = {
        "first_on": max(first_on, start.book_date),
        "last_on": last_on,
        "store_id": store_id,
        "account": account,
        "is_first": after is None,
        "after_on": start.book_date,
        "after_store": start.store_id,
        "after_entry": start.entry_id,
        "after_member": start.member_id,
        "after_ordinal": start.ordinal,
        "limit": limit,
    }
    return read(_JOURNAL, asked, Posted._make)


def get_entry(member_id: UUID, entry_id: UUID) -> EntryView:
    """An entry with its lines, what reverses it and its number: where the drill-down ends.

    Raises:
        NotFound: there is no such entry.
    """
    entry = db.session.get(Entry, (member_id, entry_id))
    if entry is None:
        raise NotFound
    lines = select(Line).where(
        Line.member_id == member_id,
        Line.book_date == entry.book_date,
        Line.entry_id == entry_id,
    )
    reversal = select(Entry.id).where(Entry.member_id == member_id, Entry.reverses_id == entry_id)
    number = select(Seal.number).where(Seal.entry_id == entry_id, Seal.member_id == member_id)
    return EntryView(
        entry=entry,
        lines=db.session.scalars(lines.order_by(Line.ordinal)).all(),
        reversed_by_id=db.session.scalar(reversal),
        number=db.session.scalar(number),
    )
