"""What a till of the tour sends when it has scanned a code, and what must come of it."""

from collections.abc import Mapping
from typing import Any

from dev.tour.client import new_key
from dev.tour.expected import Lot
from dev.tour.party import Redeemed, Till
from dev.tour.tour import PACK, WITH_END, Tour

LATTE, DEAR = "latte-m", "caffe-latte-t"
"""Drinks by the chain's own codes, of NT$50 and NT$110."""

Wish = Mapping[str, int]
"""Cups by drink, in the order in which they are asked for."""


def product_id(tour: Tour, product: str) -> str:
    """The id of one of the two drinks, each of which is what an offer is good for."""
    return tour.chain.product_of({LATTE: PACK, DEAR: WITH_END}[product])


def scanned(tour: Tour, code: str, wish: Wish, *, top_up: int = 0) -> dict[str, Any]:
    """What a till sends: a code, drinks, and what it has collected for them besides."""
    items = [
        {"product_id": product_id(tour, product), "cups": cups} for product, cups in wish.items()
    ]
    return {"code": code, "items": items, "top_up": top_up}


def hand_over(
    tour: Tour, till: Till, lot: Lot, code: str, wish: Wish, *, top_ups: Wish | None = None
) -> Redeemed:
    """Hand over drinks from a lot; check what the till hears, and count it for the day."""
    due = top_ups or {}
    body, key = scanned(tour, code, wish, top_up=sum(due.values())), new_key()
    answer = till.api.send("POST", "/v1/redemptions", body, key=key)
    cups = sum(wish.values())
    tour.story.check(f"{till.store} hands over {cups}", expected=201, seen=answer.status)
    told = answer.document
    for product, wanted in wish.items():
        tour.day.hand_over(
            told["id"],
            lot,
            product,
            wanted,
            clerk=till.staff,
            at=told["redeemed_at"],
            top_up=due.get(product, 0),
        )
    expected = [
        (product, lot.offer, wanted, lot.left, due.get(product, 0))
        for product, wanted in wish.items()
    ]
    seen = [_seen(item) for item in told["items"]]
    tour.story.check("drink, offer, cups, left, paid besides", expected=expected, seen=seen)
    amount = sum(line.amount for line in tour.day.handed[told["id"]])
    return Redeemed(till, key, body, told, amount)


def _seen(item: Mapping[str, Any]) -> tuple[str, str, int, int, int]:
    [taken] = item["taken"]
    product, top_up = item["product"]["code"], item["top_up"]["amount"]
    return product, taken["offer"], taken["cups"], item["left"], top_up
