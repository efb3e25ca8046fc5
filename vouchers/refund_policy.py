"""What comes back for unused cups, and why. Pure rules.

1. Within the days of withdrawal of a distance sale everything that unused cups carry comes back,
   whatever the terms say *(law)*. So does what finance gives back out of goodwill.
2. Otherwise by the basis of the terms: `allocated` is what the cups carry. With `list_price`,
   cups that were collected count at list price: what was paid less that, never below nothing.
   What was kept so for cups whose collection was undone later comes back with these.
   With `none` nothing comes back on request.
3. Of what comes back on request the terms' fee is taken. What the chain gives back by itself, at
   an end date or for a gift that nobody took, costs no fee: nobody asked for it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from kernel.money import Taxed
from ledger.policy import Returned
from vouchers.refund_errors import NotRefundable

Asked = Literal["request", "expiry", "gift_unclaimed", "goodwill"]
Reason = Literal["withdrawal", "request", "expiry", "gift_unclaimed", "goodwill"]
Basis = Literal["allocated", "list_price"]

DISTANCE = ("web", "app")
"""Where a sale can be withdrawn from. Whoever bought at the counter saw what they bought."""


@dataclass(frozen=True, slots=True)
class Way:
    """Why cups come back, and by which rule. `fee_bp` is in ten-thousandths."""

    reason: Reason
    basis: Basis
    fee_bp: int


@dataclass(frozen=True, slots=True)
class Pack:
    """One pack as it stands now, in whosesoever wallets its cups are.

    `paid` is its price, `collected` how many of its cups were handed over, `given_back` what came
    back of it before, and `kept` what then did not, for cups that had been collected; `unused` is
    what all its unused cups carry, those that come back included.
    """

    paid: int
    collected: int
    given_back: int
    unused: int
    kept: int = 0
    kept_vat: int = 0


@dataclass(frozen=True, slots=True)
class Given:
    """Cups that come back: what they carry, and what of it comes back before the fee (`back`).

    `is_taxed_at_sale` says that what they carry has its VAT apart; `tax` takes the VAT out of an
    amount by the rate of the day, which `rate` names. `kept_before` is what of the same pack was
    kept, and the VAT in it: more than they carry comes back of that.
    """

    cups: int
    net: int
    vat: int
    back: int
    fee_bp: int
    is_taxed_at_sale: bool
    tax: Callable[[int], Taxed]
    rate: str = "standard"
    kept_before: tuple[int, int] = (0, 0)


def is_withdrawal(
    *, channel: str | None, sold_on: date, today_on: date, withdrawal_days: int
) -> bool:
    """Whether a sale can still be withdrawn; the day of the sale does not count.

    Both dates are local ones of the selling store. A renewal has no `channel`: what was agreed at
    a distance was the plan, and its first period is of an order.
    """
    is_in_time = today_on <= sold_on + timedelta(days=withdrawal_days)
    return channel in DISTANCE and withdrawal_days > 0 and is_in_time


def way(asked: Asked, *, is_withdrawal: bool, refund_basis: str, refund_fee_bp: int) -> Way:
    """Choose the rule by which cups come back.

    Raises:
        NotRefundable: the terms give nothing back on request.
    """
    if asked == "goodwill":
        return Way("goodwill", "allocated", 0)
    if asked == "request" and is_withdrawal:
        return Way("withdrawal", "allocated", 0)
    if asked == "request" and refund_basis == "none":
        raise NotRefundable(why="terms")
    basis: Basis = "list_price" if refund_basis == "list_price" else "allocated"
    return Way(asked, basis, refund_fee_bp if asked == "request" else 0)


def at_list_price(pack: Pack, *, list_price: int, parts: Sequence[int]) -> list[int]:
    """What comes back of parts of a pack whose collected cups count at list price.

    `parts` is what each of them carries. Where others hold unused cups of the same pack, each has
    its share by what its cups carry, so giving cups away neither saves nor loses money; and parts
    bring back no more than they carry and was kept before.
    """
    due = pack.paid - list_price * pack.collected - pack.given_back
    whole = max(pack.unused, sum(parts))
    return _shares(min(max(due, 0), whole + pack.kept), parts, whole=whole)


def settled(given: Sequence[Given]) -> list[Returned]:
    """Take what is kept for collected cups, and the fee, off what comes back, line by line.

    The fee is `floor(gross × fee)` of all lines on one fee together, its VAT that of their sum:
    each line has its part of the running total, so they add up to the dollar.
    """
    so_far: Counter[tuple[int, str]] = Counter()
    done = []
    for one in given:
        kept_net, kept_vat = _kept(one)
        group = (one.fee_bp, one.rate)
        before, after = so_far[group], so_far[group] + one.back
        so_far[group] = after
        fees = (_fee(before, one.fee_bp), _fee(after, one.fee_bp))
        fee = fees[1] - fees[0]
        fee_vat = one.tax(fees[1]).vat - one.tax(fees[0]).vat if fee else 0
        if one.is_taxed_at_sale:  # the invoice is taken back by what is left, which is not below 0
            fee_vat = max(fee - (one.net - kept_net), min(fee_vat, one.vat - kept_vat))
        done.append(
            Returned(
                net=one.net,
                vat=one.vat,
                cups=one.cups,
                fee_net=fee - fee_vat,
                fee_vat=fee_vat,
                kept_net=kept_net,
                kept_vat=kept_vat,
            )
        )
    return done


def _fee(gross: int, fee_bp: int) -> int:
    return gross * fee_bp // 10_000


def _kept(one: Given) -> tuple[int, int]:
    """Net and VAT of what is kept: as the cups carried them, or by the rate if VAT comes later.

    Negative where more comes back than the cups carry: that was kept before, with this VAT in it.
    """
    gross = one.net + one.vat
    kept = gross - one.back
    if not kept:
        return 0, 0
    if kept < 0:
        before, vat_before = one.kept_before
        vat = vat_before * -kept // before  # rounded down: all of it comes back with the last
        return kept + vat, -vat
    if not one.is_taxed_at_sale:
        return one.tax(kept)
    kept_vat = (2 * one.vat * kept + gross) // (2 * gross)
    return kept - kept_vat, kept_vat


def _shares(amount: int, parts: Sequence[int], *, whole: int) -> list[int]:
    """Each part's share of an amount by its part of the whole, by the running total, rounded down.

    Parts that are the whole share all of it.
    """
    shares, so_far = [], 0
    for part in parts:
        before = amount * so_far // whole if whole else 0
        so_far += part
        shares.append((amount * so_far // whole if whole else 0) - before)
    return shares
