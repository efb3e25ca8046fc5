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
SELECT line.book_date, leg.account, line.store_id,
       CASE WHEN leg.account IN {owed} THEN coalesce(line.offer_id, {nobody})
            ELSE {nobody} END AS offer_id,
       CASE WHEN leg.account IN {between} THEN coalesce(line.counterpart_store_id, {nobody})
            ELSE {nobody} END AS counterpart_store_id,
       entry.kind, entry.currency, entry.occurred_on, leg.debit, leg.credit, leg.cups
FROM {entries}
JOIN line
  ON line.member_id = entry.member_id AND line.book_date = entry.book_date
 AND line.entry_id = entry.id
CROSS JOIN LATERAL (
    VALUES (line.debit, line.amount, 0::bigint, -line.qty),
           (line.credit, 0::bigint, line.amount, line.qty)
) AS leg (account, debit, credit, cups)
"""


def legs_of(entries: str) -> str:
    """The SELECT of the legs of some entries: a FROM item that ends in a row `entry`."""
    return filled(
        _LEGS,
        owed=str(OWED),
        between=str(BETWEEN_STORES),
        nobody=f"'{NOBODY}'::uuid",
        entries=entries,
    )


TAIL = legs_of("""unfolded
JOIN entry ON entry.member_id = unfolded.member_id AND entry.id = unfolded.entry_id""")
"""The legs of all that is in no roll-up yet."""
