"""The VAT summary: output VAT by store and kind of event, and the net amounts it belongs to."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from ledger import policy
from ledger.legs import TAIL
from ledger.month import Month
from ledger.reports.reading import read
from ledger.statement import filled


class Vat(NamedTuple):
    """Output VAT of one store by one kind of event in a month, in whole minor units.

    `charged` is what was billed, `given_back` what allowances took back; `vat` and `net` are the
    differences. Output VAT of the month = Σ `vat`, and agrees with account 2194. A redemption is
    there only with what was taxed at the till: a top-up, cups of a cash-value voucher.
    """

    store_id: UUID
    kind: str
    currency: str
    net_charged: int
    net_given_back: int
    net: int
    vat_charged: int
    vat_given_back: int
    vat: int


NET_ACCOUNTS = (policy.VOUCHERS, policy.PLANS, policy.FEES, policy.TOP_UPS)
TAXED_KINDS = ("sale", "refund", "top_up", "dispute_lost", "adjustment", "void")

# What a kind did to contract liabilities is its net. Only a void needs telling apart: that of a
# sale takes a debt away, with its VAT; that of a redemption brings one back, and has none.
# Most cups were taxed when they were sold, so roll-ups do not tell the net of those that are taxed
# when they are made: it stands beside the VAT of the same lot in the same entry. Few lines credit
# or debit VAT for a lot otherwise than by a sale, so the month's lines are read for those alone.
_VAT = """
WITH vat_line AS MATERIALIZED (
    SELECT member_id, book_date, entry_id, store_id, lot_id, credit = %(vat)s AS is_charged
    FROM line
    WHERE book_date >= %(first_on)s AND book_date < %(next_on)s
      AND (debit = %(vat)s OR credit = %(vat)s) AND debit <> %(cash)s AND lot_id IS NOT NULL
), at_till AS (
    SELECT made.store_id, entry.kind, entry.currency, made.amount, vat_line.is_charged
    FROM vat_line
    CROSS JOIN LATERAL (
        SELECT * FROM line
        WHERE line.member_id = vat_line.member_id AND line.book_date = vat_line.book_date
          AND line.entry_id = vat_line.entry_id AND line.store_id = vat_line.store_id
          AND line.lot_id = vat_line.lot_id AND line.qty > 0
          AND CASE WHEN vat_line.is_charged THEN line.credit ELSE line.debit END = %(cups)s
        OFFSET 0
    ) made
    CROSS JOIN LATERAL (
        SELECT * FROM entry
        WHERE entry.member_id = vat_line.member_id AND entry.id = vat_line.entry_id
        OFFSET 0
    ) entry
), legs AS (
    SELECT store_id, kind, currency, account, debit, credit
    FROM rollup_month
    WHERE first_on = %(first_on)s AND {taxed}
    UNION ALL
    SELECT store_id, kind, currency, account, debit, credit
    FROM ({tail}) tail
    WHERE book_date >= %(first_on)s AND book_date < %(next_on)s AND {taxed}
), sided AS (
    SELECT store_id, kind, currency,
           CASE WHEN account = %(vat)s THEN 0
                WHEN kind = 'void' AND account = ANY(%(owed)s) THEN 0
                ELSE credit END AS net_charged,
           CASE WHEN account = %(vat)s THEN 0 ELSE debit END AS net_given_back,
           CASE WHEN account = %(vat)s THEN credit ELSE 0 END AS vat_charged,
           CASE WHEN account = %(vat)s THEN debit ELSE 0 END AS vat_given_back
    FROM legs
    UNION ALL
    SELECT store_id, kind, currency, CASE WHEN is_charged THEN amount ELSE 0 END,
           CASE WHEN is_charged THEN 0 ELSE amount END, 0, 0
    FROM at_till
)
SELECT store_id, kind, currency,
       total(net_charged), total(net_given_back), total(net_charged - net_given_back),
       total(vat_charged), total(vat_given_back), total(vat_charged - vat_given_back)
FROM sided
GROUP BY store_id, kind, currency
HAVING bool_or(net_charged <> 0 OR net_given_back <> 0 OR vat_charged <> 0 OR vat_given_back <> 0)
ORDER BY store_id, kind, currency
"""
_TAXED = """
(account = %(vat)s OR (account = ANY(%(nets)s) AND kind = ANY(%(kinds)s))
 OR (account = %(top_ups)s AND kind IN ('redemption', 'rest'))
 OR (account = %(cups)s AND kind = 'refund'))
"""
_VAT = filled(_VAT, tail=TAIL, taxed=_TAXED)


def vat_summary(month: Month) -> Sequence[Vat]:
    """Report 5 of the books: the output VAT of a month by store and kind of event, by book date.

    Net: legs of the same kinds on 2131, 2132, 4114 and 4115; of refunds also on 4111, which is what
    they keep for collected cups; of redemptions (and their voids) those on 4115, and on 4111 where
    VAT of the same lot was booked with them. Sales at a rate of zero are there too, without VAT,
    and so are those of vouchers that are taxed at redemption.
    """
    asked = {
        "first_on": month.first_on,
        "next_on": month.next_on,
        "vat": policy.OUTPUT_VAT,
        "cash": policy.CASH,
        "cups": policy.CUPS,
        "top_ups": policy.TOP_UPS,
        "owed": [policy.VOUCHERS, policy.PLANS],
        "nets": list(NET_ACCOUNTS),
        "kinds": list(TAXED_KINDS),
    }
    return read(_VAT, asked, Vat._make)
