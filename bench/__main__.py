"""`make bench`: start engines of its own, measure, print and keep the figures.

Load comes from a second process, over loopback, bounded in time. What counts are ratios taken
in one run and medians: these machines are shared, and identical runs differ by a quarter.
"""

import argparse
import os
import sys
from collections.abc import Callable

from bench import books, expiry, fulfil, plan_stats, redeem, stack, subs, tables, wallet
from bench.figures import Figures

PARTS: dict[str, Callable[[Figures, bool], None]] = {
    "redeem": redeem.measure,
    "stack": stack.measure,
    "books": books.measure,
    "tables": tables.measure,
    "expiry": expiry.measure,
    "wallet": wallet.measure,
    "fulfil": fulfil.measure,
    "renewal": subs.measure,
    "stats": plan_stats.measure,
}
GROUPS = {"vouchers": ("expiry", "wallet", "fulfil"), "subs": ("renewal", "stats")}


def main() -> int:
    """Measure the parts that were asked for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--only",
        choices=(*PARTS, *GROUPS),
        default=os.environ.get("ONLY") or None,
        help="one part, or a group of them (ONLY=)",
    )
    parser.add_argument(
        "--short",
        action="store_true",
        default=bool(os.environ.get("SHORT")),
        help="seconds instead of minutes, for a look or for CI; nothing is kept (SHORT=1)",
    )
    chosen = parser.parse_args()
    if chosen.only not in (None, *PARTS, *GROUPS):  # argparse does not look at what is preset
        parser.error(f"ONLY={chosen.only} is no part: choose from {', '.join((*PARTS, *GROUPS))}")
    wanted = PARTS if chosen.only is None else GROUPS.get(chosen.only, (chosen.only,))
    figures = Figures()
    for name, measure in PARTS.items():
        if name in wanted:
            print(f"# {name}", flush=True)
            measure(figures, chosen.short)
    if not chosen.short:
        print(f"# kept in {figures.keep()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
