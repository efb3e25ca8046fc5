"""Many events at once, for jobs over sets: two statements however many there are."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from kernel.db import db
from kernel.ids import new_id
from ledger.models import Entry, Line
from ledger.policy import Pair

_OF_PAIR = [field.name for field in fields(Pair)]


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
            _line_row(id_, event, ordinal, pair)
            for id_, event in entries
            for ordinal, pair in enumerate(event.pairs, 1)
        ],
    )


def _entry_row(entry_id: UUID, event: Event) -> dict[str, Any]:
    return {
        "member_id": event.member_id,
        "id": entry_id,
        "kind": event.kind,
        "source_id": event.source_id,
        "event_at": event.event_at,
        "book_date": event.book_date,
        "currency": event.currency,
        "reverses_id": None,
    }


def _line_row(entry_id: UUID, event: Event, ordinal: int, pair: Pair) -> dict[str, Any]:
    return {
        "member_id": event.member_id,
        "entry_id": entry_id,
        "ordinal": ordinal,
        "book_date": event.book_date,
        **{name: getattr(pair, name) for name in _OF_PAIR},
    }
