"""Every report is held against the trial balance; a difference is shown, never hidden."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from ledger import policy
from ledger.legs import OWED
from ledger.month import Month
from ledger.reports.held import Held, held_on
from ledger.reports.roll_forward import Movement
from ledger.reports.settlement import Owed
from ledger.reports.trial_balance import trial_balance
from ledger.reports.vat import Vat


class Control(NamedTuple):
    """What a report adds up to in a currency, what its accounts hold, and the difference.

    `difference = reported − books`, 0 in sound books. Credits are positive.
    """

    currency: str
    reported: int
    books: int
    difference: int


def control(
    reported: Iterable[tuple[str, int]], books: Iterable[tuple[str, int]]
) -> Sequence[Control]:
    """Hold amounts by currency against amounts by currency."""
    sums, stands = _summed(reported), _summed(books)
    currencies = sorted({*sums, *stands})
    return [
        Control(
            currency,
            sums.get(currency, 0),
            stands.get(currency, 0),
            sums.get(currency, 0) - stands.get(currency, 0),
        )
        for currency in currencies
    ]


def control_roll_forward(
    rows: Iterable[Movement], *, last: Month, store_id: UUID | None = None
) -> Sequence[Control]:
    """Σ closing against accounts 2131, 2132, 2134 and 2138 at the end of the last month.

    As occurred, the difference is what became known after that month. Rows of one offer alone have
    no control: the trial balance knows no offers.
    """
    held = held_on(
        last.last_on,
        accounts=OWED,
        by="account",
        store_ids=None if store_id is None else [store_id],
    )
    return control(((row.currency, row.closing) for row in rows), _balances(held))


def control_liability(
    rows: Iterable[Held], *, on: date, store_id: UUID | None = None
) -> Sequence[Control]:
    """Σ balances as of a day against the closing column of the trial balance of the day's month."""
    trial = trial_balance(Month.of(on).first_on, on, store_id=store_id)
    books = ((row.currency, -row.closing) for row in trial if row.account in OWED)
    return control(((row.currency, row.balance) for row in rows), books)


def control_settlement(rows: Iterable[Owed], *, month: Month) -> Sequence[Control]:
    """Σ closing of the matrix against account 2171 at the end of the month."""
    held = held_on(month.last_on, accounts=[policy.DUE_TO_STORE], by="account")
    return control(((row.currency, row.closing) for row in rows), _balances(held))


def control_vat(rows: Iterable[Vat], *, month: Month) -> Sequence[Control]:
    """Σ VAT against what account 2194 has moved from the end of the month before to this one's."""
    accounts = [policy.OUTPUT_VAT]
    after = held_on(month.last_on, accounts=accounts, by="account")
    before = held_on(month.first_on - timedelta(days=1), accounts=accounts, by="account")
    moved = [*_balances(after), *((currency, -held) for currency, held in _balances(before))]
    return control(((row.currency, row.vat) for row in rows), moved)


def _balances(held: Iterable[Held]) -> list[tuple[str, int]]:
    return [(row.currency, row.balance) for row in held]


def _summed(amounts: Iterable[tuple[str, int]]) -> Mapping[str, int]:
    sums: dict[str, int] = {}
    for currency, amount in amounts:
        sums[currency] = sums.get(currency, 0) + amount
    return sums
