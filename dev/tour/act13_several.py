"""Act 13: a noon at B, with a code read aloud, several drinks in one scan, and an approval."""

import secrets
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from dev.tour.act1_sign_in import join
from dev.tour.act3_redeem import CONFLICT, check_refusal, open_till
from dev.tour.client import Answer
from dev.tour.expected import TAIPEI
from dev.tour.reading import read
from dev.tour.scan import DEAR, LATTE, hand_over, product_id, scanned
from dev.tour.store_day import StoreDay
from dev.tour.tour import Act, Tour
from kernel import clock

STORE = "B"

_PRICE, _CUPS, _COVERS, _DEAR_COSTS = 1_200, 22, 60, 110
_TWO_OF_EACH = {LATTE: 2, DEAR: 2}
_DUE = 2 * (_DEAR_COSTS - _COVERS)
_DUE_NET = 95
"""Without VAT of 5 %, half up."""

_TOP_UPS = "4115"
_SIGNS = frozenset("23456789ABCDEFGHJKMNPQRSTVWXYZ")
_SPOKEN = 8
_MANY, _FREE = 5, 4
_ONLY_REAL = frozenset({"id", "redeemed_at"})


def begin_day(tour: Tour) -> None:
    """The next noon comes: B has handed over nothing on that day yet. Tills open at A and B."""
    today = clock.now().astimezone(TAIPEI).date()
    noon = datetime.combine(today + timedelta(days=1), time(12), TAIPEI)
    tour.move_clock(to=noon)
    before = read(tour.desks.of("finance"), [f"{noon:%Y-%m}"])
    tour.day = StoreDay(STORE, noon.date(), before)
    for store in ("A", STORE):
        open_till(tour, store)
    told = tour.tills[STORE].api.get("/v1/day-sheets/current")
    seen = (told["on"], told["cups"])
    tour.story.check("B's day, and its cups", expected=(f"{noon.date()}", 0), seen=seen)


def sell(tour: Tour) -> None:
    """A sells a regular 22 cups for cash, good for dearer drinks too, for the difference."""
    offer = _agree_on_offer(tour)
    regular = tour.regular = join(tour, "The regular")
    items = [{"offer_id": offer["id"], "quantity": 1}]
    body = {"items": items, "member": {"phone": regular.phone}, "method": "cash"}
    order = tour.tills["A"].api.post("/v1/counter-orders", body)["order"]
    seen = (order["status"], order["total"]["amount"])
    tour.story.check("the order", expected=("fulfilled", _PRICE), seen=seen)
    held = regular.newest_lot(offer["code"])
    regular.pack = tour.day.books.sell(
        offer=offer["code"], store="A", price=_PRICE, cups=_CUPS, at=held["sold_at"]
    )
    tour.story.check("cups in the wallet", expected=_CUPS, seen=held["left"])
    ended = tour.desks.of("finance").post(f"/v1/packs/{offer['id']}/versions/1/end-sale", {})
    tour.story.check("its sale, which was for show, is", expected="ended", seen=ended["state"])


def read_aloud(tour: Tour) -> None:
    """The camera is broken: the regular reads a code aloud, and gets a latte for it, once."""
    code, till = tour.regular.api.post("/v1/wallet/codes")["code"], tour.tills[STORE]
    is_one = len(code) == _SPOKEN and set(code) <= _SIGNS
    tour.story.check(f"{code} has eight signs that nobody mistakes", expected=True, seen=is_one)
    typed = f"{code[:4]}-{code[4:]}".lower()
    tour.story.tell(f"the clerk types {typed}")
    hand_over(tour, till, tour.regular.pack, typed, {LATTE: 1})
    again = till.api.send("POST", "/v1/redemptions", scanned(tour, code, {LATTE: 1}))
    check_refusal(tour, "the same code once more", again, CONFLICT, "token-used")
    tour.day.refused["token-used"] += 1


def scan_several(tour: Tour) -> None:
    """Two lattes and two dearer drinks in one scan: the till asks first, then collects NT$100."""
    regular, till = tour.regular, tour.tills[STORE]
    code, cups = regular.fresh_code(), regular.wallet()["cups"]
    body = scanned(tour, code, _TWO_OF_EACH)
    dry = till.api.send("POST", "/v1/validations", body)
    real = till.api.send("POST", "/v1/redemptions", body)
    check_refusal(tour, "with nothing paid besides", real, CONFLICT, "top-up-due")
    tour.day.refused["top-up-due"] += 1
    facts = {name: real.document[name] for name in ("due", "collected")}
    tour.story.check("it says", expected={"due": _DUE, "collected": 0}, seen=facts)
    _check_same(tour, dry, real.document)

    paid = scanned(tour, code, _TWO_OF_EACH, top_up=_DUE)
    chinese = till.api.send("POST", "/v1/validations", paid, language="zh-TW")
    tour.story.tell(f"the screen would say: {chinese.document['words']['clerk']}")
    dry = till.api.send("POST", "/v1/validations", paid)
    tour.story.tell(f"or: {dry.document['words']['clerk']}")
    tour.story.check("cups in the wallet, as before", expected=cups, seen=regular.wallet()["cups"])
    handed = hand_over(tour, till, regular.pack, code, _TWO_OF_EACH, top_ups={DEAR: _DUE})
    _check_same(tour, dry, handed.answer)
    tour.redeemed["several"] = handed


def read_top_up(tour: Tour) -> None:
    """What was paid besides is B's: in its books without VAT, and on an invoice with it."""
    tour.story.check("booked that day as top-ups", expected=_DUE_NET, seen=booked_top_ups(tour))
    invoice = tour.story.wait("a job gives an invoice its number", lambda: find_invoice(tour))
    seen = (invoice["source"], invoice["gross"]["amount"], invoice["net"]["amount"])
    expected = ("top_up", _DUE, _DUE_NET)
    tour.story.check(f"invoice {invoice['number']}", expected=expected, seen=seen)


def approve(tour: Tour) -> None:
    """Five lattes at once want the member's approval, which the app gives."""
    regular, till = tour.regular, tour.tills[STORE]
    code = regular.fresh_code()
    refused = till.api.send("POST", "/v1/redemptions", scanned(tour, code, {LATTE: _MANY}))
    check_refusal(tour, "five lattes", refused, CONFLICT, "approval-needed")
    tour.day.refused["approval-needed"] += 1
    facts = {name: refused.document[name] for name in ("wanted", "free")}
    tour.story.check("it says", expected={"wanted": _MANY, "free": _FREE}, seen=facts)
    path = f"/v1/wallet/credentials/{regular.app.credential_id}/approve"
    approved = regular.api.post(path, {"cups": _MANY})["approved_cups"]
    tour.story.check("cups at a time that this phone may", expected=_MANY, seen=approved)
    tour.redeemed["approved"] = hand_over(tour, till, regular.pack, code, {LATTE: _MANY})


def booked_top_ups(tour: Tour) -> int:
    """What B's book says of the day's top-ups, without VAT."""
    on = f"{tour.day.on}"
    rows = tour.desks.of("finance").get(
        "/v1/entries",
        **{"from": on, "to": on},
        store_id=tour.chain.stores[STORE],
        account=_TOP_UPS,
    )["rows"]
    return sum(row["amount"] if row["credit"] == _TOP_UPS else -row["amount"] for row in rows)


def find_invoice(tour: Tour) -> Any:
    """The invoice of what was paid besides, once it has a number."""
    source_id, store_id = tour.redeemed["several"].answer["id"], tour.chain.stores[STORE]
    invoices = tour.desks.of("finance").everything("/v1/invoices", store_id=store_id)
    theirs = (one for one in invoices if one["source_id"] == source_id and one["number"])
    return next(theirs, None)


def _agree_on_offer(tour: Tour) -> Any:
    """The admin proposes a pack, and finance approves it."""
    terms = {
        "code": f"tour-any-{secrets.token_hex(6)}",
        "name": "Any drink, 22 times 任選 22 杯",
        "price": _PRICE,
        "cups": _CUPS,
        "bonus_cups": 2,
        "list_price": _COVERS,
        "covers_up_to": _COVERS,
        "allows_top_up": True,
        "expiry_mode": "never",
        "product_ids": [product_id(tour, product) for product in (LATTE, DEAR)],
    }
    made = tour.desks.of("admin").post("/v1/packs", terms)
    approved = tour.desks.of("finance").post(f"/v1/packs/{made['id']}/versions/1/approve")
    tour.story.check("the offer is", expected="approved", seen=approved["state"])
    return {"id": made["id"], "code": terms["code"]}


def _check_same(tour: Tour, dry: Answer, real: Mapping[str, Any]) -> None:
    """Check that the dry run had said what the scan itself says, but for its id and time."""
    said, says = (
        {name: one[name] for name in one.keys() - _ONLY_REAL} for one in (dry.document, real)
    )
    tour.story.check("the dry run had said the same", expected=True, seen=said == says)


ACT = Act(
    "13  A noon at store B",
    (begin_day, sell, read_aloud, scan_several, read_top_up, approve),
)
