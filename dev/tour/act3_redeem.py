"""Act 3: cups become drinks, at three stores."""

from collections.abc import Callable, Mapping
from io import StringIO
from typing import Any

import segno
from rich.text import Text

from dev.device_key import DeviceKey
from dev.tour.client import Answer, Api, new_key
from dev.tour.expected import Lot
from dev.tour.party import Redeemed, Shopper, Till
from dev.tour.tour import PACK, Act, Tour

_STORES = ("A", "B", "C")
_PNG = b"\x89PNG\r\n\x1a\n"
_SIDE = 8 * (29 + 2 * 4)
"""Pixels: QR version 3 has 29 modules and a margin of 4, at 8 pixels each."""

FORBIDDEN, CONFLICT = 403, 409


def show_qr(tour: Tour) -> None:
    """Alice shows her QR."""
    api = tour.alice.api
    code = api.send("GET", "/v1/wallet/code", query={"format": "text"}).content.decode()
    tour.story.show(_drawn(code))
    tour.story.tell(f"its text is {code}")
    png = api.send("GET", "/v1/wallet/code", query={"format": "png"}).content
    size = tuple(int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    tour.story.check("the PNG is one", expected=True, seen=png.startswith(_PNG))
    tour.story.check("its pixels", expected=(_SIDE, _SIDE), seen=size)
    svg = api.send("GET", "/v1/wallet/code", query={"format": "svg"})
    is_svg = b"<svg" in svg.content and svg.headers["Content-Type"] == "image/svg+xml"
    tour.story.check("the SVG is one", expected=True, seen=is_svg)


def open_tills(tour: Tour) -> None:
    """The manager enrols a device in each store, which signs by its own key; shifts begin."""
    for store in _STORES:
        open_till(tour, store)


def redeem_pack(tour: Tour) -> None:
    """Alice collects cups of the pack: 3 at A, 2 at B, 1 at C."""
    for store, cups in (("A", 3), ("B", 2), ("C", 1)):
        tour.redeemed[store] = redeem(tour, tour.alice, tour.alice.pack, store=store, cups=cups)


def redeem_plan(tour: Tour) -> None:
    """Alice collects cups of the plan, which W sold: 4 at A, 3 at B."""
    for store, cups in (("A", 4), ("B", 3)):
        redeem(tour, tour.alice, tour.alice.plan, store=store, cups=cups)


def retry(tour: Tour) -> None:
    """The network hiccups at A, and the till asks once more with the same key."""
    _ask_once_more(tour, tour.redeemed["A"])


def void(tour: Tour) -> None:
    """One cup too many at C: it is voided, once."""
    lot = tour.alice.pack
    one = redeem(tour, tour.alice, lot, store="C", cups=1)
    voided = one.till.api.post(f"{one.path}/void")
    tour.books.void(lot, 1, one.amount, made_at="C", at=one.answer["redeemed_at"])
    tour.story.check("it is voided", expected=True, seen=voided["voided_at"] is not None)
    given_back = tour.alice.happened("void")[0]
    tour.story.check("money back", expected=one.amount, seen=given_back["amount"]["amount"])
    tour.story.check("cups in the wallet", expected=lot.left, seen=tour.alice.cups(PACK))
    again = one.till.api.send("POST", f"{one.path}/void")
    check_refusal(tour, "a second void", again, CONFLICT, "already-voided")
    _ask_once_more(tour, one)


def refuse(tour: Tour) -> None:
    """What may not be is refused."""
    alice, lot, at_a = tour.alice, tour.alice.pack, tour.tills["A"]
    too_many = {"cups": lot.left + 1, "product_id": tour.chain.product_of(PACK)}
    answer = at_a.api.send("POST", "/v1/redemptions", {"code": alice.fresh_code(), **too_many})
    check_refusal(tour, f"{lot.left + 1} cups", answer, CONFLICT, "insufficient-cups")
    numbers = {name: answer.document[name] for name in ("held", "wanted")}
    tour.story.check("it says", expected={"held": lot.left, "wanted": lot.left + 1}, seen=numbers)

    last = redeem(tour, tour.alice, lot, store="A", cups=1)
    answer = at_a.api.send("POST", "/v1/redemptions", last.body)
    check_refusal(tour, "the same code under a new key", answer, CONFLICT, "token-used")

    answer = tour.tills["B"].api.send("POST", f"{last.path}/void")
    check_refusal(tour, "B voids what A handed over", answer, FORBIDDEN, "store-scope")
    last.till.api.post(f"{last.path}/void")
    tour.books.void(lot, 1, last.amount, made_at="A", at=last.answer["redeemed_at"])
    tour.story.check("A itself voids it; cups left", expected=lot.left, seen=alice.cups(PACK))


def open_till(tour: Tour, store: str) -> None:
    """Enrol a device in a store, and let its clerk begin a shift at it."""
    body = {"store_id": tour.chain.stores[store], "name": f"Till {store} of the tour"}
    made = tour.desks.of("manager").post("/v1/devices", body)
    key = DeviceKey()
    about = {"public_key": key.public_text, "software_version": "1.0"}
    enrolled = tour.api.post("/v1/devices/enrol", {"code": made["code"], **about})
    key.device_id = enrolled["device_id"]
    device = tour.api.signed_in(enrolled["token"], device_key=key)
    clerk = tour.desks.person("clerk", store=store)
    shift = begin_shift(device, clerk)
    at_work = device.signed_in(shift["token"])
    tour.tills[store] = Till(store, made["id"], device, clerk["number"], at_work)
    tour.story.tell(f"store {store}: enrolled by the code {made['code']}; {shift['name']}")


def begin_shift(device: Api, person: Mapping[str, Any]) -> Any:
    """Sign somebody of the staff in at a device, by number and PIN."""
    return device.post("/v1/shifts", {"staff_number": person["number"], "pin": person["pin"]})


def close_till(tour: Tour, store: str) -> None:
    """Revoke a device; its shift ends with it."""
    till = tour.tills.pop(store)
    tour.desks.of("manager").post(f"/v1/devices/{till.device_id}/revoke")
    answer = till.api.send("GET", "/v1/shifts/current/total")
    what = f"the revoked till of {store} gets"
    tour.story.check(what, expected="unauthenticated", seen=reason_of(answer))


def redeem(tour: Tour, shopper: Shopper, lot: Lot, *, store: str, cups: int) -> Redeemed:
    """Hand over cups at a store, and check what the till and the wallet say."""
    till, body, key = tour.tills[store], wanted(tour, shopper, lot, cups=cups), new_key()
    answer = till.api.send("POST", "/v1/redemptions", body, key=key)
    tour.story.check(f"{store} hands over {cups}", expected=201, seen=answer.status)
    amount = tour.books.redeem(lot, cups, made_at=store, at=answer.document["redeemed_at"])
    taken = [(one["offer"], one["cups"]) for one in answer.document["taken"]]
    tour.story.check("taken from", expected=[(lot.offer, cups)], seen=taken)
    tour.story.check("left", expected=lot.left, seen=answer.document["left"])
    moved = shopper.happened("redemption")[0]["amount"]["amount"]
    tour.story.check("they carry", expected=amount, seen=-moved)
    return Redeemed(till, key, body, answer.document, amount)


def wanted(tour: Tour, shopper: Shopper, lot: Lot, *, cups: int) -> dict[str, Any]:
    """What a till asks for, with a code that the shopper's phone has just made."""
    product_id = tour.chain.product_of(lot.offer)
    return {"code": shopper.fresh_code(), "product_id": product_id, "cups": cups}


def _ask_once_more(tour: Tour, before: Redeemed) -> None:
    cups = tour.alice.cups(PACK)
    again = before.till.api.send("POST", "/v1/redemptions", before.body, key=before.key)
    tour.story.check("a retry is told to be one", expected=True, seen=again.is_replayed)
    is_same = again.document == before.answer
    tour.story.check("it gets the same answer", expected=True, seen=is_same)
    tour.story.check("cups in the wallet, as before", expected=cups, seen=tour.alice.cups(PACK))


def check_refusal(tour: Tour, what: str, answer: Answer, status: int, reason: str) -> None:
    """Check that it is refused for this reason, with a sentence for people."""
    tour.story.check(what, expected=(status, reason), seen=(answer.status, reason_of(answer)))
    tour.story.tell(f"it says: {answer.document['detail']}")


def reason_of(answer: Answer) -> Any:
    return answer.document["reason"] if answer.is_refusal else "no refusal"


def _drawn(code: str) -> Text:
    """The QR in half blocks, with colours of its own on a terminal."""
    drawn = StringIO()
    segno.make(code, error="m", micro=False).terminal(out=drawn, compact=True)
    return Text(drawn.getvalue(), style="white on black")


_STEPS: tuple[Callable[[Tour], None], ...] = (
    show_qr,
    open_tills,
    redeem_pack,
    redeem_plan,
    retry,
    void,
    refuse,
)
ACT = Act("3  Cups become drinks", _STEPS)
