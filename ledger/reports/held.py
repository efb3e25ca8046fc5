"""What accounts hold at the end of any day: the liability as of a date, and others to check by."""

from collections.abc import Sequence
from datetime import date
from typing import Literal, NamedTuple
from uuid import UUID

from ledger.legs import OWED
from ledger.reports.reading import read
from ledger.reports.sources import HELD, held
from ledger.statement import filled


class Held(NamedTuple):
    """What one account holds at the end of a day, of one store, or (None) of all.

    `balance` is credits less debits since the beginning, in whole minor units; `cups` the same in
    cups.
    """

    store_id: UUID | None
    account: str
    currency: str
    balance: int
    cups: int


By = Literal["store", "account"]

_SUMMED = """
WITH {held}
SELECT {store} AS store, account, currency, total(balance), total(cups)
FROM held
GROUP BY store, account, currency
HAVING total(balance) <> 0 OR total(cups) <> 0
ORDER BY store, account, currency
"""
_HELD = {
    "store": filled(_SUMMED, held=HELD, store="store_id"),
    "account": filled(_SUMMED, held=HELD, store="NULL::uuid"),
}


def liability_on(day: date, *, by: By = "store", store_id: UUID | None = None) -> Sequence[Held]:
    """What is owed to shoppers at the end of a day, by store and account, or by account alone.

    By book date. Balance = credits − debits of 2131, 2132, 2134 and (negative) 2138; the net
    liability is their sum. Zeros are left out.
    """
    return held_on(day, accounts=OWED, by=by, store_ids=[store_id] if store_id else None)


def held_on(
    day: date,
    *,
    accounts: Sequence[str] | None,
    by: By = "store",
    store_ids: Sequence[UUID] | None = None,
) -> Sequence[Held]:
    """What some accounts hold at the end of a day, in some stores; None is all of them."""
    asked = {**held(day), "accounts": accounts and list(accounts), "store_ids": store_ids}
    return read(_HELD[by], asked, Held._make)
