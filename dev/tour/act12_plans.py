"""Act 12: a plan is shared, changed and paused, by the clock of its member alone."""

import csv
import secrets
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

from dev.tour.act1_sign_in import join
from dev.tour.act2_buy import GOOD_CARD, new_payment_method
from dev.tour.act3_redeem import close_till, open_till
from dev.tour.expected import TAIPEI
from dev.tour.party import Shopper
from dev.tour.phone import Phone
from dev.tour.tour import PLAN, Act, Tour
from kernel import clock

_STORE = "A"
_DAYS, _HALF = 30, 15
_COLLECTED = 4
_TO_PAY, _CUPS_AFTER = 200, 11
"""For the days that are left 899 / 2 less 499 / 2; the 6 cups that are left, and 10 / 2 more."""

_A_LITTLE = timedelta(minutes=1)
_ADDED = ("new", "reactivation", "expansion", "moved")
_LOST = ("contraction", "churn")


def offer_plans(tour: Tour) -> None:
    """The admin proposes two plans of 30 days, for two to share; finance approves them."""
    for name, price, cups in (("ten", 499, 10), ("twenty", 899, 20)):
        terms = {
            "code": f"tour-{name}-{secrets.token_hex(4)}",
            "name": f"{cups} cups in 30 days 每 30 日 {cups} 杯",
            "price": price,
            "cups": cups,
            "every": {"count": _DAYS, "unit": "day"},
            "sharers": 1,
            "most_pause_days": 30,
            "cancel_refund": "prorated",
            "product_ids": [tour.chain.product_of(PLAN)],
        }
        made = tour.desks.of("admin").post("/v1/plans", terms)
        path = f"/v1/plans/{made['id']}/versions/1"
        approved = tour.desks.of("finance").post(f"{path}/approve")
        tour.story.check(f"the plan of {cups} cups is", expected="approved", seen=approved["state"])
        tour.plans[name] = made["id"]
    tour.story.tell(" ".join(approved["terms"][:2]))


def owner_subscribes(tour: Tour) -> None:
    """Somebody new takes up the smaller plan, with a card that is kept."""
    owner = join(tour, "The owner")
    items = [{"offer_id": tour.plans["ten"], "quantity": 1}]
    placed = owner.api.post("/v1/orders", {"items": items, "store_id": tour.chain.stores["W"]})
    method = new_payment_method(tour, GOOD_CARD)
    paid = {"payment_method": method, "save_card": True}
    owner.api.post(f"/v1/orders/{placed['id']}/pay", paid)
    begun = tour.story.wait(
        "the subscription begins",
        lambda: next(iter(owner.api.get("/v1/subscriptions")["items"]), None),
    )
    owner.subscription_id = begun["id"]
    tour.story.wait("the cups are in the wallet", lambda: owner.wallet()["cups"] or None)
    tour.story.check("cups in the wallet", expected=10, seen=owner.wallet()["cups"])


def share(tour: Tour) -> None:
    """The owner shows a link as a QR, and somebody else of the family joins by it."""
    owner = _owner(tour)
    path = f"/v1/subscriptions/{owner.subscription_id}/sharers"
    place = owner.api.post(path)
    svg = owner.api.send("GET", f"{path}/{place['id']}/code").content
    tour.story.check("the QR of the link is a picture", expected=True, seen=b"<svg" in svg)
    tour.story.tell(f"its link is {place['link']}")
    sharer = join(tour, "The sharer")
    joined = sharer.api.post(f"/v1/invitations/{place['token']}/join")
    tour.story.check("cups that the sharer can collect", expected=10, seen=joined["left"])


def sharer_collects(tour: Tour) -> None:
    """The sharer collects four cups of the owner's, with a code of their own phone."""
    sharer, owner = tour.shoppers[-1], _owner(tour)
    open_till(tour, _STORE)
    path = f"/v1/subscriptions/{owner.subscription_id}/credentials"
    body = {
        "code": Phone(sharer.api.post(path)).code(),
        "product_id": tour.chain.product_of(PLAN),
        "cups": _COLLECTED,
    }
    given = tour.tills[_STORE].api.post("/v1/redemptions", body)
    tour.story.check("cups left to both", expected=10 - _COLLECTED, seen=given["left"])
    tour.story.check("cups in the sharer's wallet", expected=0, seen=sharer.wallet()["cups"])
    tour.story.check("cups in the owner's", expected=given["left"], seen=owner.wallet()["cups"])
    close_till(tour, _STORE)


def half_passes(tour: Tour) -> None:
    """The admin moves the owner's clock alone by 15 days: nobody else's time passes."""
    before = clock.now()
    now = _let_pass(tour, timedelta(days=_HALF))
    tour.story.check("days that passed for the owner", expected=_HALF, seen=(now - before).days)
    tour.story.check("days that passed here", expected=0, seen=(clock.now() - before).days)


def change(tour: Tour) -> None:
    """The owner changes to the larger plan at once, and pays for the 15 days that are left."""
    owner = _owner(tour)
    path = f"/v1/subscriptions/{owner.subscription_id}/change"
    body = {"offer_id": tour.plans["twenty"], "at": "now"}
    preview = owner.api.post(f"{path}/preview", body)
    for line in preview["lines"]:
        tour.story.tell(line["why"])
    tour.story.check("it would cost", expected=_TO_PAY, seen=preview["amount"]["amount"])
    made = owner.api.put(path, body)
    seen = (made["status"], made["amount"]["amount"])
    tour.story.check("it is made, for", expected=("applied", _TO_PAY), seen=seen)
    tour.story.check("cups in the wallet", expected=_CUPS_AFTER, seen=owner.wallet()["cups"])


def pause(tour: Tour) -> None:
    """The owner pauses for ten days after this period, and the plan goes on by itself."""
    owner = _owner(tour)
    ends_at = datetime.fromisoformat(owner.subscription()["current_period"]["ends_at"])
    until = ends_at.astimezone(TAIPEI).date() + timedelta(days=10)
    owner.api.put(f"/v1/subscriptions/{owner.subscription_id}/pause", {"until": f"{until}"})
    _go_to(tour, ends_at + _A_LITTLE)
    tour.story.check("at the period's end it is", expected="paused", seen=_status(owner))
    tour.story.check("cups in the wallet", expected=0, seen=owner.wallet()["cups"])
    _go_to(tour, ends_at + timedelta(days=10) + _A_LITTLE)
    resumed = owner.subscription()
    tour.story.check("ten days later it is", expected="active", seen=resumed["status"])
    begins_at = datetime.fromisoformat(resumed["current_period"]["starts_at"])
    began_on = begins_at.astimezone(TAIPEI).date()
    tour.story.check("its next period began on", expected=f"{until}", seen=f"{began_on}")
    tour.story.check("cups in the wallet", expected=20, seen=owner.wallet()["cups"])


def end_plan(tour: Tour) -> None:
    """The owner ends it at once, and gets back all of the period that has just begun."""
    owner = _owner(tour)
    path = f"/v1/subscriptions/{owner.subscription_id}"
    ended = owner.api.post(f"{path}/cancel", {"at": "now", "reason": "moved"})
    tour.story.check("it is", expected="cancelled", seen=ended["status"])
    tour.story.check("cups in the wallet", expected=0, seen=owner.wallet()["cups"])
    causes = [event["cause"] for event in reversed(owner.api.everything(f"{path}/history"))]
    tour.story.tell("its history: " + ", ".join(causes))
    shared = tour.shoppers[-1].api.get("/v1/shared-plans")["items"]
    tour.story.check("what the sharer shares now", expected=[], seen=shared)


def read_statistics(tour: Tour) -> None:
    """Finance reads the renewal rate, and what moved the revenue, as a file: it adds up."""
    finance = tour.desks.of("finance")
    span = {"from": tour.first_month, "to": tour.months()[-1], "by": "plan"}
    renewals = finance.get("/v1/stats/renewals", **span, plan=PLAN)
    for row in renewals["rows"]:
        rate = row["renewal_rate"] or "not known yet"
        tour.story.tell(f"{row['month']}: {row['due']} due, {row['renewed']} renewed, rate {rate}")
    sent = finance.send("GET", "/v1/stats/revenue", query={**span, "format": "csv"})
    lines = list(csv.DictReader(StringIO(sent.content.decode("utf-8-sig"), newline="")))
    tour.story.check("there are rows of revenue", expected=True, seen=bool(lines))
    odd = [line for line in lines if _closing(line) != int(line["closing"])]
    tour.story.check("rows of revenue that do not add up", expected=[], seen=odd)
    for line in lines[-3:]:
        moves = ", ".join(f"{name} {line[name]}" for name in (*_ADDED, *_LOST))
        tour.story.tell(f"{line['month']} {line['plan']}: {line['opening']} + {moves}")


def _closing(line: dict[str, str]) -> int:
    added, lost = (sum(int(line[name]) for name in names) for names in (_ADDED, _LOST))
    return int(line["opening"]) + added - lost


def _owner(tour: Tour) -> Shopper:
    return next(one for one in tour.shoppers if one.name == "The owner")


def _status(shopper: Shopper) -> str:
    return str(shopper.subscription()["status"])


def _let_pass(tour: Tour, by: timedelta) -> datetime:
    """Move the owner's clock, and wait until all that is due by it is done; answer its time."""
    admin = tour.desks.of("admin")
    path = f"/v1/sandbox/members/{_owner(tour).member_id}/clock"
    admin.post(f"{path}/advance", {"seconds": round(by / timedelta(seconds=1))})

    def arrived() -> Any:
        seen = admin.get(path)
        return None if seen["is_moving"] else seen

    seen = tour.story.wait("the owner's clock is there", arrived)
    return datetime.fromisoformat(seen["now"])


def _go_to(tour: Tour, at: datetime) -> None:
    path = f"/v1/sandbox/members/{_owner(tour).member_id}/clock"
    now = datetime.fromisoformat(tour.desks.of("admin").get(path)["now"])
    _let_pass(tour, at - now)


ACT = Act(
    "12  A plan for two, by a clock of its own",
    (
        offer_plans,
        owner_subscribes,
        share,
        sharer_collects,
        half_passes,
        change,
        pause,
        end_plan,
        read_statistics,
    ),
)
