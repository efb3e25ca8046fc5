"""The deferred-revenue roll-forward: what was owed to shoppers, how it moved, what is owed."""

from collections.abc import Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from ledger import forward
from ledger.errors import PeriodInvalid
from ledger.legs import OWED, TAIL
from ledger.month import Month
from ledger.reports.late import LATE
from ledger.reports.reading import read, with_ids
from ledger.reports.sources import BASE, IN_CELLS
from ledger.statement import filled

FORMULA = forward.FORMULA
MOST_MONTHS = 36


class Movement(NamedTuple):
    """One row of the roll-forward: what one store owes for one offer, and how it moved.

    Money is net of VAT, in whole minor units; `cups_…` are the same movements in cups. In both,
    `FORMULA` holds. Rows of account 2138 are what will never be collected: they are negative, and
    the net liability is the sum. `transferred` and `adjusted` have their own sign.
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
    breakage: int
    refunded: int
    charged_back: int
    earned: int
    transferred: int
    adjusted: int
    closing: int
    cups_opening: int
    cups_sold: int
    cups_redeemed: int
    cups_voided: int
    cups_lapsed: int
    cups_breakage: int
    cups_refunded: int
    cups_charged_back: int
    cups_earned: int
    cups_transferred: int
    cups_adjusted: int
    cups_closing: int


Basis = Literal["booked", "occurred"]

# What is in no roll-up, or stands elsewhere when seen as it occurred, is brought into their form.
# OFFSET 0 keeps the place from being worked out anew in every sum.
_PARTS = """
WITH {base}, {late} part (
    store_id, offer_id, account, currency, opening, cups_opening, {columns}, {cups_columns}) AS (
    SELECT store_id, offer_id, account, currency, balance, cups, {nothing}
    FROM base JOIN month_balance USING (first_on, version)
    WHERE account = ANY(%(accounts)s) AND {asked}
    UNION ALL
    SELECT store_id, offer_id, account, currency, {net}, {cups_net}, {nothing}
    FROM rollup_forward
    WHERE first_on < %(first_on)s AND first_on > coalesce((SELECT first_on FROM base), '-infinity')
      AND {asked}
    UNION ALL
    SELECT store_id, offer_id, account, currency, 0, 0, {columns}, {cups_columns}
    FROM rollup_forward
    WHERE first_on >= %(first_on)s AND first_on < %(next_on)s AND {asked}
    UNION ALL
    SELECT store_id, offer_id, account, currency,
           total(amount) FILTER (WHERE place IS NULL), total(cups) FILTER (WHERE place IS NULL),
           {sums}, {cups_sums}
    FROM (
        SELECT store_id, offer_id, account, currency, amount, cups,
               CASE WHEN kind <> 'opening' THEN {place} END AS place
        FROM ({loose}) loose
        OFFSET 0
    ) placed
    GROUP BY store_id, offer_id, account, currency
)
"""
_TAIL = """
SELECT store_id, offer_id, account, currency, credit - debit AS amount, cups,
       CASE WHEN book_date < %(first_on)s THEN 'opening' ELSE kind END AS kind
FROM ({tail}) tail
WHERE book_date < %(next_on)s AND account = ANY(%(accounts)s) AND {asked}
"""
_TAIL = filled(_TAIL, tail=TAIL, asked=IN_CELLS)
_TAIL_AND_LATE = """
{tail}
UNION ALL
SELECT store_id, offer_id, account, currency, amount, cups, kind FROM late
"""
_TAIL_AND_LATE = filled(_TAIL_AND_LATE, tail=_TAIL)

# By store, offer, account and currency: as one key, which sorts twice as fast as four.
_SUMMED = """
SELECT store_id::text, offer_id::text, account, currency,
       opening, {columns}, opening {net}, cups_opening, {cups_columns}, cups_opening {cups_net}
FROM (
    SELECT store_id, offer_id, account, currency, {totals}
    FROM part
    GROUP BY store_id, offer_id, account, currency
) summed
WHERE {some}
ORDER BY uuid_send(summed.store_id) || uuid_send(summed.offer_id) || account::bytea
         || currency::bytea
"""


def _statement(*, late: str, loose: str) -> str:
    both = [*forward.COLUMNS, *(f"cups_{column}" for column in forward.COLUMNS)]
    return filled(
        _PARTS + _SUMMED,
        base=BASE,
        bound="%(first_on)s",
        late=late,
        columns=forward.named(),
        cups_columns=forward.named("cups_"),
        nothing=", ".join(["NULL::bigint"] * len(both)),
        net=forward.net(),
        cups_net=forward.net("cups_"),
        sums=forward.sums("amount"),
        cups_sums=forward.sums("cups"),
        place=forward.PLACE,
        totals=", ".join(
            f"total({column}) AS {column}" for column in ("opening", "cups_opening", *both)
        ),
        some=" OR ".join(f"{column} <> 0" for column in ("opening", "cups_opening", *both)),
        loose=loose,
        asked=IN_CELLS,
    )


_STATEMENTS: dict[Basis, str] = {
    "booked": _statement(late="", loose=_TAIL),
    "occurred": _statement(late=f"{LATE},", loose=_TAIL_AND_LATE),
}


def roll_forward(
    month: Month,
    *,
    basis: Basis = "booked",
    store_id: UUID | None = None,
    offer_id: UUID | None = None,
) -> Sequence[Movement]:
    """Report 1 of the books: the deferred revenue of a month, by store, offer and account.

    `booked`: by the day on which entries stand in the books; what finance has closed does not
    change. `occurred`: entries that became known after their month was closed stand in the month
    to which they belong.
    """
    return roll_forward_range(month, month, basis=basis, store_id=store_id, offer_id=offer_id)


def roll_forward_range(
    first: Month,
    last: Month,
    *,
    basis: Basis = "booked",
    store_id: UUID | None = None,
    offer_id: UUID | None = None,
) -> Sequence[Movement]:
    """The same over some months in a row: opening of the first, closing of the last.

    Raises:
        PeriodInvalid: they are in the wrong order, or more than `MOST_MONTHS`.
    """
    if not first <= last or _months_between(first, last) >= MOST_MONTHS:
        raise PeriodInvalid(period=f"{first}..{last}")
    asked = {
        "first_on": first.first_on,
        "next_on": last.next_on,
        "accounts": list(OWED),
        "store_ids": store_id and [store_id],
        "offer_id": offer_id,
    }
    return read(_STATEMENTS[basis], asked, with_ids(Movement))


def _months_between(first: Month, last: Month) -> int:
    years = last.first_on.year - first.first_on.year
    return years * 12 + last.first_on.month - first.first_on.month
