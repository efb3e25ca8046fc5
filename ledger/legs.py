"""A line has two legs, and a leg has a cell: what the fold and the tail say to PostgreSQL alike.

A leg is summed by store and account; legs of what is owed to shoppers also by offer, legs between
stores also by counterpart. Where a cell has no offer or counterpart it holds NOBODY. Cups are
credits minus debits, as balances are.
"""

from kernel.ids import NOBODY
from ledger import policy
from ledger.statement import filled

OWED = (*policy.CONTRACT_LIABILITIES, policy.BREAKAGE_CONTRA)
"""What is owed to shoppers, and what of it will never be collected."""

BETWEEN_STORES = (policy.DUE_FROM_STORE, policy.DUE_TO_STORE)

_LEGS = """
SELECT {day} AS book_date, leg.account, line.store_id,
       CASE WHEN leg.account IN {owed} THEN coalesce(line.offer_id, {nobody})
            ELSE {nobody} END AS offer_id,
       CASE WHEN leg.account IN {between} THEN coalesce(line.counterpart_store_id, {nobody})
            ELSE {nobody} END AS counterpart_store_id,
       entry.kind, entry.currency, entry.occurred_on, leg.debit, leg.credit, leg.cups
FROM {entries}
{lines}
CROSS JOIN LATERAL (
    VALUES (line.debit, line.amount, 0::bigint, -line.qty),
           (line.credit, 0::bigint, line.amount, line.qty)
) AS leg (account, debit, credit, cups)
"""
_LEGS = filled(_LEGS, owed=str(OWED), between=str(BETWEEN_STORES), nobody=f"'{NOBODY}'::uuid")

# OFFSET 0 makes it go by key, entry by entry, however many PostgreSQL believes there are: it knows
# neither how few are late, nor how few wait this minute.
_EACH = """
CROSS JOIN LATERAL (
    SELECT * FROM line
    WHERE line.member_id = entry.member_id AND line.book_date = {day}
      AND line.entry_id = entry.id
    OFFSET 0
) line
"""
_ALL = """
JOIN line
  ON line.member_id = entry.member_id AND line.book_date = {day} AND line.entry_id = entry.id
"""

_ENTRY_OF_EACH = """
CROSS JOIN LATERAL (
    SELECT * FROM entry
    WHERE entry.member_id = line.member_id AND entry.id = line.entry_id
    OFFSET 0
) entry
"""


def legs_of(entries: str, *, day: str = "entry.book_date") -> str:
    """The SELECT of the legs of a few entries: a FROM item that ends in a row `entry`."""
    return filled(_LEGS, lines=_EACH, day=day, entries=entries)


def legs_of_all(entries: str) -> str:
    """The same of very many."""
    return filled(_LEGS, lines=_ALL, day="entry.book_date", entries=entries)


def legs_of_lines() -> str:
    """The same of some lines, by their days: a WHERE on `line` follows.

    Lines have an index by day. Entries have none: those of a month are found by their lines.
    """
    return filled(_LEGS, lines=_ENTRY_OF_EACH, day="line.book_date", entries="line")


_WAITING = """unfolded
CROSS JOIN LATERAL (
    SELECT * FROM entry
    WHERE entry.member_id = unfolded.member_id AND entry.id = unfolded.entry_id
    OFFSET 0
) entry"""

TAIL = legs_of(_WAITING, day="unfolded.book_date")
"""The legs of all that is in no roll-up yet."""
