"""How entries get into the books."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from ledger import policy
from ledger.errors import AlreadyReversed
from ledger.models import Entry, Line
from ledger.policy import Pair

_OF_PAIR = [field.name for field in fields(Pair)]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, and the pairs it moves: an entry before it is written.

    `source_id` names what caused it (a lot, a redemption). `book_date` is the local date at the
    store where it happened.
    """

    member_id: UUID
    kind: str
    source_id: UUID
    pairs: Sequence[Pair]
    event_at: datetime
    book_date: date
    currency: str
    reverses_id: UUID | None = None


def post(event: Event) -> UUID:
    """Write one event into the books, in the caller's transaction, and answer its entry's id."""
    (entry_id,) = post_all([event])
    return entry_id


def post_all(events: Sequence[Event]) -> list[UUID]:
    """Write events into the books, an entry each: two statements however many there are."""
    if not events:
        return []
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
    return [id_ for id_, _ in entries]


def reverse(*, member_id: UUID, entry_id: UUID, event_at: datetime) -> UUID:
    """Undo an entry by one that turns its lines around, on its own book date; answer its id.

    Raises:
        NotFound: the member has no such entry.
        AlreadyReversed: an entry is reversed once, and a reversal not at all.
    """
    entry = db.session.get(Entry, (member_id, entry_id))
    if entry is None:
        raise NotFound
    if entry.reverses_id is not None:
        raise AlreadyReversed
    return post(
        Event(
            member_id=member_id,
            kind="void",
            source_id=entry.source_id,
            pairs=policy.reversal(_pairs_of(entry)),
            event_at=event_at,
            book_date=entry.book_date,
            currency=entry.currency,
            reverses_id=entry_id,
        )
    )


def _pairs_of(entry: Entry) -> list[Pair]:
    mine = select(Line).where(Line.member_id == entry.member_id, Line.entry_id == entry.id)
    return [
        Pair(**{name: getattr(line, name) for name in _OF_PAIR})
        for line in db.session.scalars(mine.order_by(Line.ordinal))
    ]


def _entry_row(entry_id: UUID, event: Event) -> dict[str, Any]:
    return {
        "member_id": event.member_id,
        "id": entry_id,
        "kind": event.kind,
        "source_id": event.source_id,
        "event_at": event.event_at,
        "book_date": event.book_date,
        "currency": event.currency,
        "reverses_id": event.reverses_id,
    }


def _line_row(entry_id: UUID, event: Event, ordinal: int, pair: Pair) -> dict[str, Any]:
    return {
        "member_id": event.member_id,
        "entry_id": entry_id,
        "ordinal": ordinal,
        "book_date": event.book_date,
        **{name: getattr(pair, name) for name in _OF_PAIR},
    }
