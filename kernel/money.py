"""Money is an integer of a currency's minor units; New Taiwan dollars are whole (domain rule).

A split always adds up to the whole: see `ledger.policy.recognised`.
"""

from typing import Literal, NamedTuple

Rounding = Literal["half_up", "half_even", "down", "up"]


class Taxed(NamedTuple):
    """A price that includes VAT, taken apart. `net + vat` is the price."""

    net: int
    vat: int


def without_vat(gross: int, *, basis_points: int, rounding: Rounding = "half_up") -> Taxed:
    """Take the VAT out of a price that includes it; the net is rounded, the VAT is the rest.

    Rule: `net = round_half_up(gross / (1 + rate))`, Taiwan's business tax, 5 % (500 basis points).
    """
    net = divided(10_000 * gross, 10_000 + basis_points, rounding=rounding)
    return Taxed(net, gross - net)


def divided(amount: int, by: int, *, rounding: Rounding = "half_up") -> int:
    """A whole quotient of two integers, `amount` not negative, rounded as asked."""
    whole, rest = divmod(amount, by)
    match rounding:
        case "down":
            return whole
        case "up":
            return whole + (rest > 0)
        case "half_up":
            return whole + (2 * rest >= by)
        case "half_even":
            return whole + (2 * rest > by or (2 * rest == by and whole % 2))
