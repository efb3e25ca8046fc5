"""What became known after its month was closed: booked later than it occurred, moved back."""

from ledger.legs import legs_of
from ledger.reports.sources import IN_CELLS
from ledger.statement import filled

LATE = """
late AS (
    SELECT store_id, offer_id, account, currency, moved.kind,
           moved.sign * (credit - debit) AS amount, moved.sign * cups AS cups
    FROM ({legs} WHERE entry.book_date >= %(first_on)s AND entry.book_date <> entry.occurred_on
          AND entry.occurred_on < %(next_on)s) leg
    CROSS JOIN LATERAL (
        VALUES (CASE WHEN occurred_on < %(first_on)s THEN 'opening' ELSE leg.kind END, 1),
               (CASE WHEN book_date < %(next_on)s THEN leg.kind END, -1)
    ) AS moved (kind, sign)
    WHERE moved.kind IS NOT NULL AND account = ANY(%(accounts)s) AND {asked}
)
"""
LATE = filled(LATE, legs=legs_of("entry"), asked=IN_CELLS)
"""A CTE: by how much months from `first_on` to before `next_on` differ when events stand where
they occurred. An entry leaves the months in which it is booked (−) for those where it belongs (+);
what occurred before them is part of the opening. Only late entries are read: there are few."""
