"""The trial balance: every account, what it held, what was booked on it, what it holds."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from ledger.legs import TAIL
from ledger.month import Month
from ledger.reports.owners import stores_of
from ledger.reports.reading import read
from ledger.reports.sources import HELD, IN_STORES, held
from ledger.statement import filled


class Balance(NamedTuple):
    """One account over some days, in whole minor units.

    `opening + debit − credit = closing`: debits are positive, so what is owed is negative. `kind`
    says on which side the account is at home; None if the chart does not know it.
    """

    account: str
    kind: str | None
    currency: str
    opening: int
    debit: int
    credit: int
    closing: int


class Totals(NamedTuple):
    """The sums of a trial balance in one currency. All three differences are 0 in sound books."""

    currency: str
    opening: int
    debit: int
    credit: int
    closing: int

    @property
    def difference(self) -> int:
        """Debits that no credit stands against."""
        return self.debit - self.credit


_TRIAL = """
WITH {held}, parts AS (
    SELECT account, currency, -balance AS opening, 0::bigint AS debit, 0::bigint AS credit
    FROM held
    UNION ALL
    SELECT account, currency, 0, debit, credit FROM rollup_month
    WHERE first_on >= %(whole_from)s AND first_on < %(whole_to)s AND {here}
    UNION ALL
    SELECT account, currency, 0, debit, credit FROM rollup_day
    WHERE book_date >= %(first_on)s AND book_date < %(head_to)s AND {here}
    UNION ALL
    SELECT account, currency, 0, debit, credit FROM rollup_day
    WHERE book_date >= %(foot_from)s AND book_date < %(next_on)s AND {here}
    UNION ALL
    SELECT account, currency, 0, debit, credit FROM ({tail}) tail
    WHERE book_date >= %(first_on)s AND book_date < %(next_on)s AND {here}
), summed AS (
    SELECT account AS code, currency, total(opening) AS opening, total(debit) AS debit,
           total(credit) AS credit
    FROM parts
    GROUP BY account, currency
)
SELECT code, account.kind, currency, opening, debit, credit, opening + debit - credit
FROM summed LEFT JOIN account USING (code)
WHERE opening <> 0 OR debit <> 0 OR credit <> 0
ORDER BY code, currency
"""
_TRIAL = filled(_TRIAL, held=HELD, tail=TAIL, here=IN_STORES)


def trial_balance(
    first_on: date,
    last_on: date,
    *,
    store_id: UUID | None = None,
    legal_entity_id: UUID | None = None,
) -> Sequence[Balance]:
    """All accounts from a day to a day, by book date: of a store, a legal entity, or the chain.

    A legal entity is the stores that it owns in the month of `last_on`, with all that they ever
    booked. Accounts on which nothing was ever booked are left out.
    """
    asked: dict[str, Any] = {
        **held(first_on - timedelta(days=1)),
        **_parts(first_on, last_on + timedelta(days=1)),
        "accounts": None,
        "store_ids": store_id and [store_id],
    }
    if legal_entity_id is not None:
        owned = stores_of(legal_entity_id, month_on=Month.of(last_on).first_on)
        asked["store_ids"] = [each for each in owned if store_id in {None, each}]
    return read(_TRIAL, asked, Balance._make)


def totals(balances: Iterable[Balance]) -> Sequence[Totals]:
    """The sums of a trial balance, by currency."""
    summed: dict[str, list[int]] = {}
    for balance in balances:
        sums = summed.setdefault(balance.currency, [0, 0, 0, 0])
        for place, amount in enumerate(balance[3:]):
            sums[place] += amount
    return [Totals(currency, *sums) for currency, sums in sorted(summed.items())]


def _parts(first_on: date, next_on: date) -> dict[str, date]:
    """Days `[first_on, next_on)` as days up to a first of a month, whole months, and days again."""
    month = Month.of(first_on)
    whole_from = first_on if first_on == month.first_on else month.next_on
    whole_to = Month.of(next_on).first_on
    if whole_from >= whole_to:
        whole_from = whole_to = next_on
    return {
        "first_on": first_on,
        "head_to": whole_from,
        "whole_from": whole_from,
        "whole_to": whole_to,
        "foot_from": whole_to,
        "next_on": next_on,
    }
