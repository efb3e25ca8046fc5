"""What an export asks PostgreSQL, which takes the sums."""

from sqlalchemy import text

from ledger.legs import legs_of_lines

ENTRIES_ON = text("""
SELECT line.entry_id, line.member_id, seal.number, entry.kind, line.book_date, entry.occurred_on,
       entry.currency, entry.reverses_id,
       line.ordinal, line.store_id, line.debit, line.credit, line.amount, line.qty,
       coalesce(line.offer_id, :nobody) AS offer_id,
       coalesce(line.counterpart_store_id, :nobody) AS counterpart_store_id
FROM line
JOIN entry ON entry.member_id = line.member_id AND entry.id = line.entry_id
LEFT JOIN seal ON seal.entry_id = line.entry_id AND seal.member_id = line.member_id
WHERE line.book_date = :day
ORDER BY line.entry_id, line.member_id, line.ordinal
""")
"""The lines of a day with what their entries say, entry by entry."""

CLOSED = text("""
SELECT account, store_id, offer_id, counterpart_store_id, currency,
       -balance AS amount, -cups AS cups
FROM month_balance
LEFT JOIN store ON store.id = store_id
WHERE first_on = :first_on AND version = :version
ORDER BY store.code COLLATE "C", store_id, account COLLATE "C", offer_id, counterpart_store_id,
         currency
""")
"""The balances that a month was closed with, by store and account."""

_HELD = """
    WHERE line.book_date >= :from_on AND line.book_date < :until_on
), moved AS (
    SELECT account, store_id, offer_id, counterpart_store_id, currency,
           debit - credit AS amount, -cups AS cups
    FROM leg
    UNION ALL
    SELECT account, store_id, offer_id, counterpart_store_id, currency, -balance, -cups
    FROM month_balance
    WHERE first_on = :base_on AND version = :version
), held AS (
    SELECT account, store_id, offer_id, counterpart_store_id, currency,
           total(amount) AS amount, total(cups) AS cups
    FROM moved
    GROUP BY account, store_id, offer_id, counterpart_store_id, currency
)
SELECT account, store_id, offer_id, counterpart_store_id, currency, amount, cups
FROM held
LEFT JOIN store ON store.id = store_id
ORDER BY store.code COLLATE "C", store_id, account COLLATE "C", offer_id, counterpart_store_id,
         currency
"""

BEFORE = text("WITH leg AS (" + legs_of_lines() + _HELD)
"""The balances of the last month closed before, and what lines have moved since."""
