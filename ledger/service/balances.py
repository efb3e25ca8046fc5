"""What every cell holds at the end of a month: the ground that later reports stand on."""

from sqlalchemy import text

from kernel.db import db
from ledger.month import Month

# In the order of the key, so that a report reads the rows of a month side by side.
_WRITE = text("""
WITH base AS (
    SELECT first_on, version FROM book_month
    WHERE state = 'closed' AND first_on < :first_on
    ORDER BY first_on DESC LIMIT 1
), held AS (
    SELECT account, store_id, offer_id, counterpart_store_id, currency, balance, cups,
           false AS has_moved
    FROM base JOIN month_balance USING (first_on, version)
    UNION ALL
    SELECT account, store_id, offer_id, counterpart_store_id, currency, credit - debit, cups,
           first_on = :first_on
    FROM rollup_month
    WHERE first_on <= :first_on
      AND first_on > coalesce((SELECT first_on FROM base), '-infinity'::date)
)
INSERT INTO month_balance (
    first_on, version, account, store_id, offer_id, counterpart_store_id, currency, balance, cups)
SELECT :first_on, :version, account, store_id, offer_id, counterpart_store_id, currency,
       total(balance), total(cups)
FROM held
GROUP BY account, store_id, offer_id, counterpart_store_id, currency
HAVING total(balance) <> 0 OR total(cups) <> 0 OR bool_or(has_moved)
ORDER BY account, store_id, offer_id, counterpart_store_id, currency
""")

_DIGEST = text("""
SELECT sha256(coalesce(string_agg(
    convert_to(concat_ws('|', account, store_id, offer_id, counterpart_store_id, currency,
                         balance, cups) || E'\\n', 'UTF8'),
    ''::bytea ORDER BY account, store_id, offer_id, counterpart_store_id, currency), ''))
FROM month_balance
WHERE first_on = :first_on AND version = :version
""")


def write_month_balances(month: Month, version: int) -> None:
    """Write the balances of all cells at a month's end, in the caller's transaction.

    The last closed month's balances before it, and what the roll-ups say has moved since. All of
    it must be folded. Dense: a cell that holds something is there though it did not move. One that
    holds nothing and did not move is not, else the cells of all offers there ever were would stay.
    """
    db.session.execute(_WRITE, {"first_on": month.first_on, "version": version})


def digest(month: Month, version: int) -> bytes:
    """SHA-256 over the balances of a version of a month, in the order of their cells.

    A row is its cell, balance and cups as text, `|` between them. Equal balances have equal
    digests, whichever version they stand in.
    """
    said = {"first_on": month.first_on, "version": version}
    found = db.session.execute(_DIGEST, said).scalar_one()
    return bytes(found)
