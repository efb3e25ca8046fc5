"""How entries get into the books."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert, select

from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from ledger import policy
from ledger.errors import AlreadyReversed
from ledger.models import Entry, Line
from ledger.policy import Pair


def post(
    *,
    member_id: UUID,
    kind: str,
    source_id: UUID,
    pairs: Iterable[Pair],
    event_at: datetime,
    book_date: date,
    currency: str,
    reverses_id: UUID | None = None,
) -> UUID:
    """Write one event into the books, in the caller's transaction, and answer its entry's id.

    `source_id` names what caused it (a lot, a redemption). `book_date` is the local date at the
    store where it happened.
    """
    entry_id = new_id()
    db.session.execute(
        insert(Entry).values(
            member_id=member_id,
            id=entry_id,
            kind=kind,
            source_id=source_id,
            event_at=event_at,
            book_date=book_date,
            currency=currency,
            reverses_id=reverses_id,
        )
    )
    db.session.execute(
        insert(Line),
        [_row(member_id, entry_id, book_date, at, pair) for at, pair in enumerate(pairs, 1)],
    )
    return entry_id


def reverse(
    *, member_id: UUID, entry_id: UUID, kind: str, event_at: datetime, book_date: date
) -> UUID:
    """Undo an entry by a new one that turns its lines around, and answer the new one's id.

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
        member_id=member_id,
        kind=kind,
        source_id=entry.source_id,
        pairs=policy.reversal(pairs_of(member_id=member_id, entry_id=entry_id)),
        event_at=event_at,
        book_date=book_date,
        currency=entry.currency,
        reverses_id=entry_id,
    )


def pairs_of(*, member_id: UUID, entry_id: UUID) -> Sequence[Pair]:
    """Read the lines of an entry, in their order."""
    mine = select(Line).where(Line.member_id == member_id, Line.entry_id == entry_id)
    return [
        Pair(
            store_id=line.store_id,
            debit=line.debit,
            credit=line.credit,
            amount=line.amount,
            qty=line.qty,
            counterpart_store_id=line.counterpart_store_id,
            offer_id=line.offer_id,
            lot_id=line.lot_id,
        )
        for line in db.session.scalars(mine.order_by(Line.ordinal))
    ]


def _row(
    member_id: UUID, entry_id: UUID, book_date: date, ordinal: int, pair: Pair
) -> dict[str, object]:
    return {
        "member_id": member_id,
        "entry_id": entry_id,
        "ordinal": ordinal,
        "book_date": book_date,
        "store_id": pair.store_id,
        "debit": pair.debit,
        "credit": pair.credit,
        "amount": pair.amount,
        "qty": pair.qty,
        "counterpart_store_id": pair.counterpart_store_id,
        "offer_id": pair.offer_id,
        "lot_id": pair.lot_id,
    }
