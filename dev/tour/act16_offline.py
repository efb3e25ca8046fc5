"""Act 16: the network is gone, and cups are served all the same, by examples/offline/till.py."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from dev.tour.act3_redeem import CONFLICT, check_refusal, reason_of
from dev.tour.act13_several import STORE
from dev.tour.client import Api
from dev.tour.own_device import OwnDevice
from dev.tour.party import Shopper
from dev.tour.scan import LATTE, product_id, scanned
from dev.tour.store_day import Offline
from dev.tour.tour import Act, Tour
from examples.offline.till import NoCups
from examples.qr.phone import unpadded

_CUPS = 2
_BATCH = "/v1/redemptions/batch"
_BEAT = "/v1/devices/current/heartbeat"
_REMEDIES = {1: "borne", 2: "dismissed"}

Line = Mapping[str, str]


def prepare(tour: Tour) -> None:
    """While there is a network, scanners fetch the chain's keys, and phones a capsule each."""
    keys = {
        key["id"]: unpadded(key["public_key"]) for key in tour.api.get("/v1/capsule-keys")["items"]
    }
    for scanner in tour.scanners:
        scanner.offline.keys = keys
        serials = scanner.till.device.get("/v1/capsules/revoked")["serials"]
        scanner.offline.revoked = {bytes.fromhex(serial) for serial in serials}
    for shopper, cups in ((tour.regular, _CUPS), (tour.alice, 1)):
        app = shopper.open_app()
        wish = {"credential_id": app.credential_id, "store_id": tour.chain.stores[STORE]}
        shopper.capsule = shopper.api.post("/v1/wallet/capsules", {**wish, "cups": cups})
        what = f"{shopper.name}'s capsule is for"
        tour.story.check(what, expected=cups, seen=shopper.capsule["cups"])
        again = shopper.api.post("/v1/wallet/capsules", {**wish, "cups": cups})
        is_same = again == shopper.capsule
        tour.story.check("there is but one at a time", expected=True, seen=is_same)


def serve(tour: Tour) -> None:
    """Without it, one scanner serves two shoppers; the other one cannot know, and serves again."""
    first, second = tour.scanners
    _serve(tour, first, tour.regular, _CUPS)
    _serve(tour, first, tour.alice, 1)
    served_at = first.key.now()
    with suppress(NoCups):
        _serve(tour, first, tour.regular, _CUPS)
    items = len(first.offline.log.lines)
    tour.story.check("served, and not the regular again", expected=2, seen=items)
    is_later = partial(_is_after, second, served_at)  # by its own clock: that decides who was first
    tour.story.wait("the regular walks over to the other one", is_later)
    _serve(tour, second, tour.regular, _CUPS)
    log = first.offline.log
    tour.story.tell(f"the first log ends with item {log.number}, {log.last_hash}")


def upload(tour: Tour) -> None:
    """It is back, and goes in the midst of the upload. All is sent once more, and counts once."""
    first, held = tour.scanners[0], tour.regular.wallet()["cups"]
    one, two = first.offline.log.lines
    [sent] = _upload(first.till.device, [one])
    again = _upload(first.till.device, [two, one])
    seen = [_outcome(told) for told in again]
    expected = [(2, "applied", None, 0), (1, "duplicate", "applied", 0)]
    what = "number, outcome, what it was, cups borne"
    tour.story.check(what, expected=expected, seen=seen)
    is_same = sent["redemption_id"] == again[1]["redemption_id"]
    tour.story.check("it is the same redemption", expected=True, seen=is_same)
    for told, shopper, line in ((sent, tour.regular, one), (again[0], tour.alice, two)):
        _count(tour, told, shopper, line)
    cups = tour.regular.wallet()["cups"]
    tour.story.check("cups that the regular paid", expected=_CUPS, seen=held - cups)
    head = {"number": first.offline.log.number, "hash": first.offline.log.last_hash}
    told = first.till.device.post(_BEAT, {"log": head})
    seen_log = (told["is_log_here"], told["log"])
    tour.story.check("a heartbeat says that all is here", expected=(True, head), seen=seen_log)


def upload_other(tour: Tour) -> None:
    """A till brings the other one's log: what a capsule was not good for, the chain bears."""
    second, cups = tour.scanners[1], tour.regular.wallet()["cups"]
    api = tour.tills[STORE].api
    [told] = _upload(api, second.offline.log.lines)
    expected = ("overdrawn", "capsule-used", _CUPS)
    seen = (told["outcome"], told["reason"], told["cups_borne"])
    tour.story.check("outcome, why, cups borne", expected=expected, seen=seen)
    seen_cups = tour.regular.wallet()["cups"]
    tour.story.check("cups of the regular, as before", expected=cups, seen=seen_cups)
    body = scanned(tour, tour.regular.app.shown(tour.regular.capsule), {LATTE: 1})
    refused = api.send("POST", "/v1/redemptions", body)
    check_refusal(tour, "one more, with a network", refused, CONFLICT, "limit-reached")
    tour.day.refused["limit-reached"] += 1


def steal(tour: Tour) -> None:
    """The other one is stolen and revoked; what its log says afterwards waits for a person."""
    second = tour.scanners[1]
    _revoke(tour, second)
    _serve(tour, second, tour.alice, 1)
    cups = tour.alice.wallet()["cups"]
    [told] = _upload(tour.tills[STORE].api, second.offline.log.lines[1:])
    seen = (told["outcome"], told["reason"], told["redemption_id"])
    tour.story.check("it is", expected=("review", "device-revoked", None), seen=seen)
    tour.story.check("cups of Alice, as before", expected=cups, seen=tour.alice.wallet()["cups"])


def decide(tour: Tour) -> None:
    """The manager reads, in either language, what is the matter, and decides."""
    for language in ("en", "zh-TW"):
        told = _waiting(tour, language)[2]
        tour.story.tell(f"{told['cause']} {told['advice']}")
    manager, device_id = tour.desks.of("manager"), tour.scanners[1].key.device_id
    for number, waiting in _waiting(tour, "en").items():
        remedy = _REMEDIES[number]
        is_allowed = remedy in waiting["remedies"]
        tour.story.check(f"item {number} may be {remedy}", expected=True, seen=is_allowed)
        path = f"/v1/offline-reviews/{device_id}/{number}/resolve"
        decided = manager.post(path, {"remedy": remedy})
        tour.story.check("it is", expected=remedy, seen=decided["remedy"])
    tour.story.check("items that wait", expected={}, seen=_waiting(tour, "en"))
    tour.day.offline = [
        Offline("applied", None, 2, _CUPS + 1, 0),
        Offline("overdrawn", "capsule-used", 1, _CUPS, _CUPS),
        Offline("review", "device-revoked", 1, 1, 0),
    ]


def hang_up(tour: Tour) -> None:
    """The first one is revoked too, and its stream ends."""
    _revoke(tour, tour.scanners[0])
    tour.story.wait("the stream ends", lambda: tour.follower.find("end"))


def _serve(tour: Tour, scanner: OwnDevice, shopper: Shopper, cups: int) -> Line:
    """Serve lattes to whoever shows a capsule, without asking anybody.

    Raises:
        NoCups: the scanner must not.
    """
    return scanner.offline.serve(
        shopper.app.shown(shopper.capsule),
        cups=cups,
        product=product_id(tour, LATTE),
        staff=scanner.staff_id,
        at=scanner.key.now(),
    )


def _is_after(scanner: OwnDevice, moment: datetime) -> bool | None:
    return scanner.key.now() > moment or None


def _upload(api: Api, lines: Sequence[Line]) -> list[Any]:
    told: list[Any] = api.post(_BATCH, {"items": lines})["items"]
    return told


def _outcome(told: Mapping[str, Any]) -> tuple[int, str, str | None, int]:
    return told["number"], told["outcome"], told["earlier"], told["cups_borne"]


def _count(tour: Tour, told: Mapping[str, Any], shopper: Shopper, line: Line) -> None:
    """Count an item that was taken from a wallet, as of when it was served."""
    tour.day.hand_over(
        told["redemption_id"],
        shopper.pack,
        LATTE,
        told["cups"],
        clerk=tour.scanners[0].till.staff,
        at=json.loads(line["item"])["at"],
        is_offline=True,
    )
    moved = shopper.happened("redemption")[0]
    [counted] = tour.day.handed[told["redemption_id"]]
    seen = (-moved["cups"], -moved["amount"]["amount"])
    what = f"cups and net that left {shopper.name}'s wallet"
    tour.story.check(what, expected=(counted.cups, counted.amount), seen=seen)


def _revoke(tour: Tour, scanner: OwnDevice) -> None:
    device_id = scanner.key.device_id
    tour.desks.of("manager").post(f"/v1/devices/{device_id}/revoke")
    answer = scanner.till.device.send("POST", _BEAT, {})
    tour.story.check("it hears", expected="unauthenticated", seen=reason_of(answer))


def _waiting(tour: Tour, language: str) -> dict[int, Any]:
    """What waits of the stolen scanner's log, by its number."""
    asked = {"store_id": tour.chain.stores[STORE], "limit": "200"}
    answer = tour.desks.of("manager").send(
        "GET", "/v1/offline-reviews", query=asked, language=language
    )
    stolen = tour.scanners[1].key.device_id
    items = answer.document["items"]
    return {one["number"]: one for one in items if one["device_id"] == stolen}


ACT = Act(
    "16  Without a network",
    (prepare, serve, upload, upload_other, steal, decide, hang_up),
)
