"""Act 6: what is sold must be lawful, and two people must want it."""

import secrets
from typing import Any

from dev.tour.act3_redeem import CONFLICT, check_refusal
from dev.tour.tour import PACK, Act, Tour

_NOT_FOUND, _UNPROCESSABLE = 404, 422
_THIRTY_DAYS = {"count": 30, "unit": "day"}


def refuse_unlawful(tour: Tour) -> None:
    """The admin proposes a pack whose paid cups lapse: Taiwan's law does not allow that."""
    terms = {**_terms(tour), "expiry_mode": "lapse", "expires_after": _THIRTY_DAYS}
    answer = tour.desks.of("admin").send("POST", "/v1/packs", terms)
    check_refusal(tour, "such a pack", answer, _UNPROCESSABLE, "unlawful-offer")
    broken = answer.document["breaches"]
    tour.story.check("the rules it breaks", expected=["paid-cups-lapse"], seen=broken)


def propose(tour: Tour) -> None:
    """The admin proposes it without an end: nobody can buy it yet, nor does the admin approve."""
    admin = tour.desks.of("admin")
    made = admin.post("/v1/packs", {**_terms(tour), "expiry_mode": "never"})
    tour.proposed = made
    tour.story.check("it is", expected="proposed", seen=made["state"])
    tour.story.check("it is listed", expected=False, seen=_is_listed(tour))
    order = {"items": [{"offer_id": made["id"], "quantity": 1}], "store_id": _store(tour)}
    refused = tour.alice.api.send("POST", "/v1/orders", order)
    check_refusal(tour, "Alice's order of it", refused, CONFLICT, "not-on-sale")
    refused = admin.send("POST", f"{_path(tour)}/approve")
    check_refusal(tour, "approving one's own proposal", refused, CONFLICT, "two-people")


def approve(tour: Tour) -> None:
    """Finance approves it, and it is on sale; then its sale is ended, since it was for show."""
    finance = tour.desks.of("finance")
    approved = finance.post(f"{_path(tour)}/approve")
    tour.story.check("it is", expected="approved", seen=approved["state"])
    tour.story.check("it is listed", expected=True, seen=_is_listed(tour))
    order = {"items": [{"offer_id": approved["id"], "quantity": 1}], "store_id": _store(tour)}
    placed = tour.alice.api.post("/v1/orders", order)
    tour.story.check("Alice's order of it", expected=300, seen=placed["total"]["amount"])
    ended = finance.post(f"{_path(tour)}/end-sale", {})
    tour.story.check("it is", expected="ended", seen=ended["state"])
    tour.story.check("it is listed", expected=False, seen=_is_listed(tour))


def _terms(tour: Tour) -> dict[str, Any]:
    return {
        "code": f"tour-{secrets.token_hex(6)}",
        "name": "Six cups for five 買五送一",
        "price": 300,
        "list_price": 60,
        "cups": 6,
        "bonus_cups": 1,
        "product_ids": [tour.chain.product_of(PACK)],
    }


def _path(tour: Tour) -> str:
    return f"/v1/packs/{tour.proposed['id']}/versions/1"


def _store(tour: Tour) -> str:
    return tour.chain.stores["A"]


def _is_listed(tour: Tour) -> bool:
    return any(one["id"] == tour.proposed["id"] for one in tour.api.everything("/v1/packs"))


ACT = Act("6  Two people agree on an offer", (refuse_unlawful, propose, approve))
