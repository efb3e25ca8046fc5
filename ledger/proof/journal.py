"""Checks of the journal itself: entries, their lines, what reverses them."""

from collections.abc import Iterable

from ledger.content import CONTENT_HASH
from ledger.proof.registry import Facts, check
from ledger.proof.walks import ENTRIES, LINES, Part


@check("stray", invariant=11, walk=LINES)
def stray(part: Part) -> Iterable[Facts]:
    """Every line belongs to an entry of the same book date.

    11: the hash of an entry is over the lines of its date, so a line elsewhere would be over none.
    """
    return part.find("""
        SELECT line.member_id, line.entry_id, line.ordinal, line.book_date AS found,
               entry.book_date AS expected
        FROM line
        LEFT JOIN entry ON entry.member_id = line.member_id AND entry.id = line.entry_id
              AND {near entry}
        WHERE {within line} AND entry.book_date IS DISTINCT FROM line.book_date
    """)


@check("empty", invariant=1, walk=ENTRIES)
def empty(part: Part) -> Iterable[Facts]:
    """Every entry has lines.

    1: an entry without lines has lost them.
    """
    return part.find("""
        SELECT entry.member_id, entry.id AS entry_id, entry.book_date
        FROM entry
        WHERE {within entry} AND NOT EXISTS (
            SELECT FROM line
            WHERE line.member_id = entry.member_id AND line.book_date = entry.book_date
              AND line.entry_id = entry.id AND {near line})
    """)


@check("content", invariant=11, walk=ENTRIES)
def content(part: Part) -> Iterable[Facts]:
    """What an entry and its lines say still has the hash that was written with them.

    11: the first half of the seal; the other is that the chain over these hashes recomputes.
    """
    return part.find(
        """
        SELECT entry.member_id, entry.id AS entry_id, entry.book_date,
               entry.content_hash AS expected
        FROM entry
        WHERE {within entry} AND entry.content_hash <> {content_hash}
        """.replace("{content_hash}", CONTENT_HASH)
    )


_LINES_OF = """
    (SELECT string_agg(
        format('%s|%s|%s|%s|%s|%s|%s|%s|%s', line.ordinal, line.store_id, {sides}, line.amount,
               line.qty, line.counterpart_store_id, line.offer_id, line.lot_id),
        ',' ORDER BY line.ordinal)
     FROM line
     WHERE line.member_id = {entry}.member_id AND line.book_date = {entry}.book_date
       AND line.entry_id = {entry}.id)
"""
_MINE = _LINES_OF.replace("{entry}", "entry").replace("{sides}", "line.debit, line.credit")
_TURNED = _LINES_OF.replace("{entry}", "undone").replace("{sides}", "line.credit, line.debit")


@check("reversal", invariant=9, walk=ENTRIES)
def reversal(part: Part) -> Iterable[Facts]:
    """A reversal undoes exactly one other entry, which nothing else undoes.

    9: line by line the same with the sides turned, of the same day, and no reversal of a reversal.
    """
    return part.find(
        """
        SELECT entry.member_id, entry.id AS entry_id, entry.reverses_id
        FROM entry
        LEFT JOIN entry AS undone
               ON undone.member_id = entry.member_id AND undone.id = entry.reverses_id
        WHERE {within entry} AND entry.reverses_id IS NOT NULL AND (
            undone.id IS NULL OR undone.reverses_id IS NOT NULL
            OR undone.currency <> entry.currency OR undone.occurred_on <> entry.occurred_on
            OR EXISTS (
                SELECT FROM entry AS other
                WHERE other.member_id = entry.member_id AND other.reverses_id = entry.reverses_id
                  AND other.id <> entry.id)
            OR {mine} IS DISTINCT FROM {turned})
        """.replace("{mine}", _MINE).replace("{turned}", _TURNED)
    )
