"""What an entry says, as one text and one hash: computed when it is written, and again to prove it.

The text is the entry's fields, then a row for each line, `|` between fields, nothing for what is
not there. No field can hold a `|`, so no two entries have one text. The hash stands in the row that
the seal chains up; `CONTENT_HASH` is the same in SQL, where millions are proved at once.
"""

import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from ledger.policy import Pair

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def content_hash(
    *,
    member_id: UUID,
    entry_id: UUID,
    kind: str,
    source_id: UUID,
    event_at: datetime,
    occurred_on: date,
    book_date: date,
    currency: str,
    reverses_id: UUID | None,
    pairs: Iterable[Pair],
) -> bytes:
    """SHA-256 over all that an entry and its lines say; lines count from 1 in their order."""
    micros = (event_at - _EPOCH) // _MICROSECOND
    said = (  # one expression: this runs for every cup that is handed over
        f"{member_id}|{entry_id}|{kind}|{source_id}|{micros}|"
        f"{occurred_on}|{book_date}|{currency}|{reverses_id or ''}"
    )
    for ordinal, pair in enumerate(pairs, 1):
        said += (
            f"\n{ordinal}|{pair.store_id}|{pair.debit}|{pair.credit}|{pair.amount}|{pair.qty}|"
            f"{pair.counterpart_store_id or ''}|{pair.offer_id or ''}|{pair.lot_id or ''}"
        )
    return hashlib.sha256(said.encode()).digest()


CONTENT_HASH = """
sha256(convert_to(
    concat_ws('|', entry.member_id, entry.id, entry.kind, entry.source_id,
              (extract(epoch FROM entry.event_at) * 1000000)::bigint,
              to_char(entry.occurred_on, 'YYYY-MM-DD'), to_char(entry.book_date, 'YYYY-MM-DD'),
              entry.currency, coalesce(entry.reverses_id::text, ''))
    || coalesce((
        SELECT string_agg(
            E'\\n' || concat_ws('|', line.ordinal, line.store_id, line.debit, line.credit,
                               line.amount, line.qty,
                               coalesce(line.counterpart_store_id::text, ''),
                               coalesce(line.offer_id::text, ''), coalesce(line.lot_id::text, '')),
            '' ORDER BY line.ordinal)
        FROM line
        WHERE line.member_id = entry.member_id AND line.book_date = entry.book_date
          AND line.entry_id = entry.id), ''),
    'UTF8'))
"""
"""An expression over a row `entry`: what its `content_hash` must be by what its lines say now."""
