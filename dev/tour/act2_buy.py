"""Act 2: money becomes cups."""

from collections.abc import Mapping
from typing import Any

from dev.tour.expected import Lot
from dev.tour.party import Shopper
from dev.tour.tour import PACK, PLAN, Act, Tour
from kernel import clock

GOOD_CARD = "4242424242424242"
_HUNDREDTHS = 100


def buy_pack(tour: Tour) -> None:
    """Alice buys the pack at store A: 10 cups and one more, for NT$500."""
    alice = tour.alice
    alice.pack = buy(tour, alice, PACK, store="A", save_card=False)
    shares = ", ".join(map(str, alice.pack.shares()))
    tour.story.tell(f"cup by cup its net {alice.pack.net} is {shares}")


def buy_plan(tour: Tour) -> None:
    """Alice buys the plan in the online store W: 10 cups a month, for NT$499."""
    subscribe(tour, tour.alice)


def subscribe(tour: Tour, shopper: Shopper) -> None:
    """Buy the plan, with a good card that is kept for renewals."""
    shopper.plan = buy(tour, shopper, PLAN, store="W", save_card=True)
    begun = tour.story.wait(
        "the subscription begins",
        lambda: next(iter(shopper.api.get("/v1/subscriptions")["items"]), None),
    )
    shopper.subscription_id = begun["id"]
    tour.story.check("the subscription is", expected="active", seen=begun["status"])
    tour.story.check("its card ends in", expected=GOOD_CARD[-4:], seen=begun["card"]["last4"])
    tour.story.tell(f"its first period ends at {begun['current_period']['ends_at']}")


def new_payment_method(tour: Tour, number: str) -> str:
    """Type a card into the app, which gives it to the provider: the chain never sees it."""
    card = {"number": number, "exp_month": 12, "exp_year": clock.now().year + 3, "cvc": "123"}
    form = {f"card[{name}]": str(value) for name, value in card.items()}
    return str(tour.checkout.post("/v1/payment_methods", type="card", **form)["id"])


def charges_of(tour: Tour, shopper: Shopper) -> list[Mapping[str, Any]]:
    """Every attempt to take money from a shopper that the provider knows of, the newest first."""
    charges = tour.merchant.get("/v1/charges", customer=shopper.customer, limit=100)
    found: list[Mapping[str, Any]] = charges["data"]
    return found


def buy(tour: Tour, shopper: Shopper, offer: str, *, store: str, save_card: bool) -> Lot:
    """Order, pay, and wait for the cups; what happened is looked up at every hop."""
    terms = tour.chain.offers[offer]
    order = _order(tour, shopper, offer, store)
    payment = _pay(tour, shopper, order, save_card=save_card)
    shopper.intents[offer] = _look_at_the_provider(tour, shopper, payment)
    _await_fulfilment(tour, shopper, order)
    held = tour.story.wait("the cups are in the wallet", lambda: shopper.newest_lot(offer))
    tour.story.check("cups in the lot", expected=terms["cups"], seen=held["left"])
    lot = tour.books.sell(
        offer=offer,
        store=store,
        price=terms["price"]["amount"],
        cups=terms["cups"],
        at=held["sold_at"],
    )
    sale = shopper.happened("sale")[0]
    tour.story.check(
        "the books owe for them, net of VAT", expected=lot.net, seen=sale["amount"]["amount"]
    )
    return lot


def _order(tour: Tour, shopper: Shopper, offer: str, store: str) -> Any:
    terms = tour.chain.offers[offer]
    items = [{"offer_id": terms["id"], "quantity": 1}]
    order = shopper.api.post("/v1/orders", {"items": items, "store_id": tour.chain.stores[store]})
    price, net = terms["price"]["amount"], order["items"][0]["net"]["amount"]
    tour.story.check("the order's total", expected=price, seen=order["total"]["amount"])
    tour.story.tell(f"of which net {net}, VAT {price - net}")
    return order


def _pay(tour: Tour, shopper: Shopper, order: Any, *, save_card: bool) -> Any:
    method = new_payment_method(tour, GOOD_CARD)
    tour.story.tell(f"the app gives the card to the provider and gets {method}")
    body = {"payment_method": method, "save_card": save_card}
    payment = shopper.api.post(f"/v1/orders/{order['id']}/pay", body)
    tour.story.check("the payment", expected="succeeded", seen=payment["status"])
    return payment


def _look_at_the_provider(tour: Tour, shopper: Shopper, payment: Any) -> str:
    """Find the payment at the provider, and the event that tells of it; answer its name there."""
    recent = tour.merchant.get("/v1/payment_intents", limit=20)["data"]
    intent = next(one for one in recent if one["metadata"].get("payment_id") == payment["id"])
    shopper.customer = intent["customer"]
    charged = [one for one in charges_of(tour, shopper) if one["payment_intent"] == intent["id"]]
    tour.story.check(
        "the provider charged, in hundredths",
        expected=[payment["amount"]["amount"] * _HUNDREDTHS],
        seen=[one["amount"] for one in charged if one["paid"]],
    )

    def delivered() -> Any:
        events = tour.merchant.get("/v1/events", type="payment_intent.succeeded", limit=20)["data"]
        ours = (one for one in events if one["data"]["object"]["id"] == intent["id"])
        return next((one for one in ours if one["pending_webhooks"] == 0), None)

    event = tour.story.wait("the provider's signed webhook is in the inbox", delivered)
    tour.story.tell(f"it says {event['type']}, and a job reads it ({event['id']})")
    return str(intent["id"])


def _await_fulfilment(tour: Tour, shopper: Shopper, order: Any) -> None:
    def fulfilled() -> Any:
        seen = shopper.api.get(f"/v1/orders/{order['id']}")
        return seen if seen["status"] == "fulfilled" else None

    tour.story.wait("a job fulfils the order", fulfilled)


ACT = Act("2  Money becomes cups", (buy_pack, buy_plan))
