"""Which accounts an event moves, and how the money of a lot follows its cups. Pure rules.

Account codes are the defaults of the chart; what each rule books is the worked example that its
docstring names.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

CASH = "1111"
DUE_FROM_STORE = "1171"
DISPUTED = "1172"
VOUCHERS = "2131"
PLANS = "2132"
REFUND_PAYABLE = "2133"
UNDER_WAY = "2134"
BREAKAGE_CONTRA = "2138"
DUE_TO_STORE = "2171"
OUTPUT_VAT = "2194"
CUPS = "4111"
MEMBERSHIP = "4112"
BREAKAGE = "4113"
FEES = "4114"
TOP_UPS = "4115"
CHARGEBACK_LOSS = "6221"

CONTRACT_LIABILITIES = (VOUCHERS, PLANS, UNDER_WAY)
"""What is owed to shoppers in cups: every cup of a lot or on its way to somebody is in one."""


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
    return _moving(owed, replace(owed, credit=OUTPUT_VAT, amount=vat, qty=0))


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
    *,
    store_id: UUID,
    account: str,
    amount: int,
    cups: int,
    offer_id: UUID,
    lot_id: UUID,
    is_estimated: bool = False,
) -> list[Pair]:
    """Cups ended uncollected: what they carried is revenue from breakage (E5).

    Where breakage of the offer is estimated, that revenue was recognised before, or will be at the
    end of the month: the end only clears it from what is owed (E4).
    """
    credit = BREAKAGE_CONTRA if is_estimated else BREAKAGE
    return [Pair(store_id, account, credit, amount, cups, None, offer_id, lot_id)]


def top_up(*, store_id: UUID, net: int, vat: int) -> list[Pair]:
    """A dearer drink: the difference, paid at the till and taxed there."""
    paid = Pair(store_id, CASH, TOP_UPS, net)
    return _moving(paid, replace(paid, credit=OUTPUT_VAT, amount=vat))


def earning(
    *, store_id: UUID, amount: int, offer_id: UUID, lot_id: UUID, is_membership: bool
) -> list[Pair]:
    """A day of a plan without a count of cups has passed (E9): unlimited cups, or a membership."""
    income = MEMBERSHIP if is_membership else CUPS
    return _moving(Pair(store_id, PLANS, income, amount, 0, None, offer_id, lot_id))


def earned(*, net: int, days: int, passed: int) -> int:
    """What the first `passed` of a period's `days` have earned of its `net`: straight-line (E9)."""
    return recognised(net=net, units=days, used=min(passed, days))


@dataclass(frozen=True, slots=True)
class Returned:
    """What comes back of a lot: `gross = net + vat`, less what is kept and a fee, with their VAT.

    What is `kept` pays for cups that were collected before, where they count at list price.
    Negative, it was kept at an earlier return, for cups whose collection was undone since.
    """

    net: int
    vat: int
    cups: int
    fee_net: int = 0
    fee_vat: int = 0
    kept_net: int = 0
    kept_vat: int = 0

    @property
    def payable(self) -> int:
        """What the payer gets."""
        kept, fee = self.kept_net + self.kept_vat, self.fee_net + self.fee_vat
        return self.net + self.vat - kept - fee


def refund(
    returned: Returned, *, store_id: UUID, account: str, offer_id: UUID, lot_id: UUID
) -> list[Pair]:
    """Unused cups are given back: the debt in cups becomes a debt in money, less the fee (E3).

    What is kept for cups collected earlier is revenue from them, at the store that sold.
    """
    owed = Pair(
        store_id, account, REFUND_PAYABLE, returned.net, returned.cups, None, offer_id, lot_id
    )
    plain = Pair(store_id, OUTPUT_VAT, REFUND_PAYABLE, returned.vat)
    return _moving(
        owed,
        plain,
        _either_way(Pair(store_id, REFUND_PAYABLE, CUPS, returned.kept_net)),
        _either_way(Pair(store_id, REFUND_PAYABLE, OUTPUT_VAT, returned.kept_vat)),
        Pair(store_id, REFUND_PAYABLE, FEES, returned.fee_net),
        Pair(store_id, REFUND_PAYABLE, OUTPUT_VAT, returned.fee_vat),
    )


def surplus(*, store_id: UUID, amount: int) -> list[Pair]:
    """Money came that nobody had to pay: it is owed back to its payer."""
    return [Pair(store_id, CASH, REFUND_PAYABLE, amount)]


def payout(*, store_id: UUID, amount: int) -> list[Pair]:
    """The money of a refund has left (E3)."""
    return [Pair(store_id, REFUND_PAYABLE, CASH, amount)]


def give(
    *, store_id: UUID, account: str, amount: int, cups: int, offer_id: UUID, lot_id: UUID
) -> list[Pair]:
    """Cups leave a lot for another one, of somebody else or of another offer (gift; E6)."""
    return [Pair(store_id, account, UNDER_WAY, amount, cups, None, offer_id, lot_id)]


def take(
    *, store_id: UUID, account: str, amount: int, cups: int, offer_id: UUID, lot_id: UUID
) -> list[Pair]:
    """Cups that were under way arrive in a lot: claimed, come back, or of the new plan (E6)."""
    return [Pair(store_id, UNDER_WAY, account, amount, cups, None, offer_id, lot_id)]


def begin_prepaid(
    *,
    store_id: UUID,
    account: str,
    amount: int,
    periods: int,
    cups: int,
    offer_id: UUID,
    prepaid_lot_id: UUID,
    lot_id: UUID,
) -> list[Pair]:
    """Prepaid periods of a plan become what they give: their money moves, in a lot of its own.

    The periods leave by themselves and the cups come by themselves, against cash and for nothing,
    since one period is not one cup.
    """
    leaving = Pair(store_id, account, UNDER_WAY, amount, 0, None, offer_id, prepaid_lot_id)
    return _moving(
        leaving,
        replace(leaving, debit=UNDER_WAY, credit=account, lot_id=lot_id),
        replace(leaving, credit=CASH, amount=0, qty=periods),
        Pair(store_id, CASH, account, 0, cups, None, offer_id, lot_id),
    )


def drop(*, store_id: UUID, account: str, cups: int, offer_id: UUID, lot_id: UUID) -> list[Pair]:
    """Cups of a plan are gone with a change of it, and their money goes on without them."""
    return [Pair(store_id, account, CASH, 0, cups, None, offer_id, lot_id)]


def add_free(
    *, store_id: UUID, account: str, cups: int, offer_id: UUID, lot_id: UUID
) -> list[Pair]:
    """Cups come with a change of plan for which nothing was paid."""
    return [Pair(store_id, CASH, account, 0, cups, None, offer_id, lot_id)]


def dispute_opened(*, store_id: UUID, gross: int) -> list[Pair]:
    """The bank has taken the money back for the time being (E7)."""
    return [Pair(store_id, DISPUTED, CASH, gross)]


def dispute_won(*, store_id: UUID, gross: int) -> list[Pair]:
    """The bank has given the money back (E7)."""
    return [Pair(store_id, CASH, DISPUTED, gross)]


def dispute_lost(
    *,
    store_id: UUID,
    account: str,
    gross: int,
    net: int,
    vat: int,
    cups: int,
    offer_id: UUID,
    lot_id: UUID,
) -> list[Pair]:
    """The money is gone: what the unused cups carried is owed no more, the rest is a loss (E7).

    `net` and `vat` are of the unused `cups`, `gross` is what the bank took.
    """
    return _moving(
        Pair(store_id, account, DISPUTED, net, cups, None, offer_id, lot_id),
        Pair(store_id, OUTPUT_VAT, DISPUTED, vat),
        Pair(store_id, CHARGEBACK_LOSS, DISPUTED, gross - net - vat),
    )


def settlement(*, payer_id: UUID, payee_id: UUID, amount: int) -> list[Pair]:
    """A store pays another for cups that it had sold and the other made: both books (E2)."""
    return [
        Pair(payer_id, DUE_TO_STORE, CASH, amount, 0, payee_id),
        Pair(payee_id, CASH, DUE_FROM_STORE, amount, 0, payer_id),
    ]


def breakage(*, store_id: UUID, amount: int, offer_id: UUID) -> list[Pair]:
    """An estimate says that so much more (or, negative, less) will never be collected (E4)."""
    pair = Pair(store_id, BREAKAGE_CONTRA, BREAKAGE, abs(amount), 0, None, offer_id)
    return [pair if amount > 0 else pair.turned()]


def breakage_to_date(
    *, net: int, cups: int, redeemed: int, cups_redeemed: int, basis_points: int
) -> int:
    """What a pool has recognised as breakage when `cups_redeemed` of its `cups` are collected.

    Proportional (IFRS 15 B46): of a pool of `net`, cups that will be collected stand for all of it.
    So the total that is earned is `net × collected ÷ expected`, half up, and breakage is what of it
    the collected cups did not carry themselves (`redeemed`). Example 52 and E4 by the dollar.
    """
    expected = cups * (10_000 - basis_points)  # in ten-thousandths of a cup
    if expected <= 0:
        return 0
    collected = min(cups_redeemed * 10_000, expected)
    earned_to_date = (2 * net * collected + expected) // (2 * expected)
    return max(0, earned_to_date - redeemed)


def allocated(total: int, *, weights: Sequence[int]) -> list[int]:
    """Split a price over lots by weight (stand-alone price × expected use), half up (E10).

    The first gets the remainder, so that the parts add up: put the paid lot there.
    """
    whole = sum(weights)
    rest = [(2 * total * weight + whole) // (2 * whole) for weight in weights[1:]]
    return [total - sum(rest), *rest]


def reversal(pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs that undo others exactly (E8)."""
    return [pair.turned() for pair in pairs]


def _either_way(pair: Pair) -> Pair:
    """A pair of a negative amount, turned around."""
    return pair if pair.amount >= 0 else replace(pair.turned(), amount=-pair.amount)


def _moving(*pairs: Pair) -> list[Pair]:
    """The pairs that move something: VAT may be none, a free cup has no amount."""
    return [pair for pair in pairs if pair.amount or pair.qty]
