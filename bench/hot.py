"""One shopper at all tills, who all want the same wallet; and how the others fare beside."""

from statistics import median

from bench.figures import Figures
from bench.load import HOT, HOT_CODES
from bench.scanning import Tills
from bench.site import Site

_OF_TEN = 10
"""Every so manyth scan is of the one shopper while the others are looked at."""


def measure(figures: Figures, at: Site, tills: Tills, *, seconds: float, rounds: int) -> None:
    """Measure all shoppers and one shopper in turn, then the others beside the one.

    `redeem_beside_hot_p99_ms` is of the others, at half of the rate, while the one comes at every
    tenth scan. Nothing may be lost: every scan is answered with 201, and every cup was counted.
    """
    at.run("hot.sql", hot=HOT, codes=HOT_CODES)
    tills.scan(seconds=1.0, hot=1)  # warm: connections that know the statements
    rates, ratios = [], []
    for _ in range(rounds):
        rates.append(tills.per_s(seconds=seconds))
        ratios.append(tills.per_s(seconds=seconds, hot=1) / rates[-1])
    figures.add("redeem_hot_wallet_ratio", median(ratios), "of_all_shoppers")
    seen = tills.scan(seconds=seconds * 2, rate=median(rates) / 2, hot=_OF_TEN)
    figures.add("redeem_beside_hot_p99_ms", seen["p99_ms"], "ms")
