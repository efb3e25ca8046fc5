"""Act 14: somebody without an app has a card, which is good for little at a time."""

from datetime import datetime
from typing import Any

from dev.tour.act1_sign_in import answer_challenge
from dev.tour.act3_redeem import CONFLICT, check_refusal
from dev.tour.act13_several import STORE
from dev.tour.expected import TAIPEI
from dev.tour.party import CardHolder, new_phone_number
from dev.tour.scan import LATTE, hand_over, scanned
from dev.tour.tour import PACK, Act, Tour
from kernel import clock

_AT_ONCE, _A_DAY = 2, 4
_DRAWN = "data:image/svg+xml;base64,"


def make_card(tour: Tour) -> None:
    """Somebody reads the clerk a code that came to their telephone, and gets a printed card."""
    api = tour.tills[STORE].api
    answer = answer_challenge(tour, api, "/v1/wallet-cards/challenges", new_phone_number())
    made = api.post("/v1/wallet-cards", answer)
    tour.story.tell(f"the till prints {made['code']}")
    is_drawn = made["picture"].startswith(_DRAWN)
    tour.story.check("it has the picture", expected=True, seen=is_drawn)
    issued_at, ends_at = (datetime.fromisoformat(made[name]) for name in ("issued_at", "ends_at"))
    tour.story.check("days that it is good", expected=365, seen=(ends_at - issued_at).days)
    tour.card_holder = CardHolder(made["code"])


def sell(tour: Tour) -> None:
    """B sells a pack, for cash, to whoever shows the card: these cups are sold and made at B."""
    holder, terms = tour.card_holder, tour.chain.offers[PACK]
    body = {
        "items": [{"offer_id": terms["id"], "quantity": 1}],
        "member": {"code": holder.card},
        "method": "cash",
    }
    order = tour.tills[STORE].api.post("/v1/counter-orders", body)["order"]
    price = terms["price"]["amount"]
    seen = (order["status"], order["total"]["amount"])
    tour.story.check("the order", expected=("fulfilled", price), seen=seen)
    holder.pack = tour.day.books.sell(
        offer=PACK, store=STORE, price=price, cups=terms["cups"], at=clock.now().isoformat()
    )


def collect(tour: Tour) -> None:
    """A card gives two cups at a time, and four a day: who finds one finds little."""
    holder, till = tour.card_holder, tour.tills[STORE]
    facts = _refused(tour, _AT_ONCE + 1)
    tour.story.check("it says", expected=("card_per_scan", _AT_ONCE, None), seen=facts)
    for _ in range(_A_DAY // _AT_ONCE):
        hand_over(tour, till, holder.pack, holder.card, {LATTE: _AT_ONCE})
    limit, allowed, next_at = _refused(tour, 1)
    tour.story.check("it says", expected=("card_per_day", 0), seen=(limit, allowed))
    tour.story.tell(f"the next is to be had at {next_at}")
    next_on = datetime.fromisoformat(next_at).astimezone(TAIPEI).date()
    days = (next_on - tour.day.on).days
    tour.story.check("which is so many days later", expected=1, seen=days)


def _refused(tour: Tour, cups: int) -> tuple[Any, ...]:
    """Ask for more than the card gives; answer the limit, what it allows, and when there is more.

    The dry run must say the same, and is not counted.
    """
    api, body = tour.tills[STORE].api, scanned(tour, tour.card_holder.card, {LATTE: cups})
    dry, real = (api.send("POST", f"/v1/{path}", body) for path in ("validations", "redemptions"))
    check_refusal(tour, f"{cups} by the card", real, CONFLICT, "limit-reached")
    tour.story.check("a dry run says the same", expected=dry.document, seen=real.document)
    tour.day.refused["limit-reached"] += 1
    return tuple(real.document[name] for name in ("limit", "allowed", "next_at"))


ACT = Act("14  A card for whoever has no app", (make_card, sell, collect))
