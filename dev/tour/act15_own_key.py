"""Act 15: scanners with keys of their own, and what one of them hears of its store."""

from collections.abc import Mapping
from typing import Any

from dev.tour.act3_redeem import CONFLICT, FORBIDDEN, begin_shift, check_refusal
from dev.tour.act13_several import STORE, booked_top_ups, find_invoice
from dev.tour.client import Answer, Api
from dev.tour.following import Follower
from dev.tour.own_device import OwnDevice, OwnKey
from dev.tour.party import Till
from dev.tour.scan import DEAR, LATTE, hand_over, product_id
from dev.tour.tour import Act, Tour
from examples.offline.till import Log
from examples.offline.till import Till as OfflineTill

_UNAUTHENTICATED = 401
_BEAT = "/v1/devices/current/heartbeat"
_VERSION = "2.1.0"
_BIG_SKEW_MS = 10_000
_BACK, _STAYING_NET = 50, 48


def enrol(tour: Tour) -> None:
    """Two scanners make keys, trade codes for tokens, and sign by examples/device/signer.py."""
    tour.scanners = [_enrolled(tour, f"Scanner {number} of the tour") for number in (1, 2)]
    first = tour.scanners[0]
    told = first.till.device.post(_BEAT, {"clock": first.key.now().isoformat()})
    is_right = abs(told["skew_ms"]) < _BIG_SKEW_MS
    tour.story.check("its clock is right", expected=True, seen=is_right)
    seen = (told["profile"], told["log"])
    tour.story.check("its profile, and log", expected=("scanner", None), seen=seen)


def refuse(tour: Tour) -> None:
    """What is not signed, or by another key, is refused; and a scanner takes no money."""
    first, second = tour.scanners
    refused = _UNAUTHENTICATED, "unauthenticated"
    check_refusal(tour, "unsigned", _beat(tour.api.signed_in(first.token)), *refused)
    other = OwnKey()
    other.device_id, other.ahead = first.key.device_id, first.key.ahead
    by_other = tour.api.signed_in(first.token, device_key=other)
    check_refusal(tour, "signed by another key", _beat(by_other), *refused)
    by_second = tour.api.signed_in(first.token, device_key=second.key)
    check_refusal(tour, "signed as another device", _beat(by_second), *refused)
    sale = first.till.api.send("GET", "/v1/shifts/current/total")
    check_refusal(tour, "the drawer, at a scanner", sale, FORBIDDEN, "forbidden")


def follow(tour: Tour) -> None:
    """The first one follows its store, and hears of two lattes as they are handed over."""
    first, regular = tour.scanners[0], tour.regular
    tour.follower = Follower(first.till.device.post("/v1/streams")["url"])
    tour.story.wait("the stream is open", lambda: tour.follower.is_listening or None)
    handed = hand_over(tour, first.till, regular.pack, regular.fresh_code(), {LATTE: 2})
    heard = _heard(tour, "redemption", id=handed.answer["id"])
    seen = (heard["cups"], heard["staff_id"], heard["is_offline"])
    tour.story.check("cups, by whom, offline", expected=(2, first.staff_id, False), seen=seen)
    items = [{"product_id": product_id(tour, LATTE), "cups": 2}]
    tour.story.check("which drinks", expected=items, seen=heard["items"])


def void_part(tour: Tour) -> None:
    """One of the dear drinks was spilt: B takes it back, with its NT$50, and that is heard too."""
    several, till = tour.redeemed["several"], tour.tills[STORE]
    path, regular = f"{several.path}/void", tour.regular
    too_many = till.api.send("POST", path, _undoing(tour, 3))
    check_refusal(tour, "three of the two", too_many, CONFLICT, "not-so-many-taken")
    voided = till.api.post(path, _undoing(tour, 1))
    tour.day.undo(several.answer["id"], DEAR, 1)
    tour.story.tell(f"the screen says: {voided['words']['clerk']}")
    back = voided["given_back"]
    seen = (back["cups"], back["top_up"]["amount"], voided["voided_at"])
    tour.story.check("cups, money, and when all was", expected=(1, _BACK, None), seen=seen)
    held = regular.wallet()["cups"]
    tour.story.check("cups in the wallet", expected=regular.pack.left, seen=held)
    history = regular.api.everything("/v1/wallet/history")
    explained = [sum(of) for of in zip(*map(_moved, history), strict=True)]
    expected_all = [regular.pack.left, regular.pack.net - regular.pack.recognised]
    what = "cups and net that the history explains"
    tour.story.check(what, expected=expected_all, seen=explained)
    taken_back = find_invoice(tour)["taken_back"]["amount"]
    tour.story.check("of the invoice taken back", expected=_BACK, seen=taken_back)
    booked = booked_top_ups(tour)
    tour.story.check("booked that day as top-ups", expected=_STAYING_NET, seen=booked)
    heard = _heard(tour, "void", redemption_id=several.answer["id"])
    tour.story.check("cups that were undone", expected=1, seen=heard["cups"])


def _enrolled(tour: Tour, name: str) -> OwnDevice:
    """The manager makes a scanner of B, and begins a shift at it."""
    body = {"store_id": tour.chain.stores[STORE], "name": name, "profile": "scanner"}
    made = tour.desks.of("manager").post("/v1/devices", body)
    key = OwnKey()
    about = {"public_key": key.public, "software_version": _VERSION}
    told = tour.api.post("/v1/devices/enrol", {"code": made["code"], **about})
    key.device_id = told["device_id"]
    key.set_clock(told["now"])
    device = tour.api.signed_in(told["token"], device_key=key)
    person = tour.desks.person("manager", store=STORE)
    shift = begin_shift(device, person)
    at_work = device.signed_in(shift["token"])
    tour.story.tell(f"{name}: public key {key.public}; {shift['name']}")
    return OwnDevice(
        key=key,
        token=told["token"],
        till=Till(STORE, told["device_id"], device, person["number"], at_work),
        staff_id=shift["staff_id"],
        offline=OfflineTill(
            log=Log(told["device_id"], key.private),
            store_group=tour.chain.store_groups[STORE],
            keys={},
        ),
    )


def _beat(api: Api) -> Answer:
    return api.send("POST", _BEAT, {"software_version": _VERSION})


def _undoing(tour: Tour, cups: int) -> dict[str, Any]:
    return {"items": [{"product_id": product_id(tour, DEAR), "cups": cups}], "reason": "Spilt."}


def _moved(event: Mapping[str, Any]) -> tuple[int, int]:
    return event["cups"], event["amount"]["amount"]


def _heard(tour: Tour, kind: str, **facts: object) -> Any:
    return tour.story.wait(
        f"the scanner hears of a {kind}", lambda: tour.follower.find(kind, **facts)
    )


ACT = Act("15  Keys of their own, and a stream", (enrol, refuse, follow, void_part))
