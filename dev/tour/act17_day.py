"""Act 17: the day's sheet agrees with settlement and books, also after what was undone late."""

import os
import re
import subprocess
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from dev import environment, home
from dev.tour import comparison
from dev.tour.act3_redeem import CONFLICT, begin_shift, check_refusal, close_till
from dev.tour.act9_close import check_control
from dev.tour.act10_end import find_message
from dev.tour.act13_several import STORE, booked_top_ups
from dev.tour.expected import TAIPEI
from dev.tour.reading import read
from dev.tour.scan import LATTE, scanned
from dev.tour.store_day import offline_of, sums_of
from dev.tour.story import Off
from dev.tour.tour import Act, Tour
from kernel import clock

_UNPROCESSABLE = 422
_LINK = re.compile(r"https?://\S+/n/[\w-]+", re.ASCII)
_LATER = timedelta(hours=25)
_VAT = 2
"""Of the NT$50 that stayed paid besides, as what is left of the VAT of NT$100."""


def read_notice(tour: Tour) -> None:
    """The regular is told of each hand-over, and says of the five lattes: that was not me."""
    text = tour.story.wait("the message arrives", partial(find_message, tour, tour.regular, "×5"))
    tour.story.tell(f"it says: {text}")
    link = _LINK.search(text)
    if link is None:
        raise Off(f"the message has no link: {text}")
    path = urlsplit(link[0]).path
    page = tour.api.send("GET", path).content.decode()
    is_asking = "不是您本人取用的嗎" in page and "Was it not you?" in page
    tour.story.check("its page asks, in both languages", expected=True, seen=is_asking)
    pressed = tour.api.send("POST", path)
    tour.story.check("the button is answered with", expected=200, seen=pressed.status)
    body = scanned(tour, tour.regular.app.code(), {LATTE: 1})
    refused = tour.tills[STORE].api.send("POST", "/v1/redemptions", body)
    check_refusal(tour, "the phone's code", refused, _UNPROCESSABLE, "token-invalid")


def read_sheet(tour: Tour) -> None:
    """The manager reads the day's sheet of B: each cup, by drink, clerk, hour and seller."""
    sheet = _sheet(tour)
    _check_sums(tour, sheet)
    refused = {one["reason"]: one["times"] for one in sheet["refused"]}
    tour.story.check("turned away", expected=dict(tour.day.refused), seen=refused)
    offline = offline_of(sheet["offline"])
    tour.story.check("served offline, by outcome", expected=tour.day.offline, seen=offline)
    voids = [(one["cups"], one["reason"]) for one in sheet["voids"]]
    tour.story.check("voids", expected=[(1, "Spilt.")], seen=voids)
    flags = {flag["rule"]: flag["times"] for flag in sheet["flags"]}
    expected = {"borne": 2, "disowned": 1, "same_wallet": 3}
    tour.story.check("what somebody should look at", expected=expected, seen=flags)
    counted = tour.tills[STORE].api.get("/v1/day-sheets/current")["cups"]
    tour.story.check("cups, as the till counts them", expected=sheet["cups"], seen=counted)


def agree(tour: Tour) -> None:
    """What A owes B by the settlement is what the sheet says of cups that A had sold."""
    check_agreement(tour)


def undo_late(tour: Tour) -> None:
    """A day later the manager is too late; finance asks for it, and the admin approves it."""
    approved, regular = tour.redeemed["approved"], tour.regular
    tour.move_clock(to=clock.now() + _LATER)
    device = tour.tills[STORE].device
    shift = begin_shift(device, tour.desks.person("manager", store=STORE))
    late = device.signed_in(shift["token"]).send("POST", f"{approved.path}/void")
    check_refusal(tour, "the manager's void", late, CONFLICT, "void-too-late")
    wish = {"redemption_id": approved.answer["id"], "reason": "The member says: not me."}
    asked = tour.desks.of("finance").post("/v1/late-voids", wish)
    path = f"/v1/late-voids/{asked['id']}/approve"
    alone = tour.desks.of("finance").send("POST", path)
    check_refusal(tour, "approving one's own wish", alone, CONFLICT, "two-people")
    tour.story.check("cups held", expected=regular.pack.left, seen=regular.wallet()["cups"])
    decided = tour.desks.of("admin").post(path)
    tour.story.check("it is", expected="approved", seen=decided["state"])
    tour.day.undo(approved.answer["id"], LATTE, approved.answer["cups"])
    tour.story.check("cups held", expected=regular.pack.left, seen=regular.wallet()["cups"])


def agree_again(tour: Tour) -> None:
    """The day's sheet has it as undone, the next one who undid it; all agree as before."""
    _check_sums(tour, _sheet(tour))
    check_agreement(tour)
    next_on = clock.now().astimezone(TAIPEI).date()
    sheet = _sheet(tour, on=f"{next_on}")
    [void] = sheet["voids"]
    seen = (void["staff"], void["approved_by"], void["cups"])
    tour.story.check("of the next day's sheet", expected=("Finance", "Admin", 5), seen=seen)
    flags = {flag["rule"]: flag["times"] for flag in sheet["flags"]}
    tour.story.check("its flags", expected={"late_voids": 1}, seen=flags)
    for store in sorted(tour.tills):
        close_till(tour, store)


def check_books(tour: Tour) -> None:
    """The books are checked from outside the web: all that must be true of them is."""
    checked = subprocess.run(
        [home.CHECKOUT / "jibei", "books", "check"],
        env={**environment.inherited(os.environ), **tour.environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    said = checked.stdout.strip() or checked.stderr.strip()
    tour.story.tell(f"./jibei books check: {said}")
    tour.story.check("its exit code", expected=0, seen=checked.returncode)


def check_agreement(tour: Tour) -> None:
    """Compare the sheet, the settlement and the tour's own count.

    Raises:
        Off: with a sentence for each debt that is off.
    """
    day, finance = tour.day, tour.desks.of("finance")
    month = f"{day.on:%Y-%m}"
    after = read(finance, [month])
    debts = comparison.settlement(day.before, after, day.books, [month])
    wrong = [sentence for debt in debts for sentence in debt.wrong()]
    if wrong:
        raise Off("\n".join(["The settlement is off.", *wrong]))
    owed = next(debt.seen for debt in debts if debt.place == (month, "A", STORE))
    told = sums_of(_sheet(tour)["by_seller"])["A"]
    expected = (told.cups - told.cups_voided, told.amount)
    tour.story.check("A owes B: cups and money, as by the sheet", expected=expected, seen=owed)
    net = day.total().top_up - _VAT
    tour.story.check("B's top-ups, without VAT", expected=net, seen=booked_top_ups(tour))
    check_control(tour, "settlement", period=month)


def _sheet(tour: Tour, *, on: str | None = None) -> Any:
    asked = {"store_id": tour.chain.stores[STORE], "on": on or f"{tour.day.on}"}
    return tour.desks.of("manager").get("/v1/day-sheets", **asked)


def _check_sums(tour: Tour, sheet: Any) -> None:
    """Each way of adding up is as the tour has counted, and makes the same whole."""
    day = tour.day
    ways = {
        "by_product": day.by(lambda line: line.product),
        "by_clerk": day.by(lambda line: line.clerk),
        "by_seller": day.by(lambda line: line.lot.store),
        "by_hour": day.by(lambda line: _hour(line.at)),
    }
    for way, expected in ways.items():
        seen = sums_of(sheet[way])
        tour.story.check(f"{way}, differences", expected={}, seen=_differing(expected, seen))
    for product, told in ways["by_product"].items():
        tour.story.tell(f"{product}: {', '.join(f'{n} {v}' for n, v in told._asdict().items())}")
    offline = sum(line.cups for line in day.lines() if line.is_offline)
    borne = sum(one.cups_borne for one in day.offline)
    expected_cups = (day.total().cups, day.total().cups_voided, offline, borne)
    names = ("cups", "cups_voided", "cups_offline", "cups_borne")
    seen_cups = tuple(sheet[name] for name in names)
    tour.story.check("cups, undone, offline, borne", expected=expected_cups, seen=seen_cups)


def _differing(expected: dict[str, Any], seen: dict[str, Any]) -> dict[str, Any]:
    """What was counted and what is told, where they are not the same."""
    return {
        key: (expected.get(key), seen.get(key))
        for key in expected.keys() | seen.keys()
        if expected.get(key) != seen.get(key)
    }


def _hour(moment: str) -> str:
    return str(datetime.fromisoformat(moment).astimezone(TAIPEI).hour)


ACT = Act(
    "17  The day is over",
    (read_notice, read_sheet, agree, undo_late, agree_again, check_books),
)
