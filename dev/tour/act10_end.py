"""Act 10: the last month, with a pack whose unused cups are paid back at its end."""

import json
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from functools import partial
from typing import Any

from dev.tour.act1_sign_in import sign_in_again
from dev.tour.act2_buy import buy
from dev.tour.act3_redeem import close_till, open_till, redeem
from dev.tour.act7_renew import let_lapse
from dev.tour.client import Answer
from dev.tour.expected import TAIPEI
from dev.tour.party import Shopper
from dev.tour.tour import PLAN, WITH_END, Act, Tour

_A_LITTLE = timedelta(minutes=1)
_GOOD_FOR = timedelta(days=30)
_COLLECTED = (3, 2)
_HUNDREDTHS = 100


def cancel_plans(tour: Tour) -> None:
    """Alice and Bob cancel: her plan runs to its period's end, his ends at once, being unpaid."""
    for shopper, status in ((tour.alice, "active"), (tour.bob, "cancelled")):
        seen = cancel(shopper).document
        tour.story.check(f"{shopper.name}'s plan is", expected=status, seen=seen["status"])
        tour.story.check("its next charge", expected=None, seen=seen["next_charge_at"])
    last = tour.alice.subscription()["current_period"]
    tour.plan_ends_at = datetime.fromisoformat(last["ends_at"])


def buy_with_end(tour: Tour) -> None:
    """Alice buys 20 cups for NT$1,600, good for 30 days, and collects five at B, in two goes."""
    alice = tour.alice
    alice.with_end = buy(tour, alice, WITH_END, store="W", save_card=False)
    open_till(tour, "B")
    for cups in _COLLECTED:
        redeem(tour, alice, alice.with_end, store="B", cups=cups)
    close_till(tour, "B")
    held = alice.newest_lot(WITH_END)
    ends_at = datetime.fromisoformat(held["ends_at"]).astimezone(TAIPEI)
    sold_on = datetime.fromisoformat(held["sold_at"]).astimezone(TAIPEI).date()
    tour.last_on = sold_on + _GOOD_FOR
    expected = datetime.combine(tour.last_on + timedelta(days=1), time_of_day(), TAIPEI)
    tour.story.tell(f"their last day is {tour.last_on}")
    tour.story.check("they end at that midnight in Taipei", expected=expected, seen=ends_at)


def remind(tour: Tour) -> None:
    """A week before, and a day before, Alice is told that they end."""
    seen, name = tour.message_file.stat().st_size, tour.chain.offers[WITH_END]["name"]
    for days in (7, 1):
        at = datetime.combine(tour.last_on - timedelta(days=days), time_of_day(10), TAIPEI)
        tour.move_clock(to=at + _A_LITTLE)
        told = tour.story.wait(
            "she is told", partial(find_message, tour, tour.alice, name, seen=seen)
        )
        seen = tour.message_file.stat().st_size
        tour.story.tell(f"it says: {told}")
        is_right = "15 cups" in told and _in_words(tour.last_on) in told
        tour.story.check("of how many, and until when", expected=True, seen=is_right)


def month_passes(tour: Tour) -> None:
    """The month is over, and with it the pack's time and Alice's plan."""
    alice = tour.alice
    pack_ends_at = datetime.combine(tour.last_on + timedelta(days=1), time_of_day(), TAIPEI)
    tour.move_clock(to=max(tour.plan_ends_at, pack_ends_at) + _A_LITTLE)
    sign_in_again(tour, alice)

    def ended() -> Any:
        seen = alice.subscription()
        return seen if seen["ended_at"] else None

    seen = tour.story.wait("the renewal job has ended the plan", ended)
    tour.story.check("it is", expected="cancelled", seen=seen["status"])
    let_lapse(tour, alice, number=2, is_renewed=False)
    tour.story.check("cups of the plan", expected=0, seen=alice.cups(PLAN))


def pay_back(tour: Tour) -> None:
    """The other fifteen cups are paid back by themselves: 1,600 less five at NT$110."""
    alice, lot = tour.alice, tour.alice.with_end
    terms = tour.chain.offers[WITH_END]
    expected, left = lot.back_at_list_price(terms["list_price"]["amount"]), lot.left

    def paid() -> Any:
        made = next(iter(alice.api.get("/v1/refunds")["items"]), None)
        return made if made and made["status"] == "paid" else None

    made = tour.story.wait("the refund is made, and its money has arrived", paid)
    tour.story.check("because of", expected="expiry", seen=made["reason"])
    tour.story.check("paid back", expected=expected, seen=made["payable"]["amount"])
    net = tour.books.refund(lot, at=made["refunded_at"])
    event = alice.happened("refund")[0]
    seen = (event["cups"], event["amount"]["amount"], event["paid"]["amount"])
    what = "cups, net and money in her history"
    tour.story.check(what, expected=(-left, -net, -expected), seen=seen)
    given = tour.merchant.get("/v1/refunds", payment_intent=alice.intents[WITH_END])["data"]
    amounts = [(one["status"], one["amount"]) for one in given]
    in_hundredths = [("succeeded", expected * _HUNDREDTHS)]
    tour.story.check("the provider, in hundredths", expected=in_hundredths, seen=amounts)
    told = tour.story.wait("she is told", partial(find_message, tour, alice, "Given back"))
    tour.story.tell(f"it says: {told}")


def cancel(shopper: Shopper) -> Answer:
    """Cancel a shopper's plan."""
    return shopper.api.send("POST", f"/v1/subscriptions/{shopper.subscription_id}/cancel", {})


def find_message(tour: Tour, shopper: Shopper, word: str, *, seen: int = 0) -> str | None:
    """Find what somebody was told after so many bytes, with a word of it."""
    for line in tour.message_file.read_bytes()[seen:].splitlines():
        message = json.loads(line)
        if message["to"] == f"+886{shopper.phone[1:]}" and word in message["text"]:
            return str(message["text"])
    return None


def _in_words(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"


ACT = Act("10  The last month", (cancel_plans, buy_with_end, remind, month_passes, pay_back))
