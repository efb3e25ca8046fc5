"""Act 1: somebody becomes a member."""

import json
import re
import time
from datetime import timedelta
from typing import Any

from dev.tour.client import Api
from dev.tour.expected import month_of
from dev.tour.party import Shopper, new_phone_number
from dev.tour.reading import read, read_rates
from dev.tour.story import Off
from dev.tour.tour import PLAN, Act, Tour
from kernel import clock

_SECONDS_TO_LAPSE = 20.0
_SIX_DIGITS = re.compile(r"\b\d{6}\b", re.ASCII)


def look_at_the_books(tour: Tour) -> None:
    """Finance reads the books as they are: what this tour adds is told from that."""
    tour.first_month = month_of(clock.now().isoformat())
    finance, months = tour.desks.of("finance"), tour.months()
    tour.before = read(finance, months)
    if _running_cups(tour):
        _let_them_end(tour)
        look_at_the_books(tour)
        return
    tour.rates_before = read_rates(finance, plan=PLAN, first=months[0], last=months[0])
    owed = sum(row["closing"] for row in tour.before.rows.values())
    cups = sum(row["cups_closing"] for row in tour.before.rows.values())
    tour.story.tell(f"the chain owes its shoppers {cups} cups, which carry NT${owed:,}")


def sign_in(tour: Tour) -> None:
    """Alice signs in with her phone."""
    join(tour, "Alice")


def join(tour: Tour, name: str) -> Shopper:
    """Make somebody a member, with a phone that nobody has used before."""
    phone = new_phone_number()
    tour.story.tell(f"{name} gives the number {phone}; the outbox has a code sent, by a job")
    session = _start_session(tour, phone)
    tour.story.check(f"{name} is a new member", expected=True, seen=session["is_new"])
    app = tour.api.signed_in(session["token"])
    shopper = Shopper(name, session["member_id"], phone, app)
    cups = shopper.api.get("/v1/wallet")["cups"]
    tour.story.check("cups in the wallet", expected=0, seen=cups)
    tour.shoppers.append(shopper)
    return shopper


def sign_in_again(tour: Tour, shopper: Shopper) -> None:
    """A month later the session is over: the same phone signs in, and is the same member."""
    session = _start_session(tour, shopper.phone)
    tour.story.check(f"{shopper.name} is a new member", expected=False, seen=session["is_new"])
    shopper.api = tour.api.signed_in(session["token"])


def answer_challenge(tour: Tour, api: Api, path: str, phone: str) -> dict[str, Any]:
    """Have a code sent to a phone, and read it there: what answers that challenge."""
    seen = tour.message_file.stat().st_size if tour.message_file.exists() else 0
    asked = api.post(path, {"phone": phone})
    code = tour.story.wait("the message arrives", lambda: _code_sent(tour, phone, seen))
    tour.story.tell(f"the message to {phone} says {code}")
    return {"challenge_id": asked["challenge_id"], "code": code}


def _start_session(tour: Tour, phone: str) -> Any:
    answer = answer_challenge(tour, tour.api, "/v1/sign-in/challenges", phone)
    return tour.api.post("/v1/sessions", {**answer, "transport": "bearer"})


def _code_sent(tour: Tour, phone: str, seen: int) -> str | None:
    """Find the code in what development writes down instead of sending it."""
    if not tour.message_file.exists():
        return None
    for line in tour.message_file.read_bytes()[seen:].splitlines():
        message = json.loads(line)
        found = _SIX_DIGITS.findall(message["text"])
        if found and message["to"] == f"+886{phone[1:]}":  # a notice may come before the code
            return str(found[0])
    return None


def _running_cups(tour: Tour) -> int:
    """The plan's cups that will end: time would add them to this tour's numbers."""
    rows = tour.before.rows.items()
    return sum(row["cups_closing"] for (_, _, offer), row in rows if offer == PLAN)


def _let_them_end(tour: Tour) -> None:
    """Let a month pass, for the cups of a tour that was cut short.

    Raises:
        Off: a plan goes on, which somebody else has bought here.
    """
    tour.story.tell("cups of a plan still run, as after a tour that was cut short: a month passes")
    tour.move_clock(to=clock.now() + timedelta(days=32))
    give_up_at = time.monotonic() + _SECONDS_TO_LAPSE
    while _running_cups(tour):
        if time.monotonic() > give_up_at:
            raise Off(_SOMEBODY_ELSES)
        time.sleep(0.5)
        tour.first_month = month_of(clock.now().isoformat())
        tour.before = read(tour.desks.of("finance"), tour.months())


_SOMEBODY_ELSES = (
    f"cups of {PLAN} that run already: expected 0, seen some. Somebody has subscribed to it here, "
    "and its renewals could not be told from the tour's: cancel that subscription and play the "
    "tour again, or begin anew with `make reset`."
)

ACT = Act("1  A shopper becomes a member", (look_at_the_books, sign_in))
