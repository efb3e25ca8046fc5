"""Where reports read: the balances of closed months, roll-ups since, and what is not yet in them.

Together they are all lines, each once; none of them grows with the years. A closed month has no
tail: it was folded before.
"""

from datetime import date, timedelta
from typing import Any

from ledger.legs import TAIL
from ledger.month import Month
from ledger.statement import filled

BASE = """
base AS (
    SELECT first_on, version FROM book_month
    WHERE state = 'closed' AND first_on < {bound}
    ORDER BY first_on DESC LIMIT 1
)"""

# What is not asked for (NULL) is gone when the statement is planned for its values.
IN_STORES = "(%(store_ids)s::uuid[] IS NULL OR store_id = ANY(%(store_ids)s::uuid[]))"
_IN_BOOKS = f"(%(accounts)s::text[] IS NULL OR account = ANY(%(accounts)s::text[])) AND {IN_STORES}"
IN_CELLS = f"{IN_STORES} AND (%(offer_id)s::uuid IS NULL OR offer_id = %(offer_id)s::uuid)"

MOVED = """
{base}, moved AS (
    SELECT account, store_id, offer_id, counterpart_store_id, currency, 'opening' AS kind,
           balance AS amount, cups
    FROM base JOIN month_balance USING (first_on, version)
    WHERE {asked}
    UNION ALL
    SELECT account, store_id, offer_id, counterpart_store_id, currency, 'opening',
           credit - debit, cups
    FROM rollup_month
    WHERE first_on < %(first_on)s AND first_on > coalesce((SELECT first_on FROM base), '-infinity')
      AND {asked}
    UNION ALL
    SELECT account, store_id, offer_id, counterpart_store_id, currency, kind, credit - debit, cups
    FROM rollup_month
    WHERE first_on >= %(first_on)s AND first_on < %(next_on)s AND {asked}
    UNION ALL
    SELECT account, store_id, offer_id, counterpart_store_id, currency,
           CASE WHEN book_date < %(first_on)s THEN 'opening' ELSE kind END, credit - debit, cups
    FROM ({tail}) tail
    WHERE book_date < %(next_on)s AND {asked}
)"""
MOVED = filled(MOVED, base=BASE, tail=TAIL, asked=_IN_BOOKS, bound="%(first_on)s")
"""CTEs `base` and `moved`: what cells held when a month began (kind `opening`), and how they moved
in months from `first_on` to before `next_on`."""

HELD = """
{base}, held AS (
    SELECT account, store_id, currency, balance, cups
    FROM base JOIN month_balance USING (first_on, version)
    WHERE {asked}
    UNION ALL
    SELECT account, store_id, currency, credit - debit, cups
    FROM rollup_month
    WHERE first_on < %(held_month_on)s
      AND first_on > coalesce((SELECT first_on FROM base), '-infinity')
      AND {asked}
    UNION ALL
    SELECT account, store_id, currency, credit - debit, cups
    FROM rollup_day
    WHERE book_date >= greatest(
              %(held_month_on)s,
              (SELECT (first_on + interval '1 month')::date FROM base))
      AND book_date <= %(held_on)s
      AND {asked}
    UNION ALL
    SELECT account, store_id, currency, credit - debit, cups
    FROM ({tail}) tail
    WHERE book_date <= %(held_on)s AND {asked}
)"""
HELD = filled(HELD, base=BASE, tail=TAIL, asked=_IN_BOOKS, bound="%(held_before)s")
"""CTEs `base` and `held`: what accounts of stores hold at the end of a day, in parts."""


def held(on: date) -> dict[str, Any]:
    """What `HELD` has to know of a day."""
    return {
        "held_on": on,
        "held_month_on": Month.of(on).first_on,
        "held_before": Month.of(on + timedelta(days=1)).first_on,
    }
