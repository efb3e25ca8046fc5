"""The deferred-revenue roll-forward: what was owed to shoppers, how it moved, what is owed."""

from collections.abc import Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from ledger.errors import PeriodInvalid
from ledger.legs import OWED
from ledger.month import Month
from ledger.reports.late import LATE
from ledger.reports.reading import Ids, rows
from ledger.reports.sources import MOVED
from ledger.statement import filled

FORMULA = (
    "opening + sold - redeemed + voided - lapsed - breakage - refunded - charged_back - earned"
    " + transferred + adjusted = closing"
)
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

# Every kind of entry has a column; one that is not named here is among the adjustments.
_ADDING = {
    "opening": ("opening",),
    "sold": ("sale",),
    "voided": ("void",),
    "transferred": ("gift", "claim", "gift_return", "transfer"),
    "adjusted": (),
}
_TAKING = {
    "redeemed": ("redemption",),
    "lapsed": ("lapse",),
    "breakage": ("breakage",),
    "refunded": ("refund",),
    "charged_back": ("dispute_lost",),
    "earned": ("earning",),
}
_COLUMNS = Movement._fields[4:15]
_PLACE = "CASE kind {} ELSE {} END".format(
    " ".join(
        f"WHEN '{kind}' THEN {_COLUMNS.index(column)}"
        for column, kinds in {**_ADDING, **_TAKING}.items()
        for kind in kinds
    ),
    _COLUMNS.index("adjusted"),
)


def _sums(measure: str) -> str:
    each = [
        f"{'-' if column in _TAKING else ''}total({measure}) FILTER (WHERE place = {place})"
        for place, column in enumerate(_COLUMNS)
    ]
    return ", ".join([*each, f"total({measure})"])


# OFFSET 0 keeps the place from being worked out anew in every sum.
_SUMMED = """
WITH {sources}
SELECT store_id::text, offer_id::text, account, currency, {amounts}, {cups}
FROM (
    SELECT store_id, offer_id, account, currency, amount, cups, {place} AS place
    FROM ({cells}) cells
    OFFSET 0
) placed
GROUP BY placed.store_id, placed.offer_id, account, currency
ORDER BY placed.store_id, placed.offer_id, account, currency
"""
_SUMMED = filled(_SUMMED, amounts=_sums("amount"), cups=_sums("cups"), place=_PLACE)
_CELLS = "SELECT store_id, offer_id, account, currency, kind, amount, cups FROM {rows}"
_BOOKED = filled(_CELLS, rows="moved")
_LATE = filled(_CELLS, rows="late")
_STATEMENTS = {
    "booked": filled(_SUMMED, sources=MOVED, cells=_BOOKED),
    "occurred": filled(_SUMMED, sources=f"{MOVED}, {LATE}", cells=f"{_BOOKED} UNION ALL {_LATE}"),
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
    found = rows(_STATEMENTS[basis], asked)
    ids, made = Ids(), tuple.__new__
    return [made(Movement, (ids[row[0]], ids[row[1]], *row[2:])) for row in found if any(row[4:])]


def _months_between(first: Month, last: Month) -> int:
    years = last.first_on.year - first.first_on.year
    return years * 12 + last.first_on.month - first.first_on.month
