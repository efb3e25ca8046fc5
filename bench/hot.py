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
    tenth scan; `redeem_beside_hot_ratio` over the same without the one, in turn with it. Nothing
    may be lost: every scan is answered with 201, and every cup was counted.
    """
    at.run("hot.sql", hot=HOT, codes=HOT_CODES)
    tills.scan(seconds=1.0, hot=1)  # warm: connections that know the statements
    rates, ratios = [], []
    for _ in range(rounds):
        rates.append(tills.per_s(seconds=seconds))
        ratios.append(tills.per_s(seconds=seconds, hot=1) / rates[-1])
    figures.add("redeem_hot_wallet_ratio", median(ratios), "of_all_shoppers")
    slowest = []
    for _ in range(rounds):
        alone, beside = (
            tills.scan(seconds=seconds, rate=median(rates) / 2, hot=hot)["p99_ms"]
            for hot in (0, _OF_TEN)
        )
        slowest.append((beside, beside / alone))
    figures.add("redeem_beside_hot_p99_ms", median(p99 for p99, _ in slowest), "ms")
    figures.add("redeem_beside_hot_ratio", median(ratio for _, ratio in slowest), "of_alone")
