"""Many events at once, for jobs over sets: two statements however many there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert

from kernel.db import db
from kernel.ids import new_id
from ledger.models import Entry, Line
from ledger.policy import Pair
from ledger.service import line_row


@dataclass(frozen=True, slots=True)
class Event:
    """What `ledger.post` is told about one event."""

    member_id: UUID
    kind: str
    source_id: UUID
    pairs: Sequence[Pair]
    event_at: datetime
    book_date: date
    currency: str


def post_all(events: Sequence[Event]) -> None:
    """Write many events into the books, an entry each, in the caller's transaction."""
    if not events:
        return
    entries = [(new_id(), event) for event in events]
    db.session.execute(insert(Entry), [_entry_row(id_, event) for id_, event in entries])
    db.session.execute(
        insert(Line),
        [
            line_row(event.member_id, id_, event.book_date, ordinal, pair)
            for id_, event in entries
            for ordinal, pair in enumerate(event.pairs, 1)
        ],
    )
