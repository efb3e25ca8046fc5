"""What finance reads, straight from the lines: exact to the last committed redemption.

Each report is one statement, and so one snapshot. Sums are taken in PostgreSQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text

from kernel.db import db
from ledger.month import Month


@dataclass(frozen=True, slots=True)
class Movement:
    """One row of the roll-forward: what one store owes for one offer, and how it moved.

    Money is net of VAT, in whole minor units; `cups` names the same movements in cups.
    `opening + sold − redeemed + voided − lapsed = closing`, in both.
    """

    store_id: UUID
    offer_id: UUID
    account: str
    currency: str
    opening: int
    sold: int
    redeemed: int
    voided: int
    lapsed: int
    closing: int
    cups_opening: int
    cups_sold: int
    cups_redeemed: int
    cups_voided: int
    cups_lapsed: int
    cups_closing: int


@dataclass(frozen=True, slots=True)
class Owed:
    """One cell of the settlement: what the selling store owes the store that made the cups."""

    sold_at_id: UUID
    made_at_id: UUID
    currency: str
    cups: int
    amount: int


_ROLL_FORWARD = text("""
WITH moved AS (
    SELECT line.store_id, line.offer_id, entry.currency, entry.kind, line.book_date,
           CASE WHEN line.credit IN ('2131', '2132') THEN line.credit ELSE line.debit END
               AS account,
           CASE WHEN line.credit IN ('2131', '2132') THEN line.amount ELSE -line.amount END
               AS amount,
           CASE WHEN line.credit IN ('2131', '2132') THEN line.qty ELSE -line.qty END AS cups
    FROM line
    JOIN entry ON entry.member_id = line.member_id AND entry.id = line.entry_id
    WHERE line.book_date < :next_on
      AND (line.credit IN ('2131', '2132') OR line.debit IN ('2131', '2132'))
), placed AS (
    SELECT *, CASE WHEN book_date < :first_on THEN 'opening' ELSE kind END AS place FROM moved
)
SELECT store_id, offer_id, account, currency,
       coalesce(sum(amount) FILTER (WHERE place = 'opening'), 0),
       coalesce(sum(amount) FILTER (WHERE place = 'sale'), 0),
       -coalesce(sum(amount) FILTER (WHERE place = 'redemption'), 0),
       coalesce(sum(amount) FILTER (WHERE place = 'void'), 0),
       -coalesce(sum(amount) FILTER (WHERE place = 'lapse'), 0),
       sum(amount),
       coalesce(sum(cups) FILTER (WHERE place = 'opening'), 0),
       coalesce(sum(cups) FILTER (WHERE place = 'sale'), 0),
       -coalesce(sum(cups) FILTER (WHERE place = 'redemption'), 0),
       coalesce(sum(cups) FILTER (WHERE place = 'void'), 0),
       -coalesce(sum(cups) FILTER (WHERE place = 'lapse'), 0),
       sum(cups)
FROM placed
GROUP BY store_id, offer_id, account, currency
ORDER BY store_id, offer_id, account, currency
""")

_SETTLEMENT = text("""
SELECT line.store_id, line.counterpart_store_id, entry.currency,
       sum(CASE WHEN line.credit = '2171' THEN line.qty ELSE -line.qty END),
       sum(CASE WHEN line.credit = '2171' THEN line.amount ELSE -line.amount END)
FROM line
JOIN entry ON entry.member_id = line.member_id AND entry.id = line.entry_id
WHERE line.book_date >= :first_on AND line.book_date < :next_on
  AND (line.credit = '2171' OR line.debit = '2171')
GROUP BY line.store_id, line.counterpart_store_id, entry.currency
ORDER BY line.store_id, line.counterpart_store_id, entry.currency
""")


def roll_forward(month: Month) -> Sequence[Movement]:
    """The deferred revenue of a month, by store, offer and account: report 1 of the books."""
    rows = db.session.execute(_ROLL_FORWARD, _bounds(month))
    return [Movement(*row[:4], *map(int, row[4:])) for row in rows]


def settlement(month: Month) -> Sequence[Owed]:
    """What stores owe one another for cups sold at one and made at another in a month."""
    rows = db.session.execute(_SETTLEMENT, _bounds(month))
    return [Owed(*row[:3], *map(int, row[3:])) for row in rows]


def _bounds(month: Month) -> dict[str, date]:
    return {"first_on": month.first_on, "next_on": month.next_on}
