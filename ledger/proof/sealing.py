"""Checks of the seal: every entry has its number and its link, none came in past the door."""

from collections.abc import Iterable

from ledger.proof.registry import Facts, check
from ledger.proof.walks import ENTRIES, SEALS, WHOLE, Part


@check("door", invariant=11, walk=ENTRIES)
def door(part: Part) -> Iterable[Facts]:
    """Every entry is sealed, or waits to be.

    11: the database itself puts each new entry among those that wait, and whoever seals it takes
    it from there: one that is in neither place was put in past the door.
    """
    return part.find("""
        SELECT entry.member_id, entry.id AS entry_id, entry.book_date, seal.number
        FROM entry
        LEFT JOIN seal ON seal.entry_id = entry.id AND seal.member_id = entry.member_id
        LEFT JOIN unfolded
               ON unfolded.entry_id = entry.id AND unfolded.member_id = entry.member_id
        WHERE {within entry} AND (seal.number IS NULL) = (unfolded.entry_id IS NULL)
    """)


@check("waiting", invariant=6, walk=WHOLE)
def waiting(part: Part) -> Iterable[Facts]:
    """Whatever waits to be summed and sealed is there, on its date.

    6: the part of the books that is not in the roll-ups yet is found through these rows.
    """
    return part.find("""
        SELECT unfolded.member_id, unfolded.entry_id, unfolded.book_date AS found,
               entry.book_date AS expected
        FROM unfolded
        LEFT JOIN entry ON entry.member_id = unfolded.member_id AND entry.id = unfolded.entry_id
        WHERE entry.book_date IS DISTINCT FROM unfolded.book_date
    """)


@check("chain", invariant=11, walk=SEALS)
def chain(part: Part) -> Iterable[Facts]:
    """Numbers have no gaps, and each link is over the link before and the hash of its entry.

    11: the second half of the seal. A number that is missing, or that names nothing, is an entry
    that was taken out.
    """
    return part.find("""
        SELECT * FROM (
            SELECT seal.number, seal.member_id, seal.entry_id,
                   CASE
                       WHEN seal.number_before IS DISTINCT FROM seal.number - 1
                            AND seal.number <> 1
                           THEN 'the number before it is missing'
                       WHEN entry.id IS NULL THEN 'its entry is missing'
                       WHEN seal.chain <> sha256(
                           coalesce(seal.chain_before, decode(repeat('00', 32), 'hex'))
                           || entry.content_hash) THEN 'the link does not recompute'
                   END AS found
            FROM (
                SELECT seal.*, lag(seal.number) OVER in_order AS number_before,
                       lag(seal.chain) OVER in_order AS chain_before
                FROM seal WHERE {near seal}
                WINDOW in_order AS (ORDER BY seal.number)
            ) AS seal
            LEFT JOIN entry ON entry.member_id = seal.member_id AND entry.id = seal.entry_id
            WHERE {within seal}
        ) judged
        WHERE found IS NOT NULL
    """)
