"""Act 7: a month passes."""

from datetime import datetime, timedelta
from typing import Any

from dev.tour.act1_sign_in import sign_in_again
from dev.tour.act2_buy import charges_of, new_payment_method, subscribe
from dev.tour.party import Shopper
from dev.tour.tour import PLAN, Act, Tour

_FAILS_WHEN_CHARGED = "4000000000000341"
_A_LITTLE = timedelta(minutes=1)


def bob_subscribes(tour: Tour) -> None:
    """Bob subscribes, with a good card."""
    subscribe(tour, tour.bob)


def bob_changes_card(tour: Tour) -> None:
    """Bob changes to a card that can be saved, but not charged."""
    bob = tour.bob
    method = new_payment_method(tour, _FAILS_WHEN_CHARGED)
    changed = bob.api.put(
        f"/v1/subscriptions/{bob.subscription_id}/card", {"payment_method": method}
    )
    expected = _FAILS_WHEN_CHARGED[-4:]
    tour.story.check("the card on file ends in", expected=expected, seen=changed["card"]["last4"])


def month_passes(tour: Tour) -> None:
    """A month passes: both periods end, and a tick finds the rows that are due."""
    ends = [one.subscription()["current_period"]["ends_at"] for one in (tour.alice, tour.bob)]
    tour.move_clock(to=max(map(datetime.fromisoformat, ends)) + _A_LITTLE)
    for shopper in tour.shoppers:
        sign_in_again(tour, shopper)


def alice_is_renewed(tour: Tour) -> None:
    """Alice's saved card is charged, off session, and she gets the next ten cups."""
    alice = tour.alice
    renewed = tour.story.wait("the renewal job has done it", lambda: _in_period(alice, 2))
    tour.story.check("the subscription is", expected="active", seen=renewed["status"])
    fresh = tour.story.wait("the cups are in the wallet", lambda: alice.newest_lot(PLAN))
    terms = tour.chain.offers[PLAN]
    tour.story.check("cups of the plan", expected=terms["cups"], seen=alice.cups(PLAN))
    charge = charges_of(tour, alice)[0]
    seen = (charge["paid"], charge["amount"])
    tour.story.check("charged, in hundredths", expected=(True, price_of(tour) * 100), seen=seen)
    paid = [one for one in charges_of(tour, alice) if one["paid"]]
    tour.story.check("charges of pack, plan and renewal", expected=3, seen=len(paid))
    let_lapse(tour, alice, is_renewed=True, number=1)
    alice.plan = tour.books.sell(
        offer=PLAN,
        store="W",
        price=terms["price"]["amount"],
        cups=terms["cups"],
        at=fresh["sold_at"],
    )


def bob_is_past_due(tour: Tour) -> None:
    """Bob's card is declined: his plan is past due, and he gets nothing new."""
    bob = tour.bob

    def past_due() -> Any:
        seen = bob.subscription()
        return seen if seen["status"] == "past_due" else None

    seen = tour.story.wait("the renewal job has tried", past_due)
    tour.story.check("his last paid period", expected=1, seen=seen["current_period"]["number"])
    tour.story.tell(f"the next try is at {seen['next_charge_at']}")
    charges = [one["paid"] for one in charges_of(tour, bob)]
    tour.story.check("the provider's charges, newest first", expected=[False, True], seen=charges)
    let_lapse(tour, bob, is_renewed=False, number=1)
    tour.story.check("cups of the plan", expected=0, seen=bob.cups(PLAN))


def let_lapse(tour: Tour, shopper: Shopper, *, number: int, is_renewed: bool) -> None:
    """See that what was left of a period has ended with it."""
    lapsed = tour.story.wait(
        "the expiry job has let the old cups lapse",
        lambda: _nth(shopper.happened("lapse"), number),
    )
    left = shopper.plan.left
    amount = tour.books.lapse(shopper.plan, at=lapsed["at"])
    tour.books.count_period(ends_at=lapsed["at"], is_renewed=is_renewed)
    seen = (-lapsed["cups"], -lapsed["amount"]["amount"])
    tour.story.check(
        f"{shopper.name}'s cups and money that lapse", expected=(left, amount), seen=seen
    )


def price_of(tour: Tour) -> int:
    """What a period of the plan costs."""
    return int(tour.chain.offers[PLAN]["price"]["amount"])


def _in_period(shopper: Shopper, number: int) -> Any:
    seen = shopper.subscription()
    return seen if seen["current_period"]["number"] == number else None


def _nth(lapsed: list[Any], number: int) -> Any:
    """The newest lapse, once there are so many."""
    return lapsed[0] if len(lapsed) == number else None


ACT = Act(
    "7  A month passes",
    (bob_subscribes, bob_changes_card, month_passes, alice_is_renewed, bob_is_past_due),
)
