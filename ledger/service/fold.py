"""The fold: entries that are new go into the roll-ups, and get their number in the journal.

Roll-ups, seals and `unfolded` change together, in one transaction. So the roll-ups and the lines of
what is unfolded are all lines, each once, in any snapshot; and a fold that dies has done nothing.
One runner at a time, so that numbers have no gaps.
"""

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select, text

from kernel import queue
from kernel.db import db
from kernel.queue import Duty
from kernel.transaction import again, transaction
from ledger import forward
from ledger.legs import OWED, legs_of, legs_of_all
from ledger.models import Seal, Unfolded
from ledger.statement import filled

BATCH = 4_000
_BATCHES_A_RUN = 4
_FIRST_CHAIN = bytes(32)

# Months are numbered from the year 0 on, so number 0 of the books is none: it is the fold's turn.
_TAKE_TURN = text("SELECT pg_advisory_xact_lock(books_lock(), 0)")
_TAKE_FREE_TURN = text("SELECT pg_try_advisory_xact_lock(books_lock(), 0)")

_SUM_DAYS = """
INSERT INTO rollup_day (book_date, account, store_id, kind, currency, debit, credit, cups)
SELECT book_date, account, store_id, kind, currency, total(debit), total(credit), total(cups)
FROM leg
GROUP BY book_date, account, store_id, kind, currency
"""
_SUM_MONTHS = """
INSERT INTO rollup_month (
    first_on, account, store_id, offer_id, counterpart_store_id, kind, currency,
    debit, credit, cups)
SELECT date_trunc('month', book_date)::date, account, store_id, offer_id, counterpart_store_id,
       kind, currency, total(debit), total(credit), total(cups)
FROM leg
GROUP BY 1, account, store_id, offer_id, counterpart_store_id, kind, currency
"""
_SUM_FORWARD = filled(
    """
INSERT INTO rollup_forward (
    first_on, store_id, offer_id, account, currency, {columns}, {cups_columns})
SELECT date_trunc('month', book_date)::date, store_id, offer_id, account, currency,
       {amounts}, {cups}
FROM (
    SELECT book_date, store_id, offer_id, account, currency, credit - debit AS amount, cups,
           {place} AS place
    FROM leg
    WHERE account IN {owed}
    OFFSET 0
) placed
GROUP BY 1, store_id, offer_id, account, currency
""",
    columns=forward.named(),
    cups_columns=forward.named("cups_"),
    amounts=forward.sums("amount"),
    cups=forward.sums("cups"),
    place=forward.PLACE,
    owed=str(OWED),
)
_ADD_DAYS = """
ON CONFLICT (book_date, account, store_id, kind, currency) DO UPDATE
SET debit = rollup_day.debit + excluded.debit, credit = rollup_day.credit + excluded.credit,
    cups = rollup_day.cups + excluded.cups
"""
_ADD_MONTHS = """
ON CONFLICT (first_on, account, store_id, offer_id, counterpart_store_id, kind, currency) DO UPDATE
SET debit = rollup_month.debit + excluded.debit, credit = rollup_month.credit + excluded.credit,
    cups = rollup_month.cups + excluded.cups
"""

_ADD_FORWARD = filled(
    "ON CONFLICT (first_on, store_id, offer_id, account, currency) DO UPDATE SET {sums}",
    sums=", ".join(
        f"{column} = rollup_forward.{column} + excluded.{column}"
        for column in (*forward.COLUMNS, *(f"cups_{column}" for column in forward.COLUMNS))
    ),
)

# By ctid: whatever PostgreSQL knows of a table that is empty one minute and full the next, it finds
# the rows that it has just picked. Nobody else deletes them, since it is our turn.
FOLD = text(
    filled(
        """
WITH taken AS (
    DELETE FROM unfolded
    WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM unfolded ORDER BY entry_id, member_id LIMIT :limit))
    RETURNING entry_id, member_id
), fresh AS MATERIALIZED (
    SELECT entry.*
    FROM taken JOIN entry ON entry.member_id = taken.member_id AND entry.id = taken.entry_id
), leg AS MATERIALIZED ({legs}
), days AS ({sum_days} {add_days}
), months AS ({sum_months} {add_months}
), forward AS ({sum_forward} {add_forward}
)
SELECT member_id::text, id::text, content_hash FROM fresh ORDER BY id, member_id
""",
        legs=legs_of("fresh entry"),
        sum_days=_SUM_DAYS,
        add_days=_ADD_DAYS,
        sum_months=_SUM_MONTHS,
        add_months=_ADD_MONTHS,
        sum_forward=_SUM_FORWARD,
        add_forward=_ADD_FORWARD,
    )
)
"""Take the next entries out of `unfolded`, add their legs to the roll-ups, and answer them."""

LAST_SEAL = select(Seal.number, Seal.chain).order_by(Seal.number.desc()).limit(1)

SEAL = text("""
INSERT INTO seal (number, member_id, entry_id, chain)
SELECT :last + ordinal, member_id, entry_id, chain
FROM unnest(CAST(:members AS uuid[]), CAST(:entries AS uuid[]), CAST(:chains AS bytea[]))
     WITH ORDINALITY AS sealed (member_id, entry_id, chain, ordinal)
""")

_ALL_FOLDED = legs_of_all("""entry
LEFT JOIN unfolded ON unfolded.member_id = entry.member_id AND unfolded.entry_id = entry.id""")
_MONTHS_AS_LEGS = "SELECT *, first_on AS book_date FROM rollup_month"
_REBUILD = [
    text("DELETE FROM rollup_day"),
    text("DELETE FROM rollup_month"),
    text("DELETE FROM rollup_forward"),
    *(
        text(
            filled(
                "WITH leg AS ({legs} WHERE unfolded.entry_id IS NULL) {sum}",
                legs=_ALL_FOLDED,
                sum=each,
            )
        )
        for each in (_SUM_DAYS, _SUM_MONTHS)
    ),
    text(filled("WITH leg AS ({months}) {sum}", months=_MONTHS_AS_LEGS, sum=_SUM_FORWARD)),
]


def unfolded(_now: object) -> Select[UUID]:
    """The entries that wait."""
    return select(Unfolded.entry_id)


DUTY = Duty("ledger.service.fold.drain", "events", unfolded)


def fold_some(*, limit: int = BATCH) -> int:
    """Fold and seal the next entries, in the caller's transaction; answer how many, 0 if none wait.

    Waits until nobody else folds, and then keeps the turn until the transaction ends.
    """
    db.session.execute(_TAKE_TURN)
    return _fold(limit)


def drain() -> None:
    """Fold what is there, in transactions of its own. The RQ job; leaves it to whoever is at it.

    A run is short, since others wait in the queue; when more is left, it rings for the next one.
    """
    queue.begun(DUTY.job)
    for _ in range(_BATCHES_A_RUN):
        if not again(_fold_if_free):
            return
    queue.ring(DUTY)


def rebuild() -> None:
    """Sum the roll-ups anew from all lines, but those that wait for the fold, which adds them.

    In the caller's transaction; it takes as long as there are lines. Seals stay what they are.
    """
    db.session.execute(text("SET LOCAL statement_timeout = 0"))
    db.session.execute(_TAKE_TURN)
    for statement in _REBUILD:
        db.session.execute(statement)


def _fold_if_free() -> bool:
    """Fold one batch; answer whether there may be another for us."""
    with transaction():
        return bool(db.session.scalar(_TAKE_FREE_TURN)) and _fold(BATCH) == BATCH


def _fold(limit: int) -> int:
    entries = db.session.execute(FOLD, {"limit": limit}).all()
    if entries:
        _seal(entries)
    return len(entries)


def _seal(entries: Sequence[Row[Any]]) -> None:
    """Number the entries on, and chain up what they say."""
    last = db.session.execute(LAST_SEAL).one_or_none()
    number, chain = last or (0, _FIRST_CHAIN)
    chains = []
    for entry in entries:
        chain = hashlib.sha256(chain + entry.content_hash).digest()
        chains.append(chain)
    sealed = {
        "last": number,
        "members": [entry.member_id for entry in entries],
        "entries": [entry.id for entry in entries],
        "chains": chains,
    }
    db.session.execute(SEAL, sealed)
