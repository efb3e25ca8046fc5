"""The figures of packs: each file measures on engines of its own."""

from bench import expiry, fulfil, wallet
from bench.figures import Figures


def measure(figures: Figures, short: bool) -> None:
    """Measure all of them, one after the other."""
    for one in (expiry, wallet, fulfil):
        one.measure(figures, short=short)
