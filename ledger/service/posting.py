"""How entries get into the books."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from kernel.db import db, table_of
from kernel.errors import NotFound
from kernel.ids import new_id
from ledger import policy
from ledger.content import content_hash
from ledger.errors import AlreadyReversed
from ledger.models import Entry, Line
from ledger.policy import Pair
from ledger.service.dating import FINANCE_KINDS, OpenFrom, book_date, hold_months, open_from

_OF_PAIR = [field.name for field in fields(Pair)]

_WRITE_ENTRIES, _WRITE_LINES = insert(table_of(Entry)), insert(table_of(Line))


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, and the pairs it moves: an entry before it is written.

    `source_id` names what caused it (a lot, a redemption). `occurred_on` is the local date, at the
    store where it happened, that it belongs to; `known_on` the one on which it became known, where
    that was later. It is never booked before `not_before`.
    """

    member_id: UUID
    kind: str
    source_id: UUID
    pairs: Sequence[Pair]
    event_at: datetime
    occurred_on: date
    currency: str
    known_on: date | None = None
    reverses_id: UUID | None = None
    not_before: date | None = None


def post(event: Event) -> UUID:
    """Write one event into the books, in the caller's transaction, and answer its entry's id."""
    (entry_id,) = post_all([event])
    return entry_id


def post_all(events: Sequence[Event]) -> list[UUID]:
    """Write events into the books, an entry each, each on its book date (`service.dating`).

    The number of statements does not grow with the number of events.

    Raises:
        PeriodClosed: the database's own answer, should a date be wrong all the same.
        ValueError: an event moves nothing.
    """
    if not events:
        return []
    if not all(event.pairs for event in events):
        raise ValueError("an entry has lines: what moves nothing is not booked")
    _hold_months_of(events)
    opening = open_from()
    rows = [_rows(event, opening) for event in events]
    db.session.execute(_WRITE_ENTRIES, [entry for entry, _ in rows])
    db.session.execute(_WRITE_LINES, [line for _, lines in rows for line in lines])
    return [entry["id"] for entry, _ in rows]


def reverse(*, member_id: UUID, entry_id: UUID, event_at: datetime, known_on: date) -> UUID:
    """Undo an entry by one that turns its lines around; answer the new one's id.

    It belongs to the day of what it undoes, and is booked on that while the month is open; else on
    `known_on`, the local date of the undoing (E8). But never before what it undoes was booked: that
    may have been late, and its month have been opened again since.

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
            occurred_on=entry.occurred_on,
            known_on=known_on,
            currency=entry.currency,
            reverses_id=entry_id,
            not_before=entry.book_date,
        )
    )


def _pairs_of(entry: Entry) -> list[Pair]:
    mine = select(Line).where(
        Line.member_id == entry.member_id,
        Line.book_date == entry.book_date,
        Line.entry_id == entry.id,
    )
    return [
        Pair(**{name: getattr(line, name) for name in _OF_PAIR})
        for line in db.session.scalars(mine.order_by(Line.ordinal))
    ]


def _hold_months_of(events: Sequence[Event]) -> None:
    for is_finance in (False, True):
        mine = [event for event in events if (event.kind in FINANCE_KINDS) == is_finance]
        days = [day for event in mine for day in (event.occurred_on, _known_on(event))]
        hold_months(days, is_finance=is_finance)


def _known_on(event: Event) -> date:
    return event.known_on or event.occurred_on


def _rows(event: Event, opening: OpenFrom) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    booked_on = book_date(
        occurred_on=event.occurred_on,
        known_on=_known_on(event),
        first_open=opening.for_kind(event.kind),
    )
    if event.not_before is not None:  # its month is open: months are left in their order
        booked_on = max(booked_on, event.not_before)
    said: dict[str, Any] = {
        "member_id": event.member_id,
        "kind": event.kind,
        "source_id": event.source_id,
        "event_at": event.event_at,
        "occurred_on": event.occurred_on,
        "book_date": booked_on,
        "currency": event.currency,
        "reverses_id": event.reverses_id,
    }
    entry_id = new_id()
    sealed = content_hash(entry_id=entry_id, pairs=event.pairs, **said)
    entry = {**said, "id": entry_id, "content_hash": sealed}
    return entry, [_line_row(entry, ordinal, pair) for ordinal, pair in enumerate(event.pairs, 1)]


def _line_row(entry: dict[str, Any], ordinal: int, pair: Pair) -> dict[str, Any]:
    return {
        "member_id": entry["member_id"],
        "entry_id": entry["id"],
        "ordinal": ordinal,
        "book_date": entry["book_date"],
        **{name: getattr(pair, name) for name in _OF_PAIR},
    }
