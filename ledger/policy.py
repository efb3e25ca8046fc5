"""Which accounts an event moves, and how the money of a lot follows its cups. Pure rules.

Account codes are the defaults of the chart; what each rule books is the worked example that its
docstring names.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

CASH = "1111"
DUE_FROM_STORE = "1171"
VOUCHERS = "2131"
PLANS = "2132"
DUE_TO_STORE = "2171"
OUTPUT_VAT = "2194"
CUPS = "4111"
BREAKAGE = "4113"


@dataclass(frozen=True, slots=True)
class Pair:
    """One debit, one credit, one amount in one store's book; `qty` counts the cups that moved."""

    store_id: UUID
    debit: str
    credit: str
    amount: int
    qty: int = 0
    counterpart_store_id: UUID | None = None
    offer_id: UUID | None = None
    lot_id: UUID | None = None

    def turned(self) -> "Pair":
        """The pair that undoes this one."""
        return replace(self, debit=self.credit, credit=self.debit)


def recognised(*, net: int, units: int, used: int) -> int:
    """The part of a lot's `net` that `used` of its `units` cups carry: cumulative, half up.

    `F(k) = (2·net·k + units) // (2·units)`. Being a function of the running total, any split in
    any order at any store adds up to `net` exactly.
    """
    return (2 * net * used + units) // (2 * units)


def carried(*, net: int, units: int, used: int, net_recognised: int, cups: int) -> int:
    """The money that the next `cups` cups of a lot carry, never negative.

    The floor matters after a void, which gives back what its redemption took and not what F would
    say now: without it, 2 over 29 cups with one void yields −1.
    """
    return max(0, recognised(net=net, units=units, used=used + cups) - net_recognised)


def sale(
    *, store_id: UUID, account: str, net: int, vat: int, cups: int, offer_id: UUID, lot_id: UUID
) -> list[Pair]:
    """Cups were paid for: cash against what the chain now owes, and the VAT on it (E1, E5)."""
    owed = Pair(store_id, CASH, account, net, cups, None, offer_id, lot_id)
    return [owed, replace(owed, credit=OUTPUT_VAT, amount=vat, qty=0)] if vat else [owed]


def hand_over(
    *,
    sold_at_id: UUID,
    made_at_id: UUID,
    account: str,
    amount: int,
    cups: int,
    offer_id: UUID,
    lot_id: UUID,
) -> list[Pair]:
    """Cups were made: the debt becomes revenue of the store that made them (E2).

    Made where they were sold, it is one pair. Made elsewhere, the selling store owes the making
    one: a pair in each book, each naming the other.
    """
    here = Pair(made_at_id, account, CUPS, amount, cups, None, offer_id, lot_id)
    if sold_at_id == made_at_id:
        return [here]
    owing = Pair(sold_at_id, account, DUE_TO_STORE, amount, cups, made_at_id, offer_id, lot_id)
    return [owing, replace(here, debit=DUE_FROM_STORE, counterpart_store_id=sold_at_id)]


def lapse(
    *, store_id: UUID, account: str, amount: int, cups: int, offer_id: UUID, lot_id: UUID
) -> list[Pair]:
    """Cups ended uncollected: what they carried is revenue from breakage (E5)."""
    return [Pair(store_id, account, BREAKAGE, amount, cups, None, offer_id, lot_id)]


def reversal(pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs that undo others exactly (E8)."""
    return [pair.turned() for pair in pairs]
