"""Everything that was ever booked, as legs of cells: the roll-ups and what is not yet in them."""

from ledger.legs import TAIL

_CELL = "account, store_id, offer_id, counterpart_store_id, kind, currency"

LEGS = f"""
leg AS (
    SELECT first_on, {_CELL}, credit - debit AS amount, cups
    FROM rollup_month
    UNION ALL
    SELECT date_trunc('month', book_date)::date, {_CELL}, credit - debit, cups
    FROM ({TAIL}) AS tail
)
"""  # noqa: S608  of our own text
"""A common table expression. One statement is one moment, so nothing is missed or seen twice while
others fold. Amounts and cups are credits less debits."""
