"""Act 11: nothing is left behind, so that the next tour's numbers are its own."""

from contextlib import suppress

import httpx

from dev.tour.act1_sign_in import sign_in_again
from dev.tour.act8_finance import compare_books, compare_rates
from dev.tour.act9_close import check_control
from dev.tour.act10_end import cancel
from dev.tour.story import Off
from dev.tour.tour import Act, Tour

_UNAUTHORIZED = 401


def read_again(tour: Tour) -> None:
    """Finance reads once more: what has ended is gone, cups without an end are still owed."""
    compare_books(tour)
    for report in ("deferred-revenue", "trial-balance"):
        check_control(tour, report, period=tour.months()[-1])
    sign_in_again(tour, tour.bob)
    for shopper, lot in ((tour.alice, tour.alice.pack), (tour.bob, tour.bob.gift)):
        what = f"cups that {shopper.name} can still collect"
        tour.story.check(what, expected=lot.left, seen=shopper.wallet()["cups"])


def read_rates_again(tour: Tour) -> None:
    """The month's grace is over, so that there is a renewal rate."""
    compare_rates(tour)


def leave_early(tour: Tour) -> None:
    """Cancel the plans of a tour that is cut short, as far as that goes."""
    with suppress(httpx.HTTPError, Off):
        for shopper in tour.shoppers:
            if not shopper.subscription_id:
                continue
            if cancel(shopper).status == _UNAUTHORIZED:
                sign_in_again(tour, shopper)
                cancel(shopper)
            tour.story.tell(f"{shopper.name}'s plan is cancelled")


ACT = Act("11  Nothing is left behind", (read_again, read_rates_again))
