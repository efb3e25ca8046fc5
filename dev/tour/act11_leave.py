"""Act 11: nothing is left behind, so that the next tour's numbers are its own."""

import os
import subprocess
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import httpx

from dev import environment, home
from dev.tour.act1_sign_in import sign_in_again
from dev.tour.act7_renew import let_lapse
from dev.tour.act8_finance import compare_books, compare_rates
from dev.tour.client import Answer
from dev.tour.party import Shopper
from dev.tour.story import Off
from dev.tour.tour import PACK, PLAN, Act, Tour

_A_LITTLE = timedelta(minutes=1)
_UNAUTHORIZED = 401


def cancel_plans(tour: Tour) -> None:
    """Alice and Bob cancel: her plan runs to its period's end, his ends at once, being unpaid."""
    for shopper, status in ((tour.alice, "active"), (tour.bob, "cancelled")):
        seen = _cancel(shopper).document
        tour.story.check(f"{shopper.name}'s plan is", expected=status, seen=seen["status"])
        tour.story.check("its next charge", expected=None, seen=seen["next_charge_at"])


def last_month_passes(tour: Tour) -> None:
    """Another month passes, and Alice's plan ends with its last period."""
    alice = tour.alice
    ends_at = alice.subscription()["current_period"]["ends_at"]
    tour.move_clock(to=datetime.fromisoformat(ends_at) + _A_LITTLE)
    sign_in_again(tour, alice)

    def ended() -> Any:
        seen = alice.subscription()
        return seen if seen["ended_at"] else None

    seen = tour.story.wait("the renewal job has ended it", ended)
    tour.story.check("it is", expected="cancelled", seen=seen["status"])
    let_lapse(tour, alice, number=2, is_renewed=False)
    tour.story.check("cups of the plan", expected=0, seen=alice.cups(PLAN))


def read_again(tour: Tour) -> None:
    """Finance reads once more: the plan's cups are gone, the pack's are still owed."""
    compare_books(tour)
    left = tour.alice.pack.left
    tour.story.check("cups that Alice can still collect", expected=left, seen=tour.alice.cups(PACK))


def read_rates_again(tour: Tour) -> None:
    """The month's grace is over, so that there is a renewal rate."""
    compare_rates(tour)


def check_books(tour: Tour) -> None:
    """The books are checked from outside the web: all that must be true of them is."""
    checked = subprocess.run(
        [home.CHECKOUT / "jibei", "books", "check"],
        env={**environment.inherited(os.environ), **tour.environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    said = checked.stdout.strip() or checked.stderr.strip()
    tour.story.tell(f"./jibei books check: {said}")
    tour.story.check("its exit code", expected=0, seen=checked.returncode)


def leave_early(tour: Tour) -> None:
    """Cancel the plans of a tour that is cut short, as far as that goes."""
    with suppress(httpx.HTTPError, Off):
        for shopper in tour.shoppers:
            if not shopper.subscription_id:
                continue
            if _cancel(shopper).status == _UNAUTHORIZED:
                sign_in_again(tour, shopper)
                _cancel(shopper)
            tour.story.tell(f"{shopper.name}'s plan is cancelled")


def _cancel(shopper: Shopper) -> Answer:
    return shopper.api.send("POST", f"/v1/subscriptions/{shopper.subscription_id}/cancel")


ACT = Act(
    "11  Nothing is left behind",
    (cancel_plans, last_month_passes, read_again, read_rates_again, check_books),
)
