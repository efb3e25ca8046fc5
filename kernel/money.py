"""Money is an integer of a currency's minor units; New Taiwan dollars are whole (domain rule).

A split always adds up to the whole: see `ledger.policy.recognised`.
"""

from typing import NamedTuple


class Taxed(NamedTuple):
    """A price that includes VAT, taken apart. `net + vat` is the price."""

    net: int
    vat: int


def without_vat(gross: int, *, vat_percent: int) -> Taxed:
    """Take the VAT out of a price that includes it, rounding the net half up.

    Rule: `net = round_half_up(gross / (1 + rate))`, Taiwan's business tax, 5 %.
    """
    divisor = 100 + vat_percent
    net = (2 * 100 * gross + divisor) // (2 * divisor)
    return Taxed(net, gross - net)
