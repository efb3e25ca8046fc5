"""How the cash account moved, by what moved it: for whoever compares it with the bank."""

from typing import NamedTuple

from ledger import policy
from ledger.month import Month
from ledger.reports.reading import rows
from ledger.reports.sources import MOVED


class Cash(NamedTuple):
    """What events of one kind brought (or, negative, took) in a month, in whole minor units."""

    kind: str
    currency: str
    amount: int


_CASH = f"""
WITH {MOVED}
SELECT kind, currency, -total(amount)
FROM moved
WHERE kind <> 'opening'
GROUP BY kind, currency
ORDER BY kind, currency
"""  # noqa: S608  of our own text


def cash_moved(month: Month) -> list[Cash]:
    """What the account 1111 of all stores moved in a month, by kind of event and book date.

    Payments between stores are in two books, and cancel out.
    """
    asked = {
        "first_on": month.first_on,
        "next_on": month.next_on,
        "accounts": [policy.CASH],
        "store_ids": None,
        "offer_id": None,
    }
    return [Cash._make(row) for row in rows(_CASH, asked)]
