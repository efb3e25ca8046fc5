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
    differences. Output VAT of the month = Σ `vat`, and agrees with account 2194.
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
_VAT = """
WITH legs AS (
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
(account = %(vat)s OR (account = ANY(%(nets)s) AND kind = ANY(%(kinds)s)))
"""
_VAT = filled(_VAT, tail=TAIL, taxed=_TAXED)


def vat_summary(month: Month) -> Sequence[Vat]:
    """Report 5 of the books: the output VAT of a month by store and kind of event, by book date.

    Net: legs of the same kinds on 2131, 2132, 4114 and 4115. Sales at a rate of zero are there
    too, without VAT.
    """
    asked = {
        "first_on": month.first_on,
        "next_on": month.next_on,
        "vat": policy.OUTPUT_VAT,
        "owed": [policy.VOUCHERS, policy.PLANS],
        "nets": list(NET_ACCOUNTS),
        "kinds": list(TAXED_KINDS),
    }
    return read(_VAT, asked, Vat._make)
