"""How much of a pool of cups counts as breakage by now. Pure rules."""

from dataclasses import dataclass

from ledger.policy import breakage_to_date


@dataclass(frozen=True, slots=True)
class Pool:
    """All cups of an offer that one store sold, since the beginning, up to a day.

    `sold` is net of what was given back (refunds, disputes, gifts to another offer), `redeemed` of
    what was voided. `lapsed` ended uncollected; `lapsed_at_once` of it was revenue at that moment,
    the rest cleared what had been estimated. `booked` is what estimates have made revenue.
    """

    sold: int
    cups_sold: int
    redeemed: int
    cups_redeemed: int
    lapsed: int
    lapsed_at_once: int
    booked: int

    @property
    def recognised(self) -> int:
        """Breakage that is revenue already."""
        return self.lapsed_at_once + self.booked


def breakage_of(pool: Pool, *, method: str, basis_points: int) -> int:
    """What of a pool is breakage by now, all in all.

    Never less than has lapsed, which is no estimate any more. A pool without a count of cups is
    earned by the day, and leaves none.
    """
    if method == "off" or pool.cups_sold <= 0:
        return pool.lapsed
    if method == "remote":
        return pool.sold - pool.redeemed
    estimated = breakage_to_date(
        net=pool.sold,
        cups=pool.cups_sold,
        redeemed=pool.redeemed,
        cups_redeemed=pool.cups_redeemed,
        basis_points=basis_points,
    )
    return max(pool.lapsed, estimated)
