"""Does a redemption cost more when the chain has grown: two databases of two sizes, in turn."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from statistics import median

from bench.figures import Figures
from bench.scanning import Tills
from bench.site import Site, gunicorn, site, wait_for_quiet

_FEW, _MANY, _MANY_IN_SHORT = 10_000, 10_000_000, 100_000
_A_WALLET = 2
_CODES = 60_000
"""A small chain's shoppers have several phones, so that no code is shown twice within a step."""
_APART = 7_919
_AT_ONCE = 250_000


def measure(figures: Figures, *, short: bool) -> None:
    """Measure the cost of a redemption at many lots over that at few; its name says how many more.

    Cost is time at full load, so rates are compared, in turn. Shoppers come from all over the
    tables.
    """
    lots = _MANY_IN_SHORT if short else _MANY
    seconds, rounds = (2.0, 1) if short else (10.0, 5)
    with ExitStack() as open_:
        few, many = (
            _served(open_, wallets=size // _A_WALLET, apart=_APART) for size in (_FEW, lots)
        )
        if not short:
            wait_for_quiet()
        costs = [few.per_s(seconds=seconds) / many.per_s(seconds=seconds) for _ in range(rounds)]
    figures.add(f"redeem_growth_{lots // _FEW}x", median(costs), "of_few_lots")


def _served(open_: ExitStack, *, wallets: int, apart: int) -> Tills:
    """A chain of so many wallets behind a server of its own, warm."""
    at = open_.enter_context(site(members=min(wallets, _AT_ONCE)))
    _grow(at, wallets)
    phones = max(wallets, _CODES)
    if phones > wallets:
        at.run("phones.sql", first=wallets + 1, last=phones, wallets=wallets)
    for table in ("wallet", "lot", "credential"):
        at.ask(f"VACUUM ANALYZE {table}")
    at.ask("CHECKPOINT")
    port, _ = open_.enter_context(gunicorn(at))
    tills = Tills(port, phones, apart=apart)
    tills.scan(seconds=1.0)
    return tills


def _grow(at: Site, wallets: int) -> None:
    """Add wallets as fast as the cores can."""
    starts = range(at.members + 1, wallets + 1, _AT_ONCE)
    with ThreadPoolExecutor(2) as hands:
        list(
            hands.map(
                lambda first: at.run(
                    "members.sql", first=first, last=min(first + _AT_ONCE - 1, wallets)
                ),
                starts,
            )
        )
