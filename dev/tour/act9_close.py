"""Act 9: finance closes the month, and takes its books along."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from typing import Any
from zipfile import is_zipfile

from dev.tour import comparison
from dev.tour.act3_redeem import check_refusal
from dev.tour.client import Answer
from dev.tour.expected import TAIPEI
from dev.tour.reading import Reading, read_file
from dev.tour.story import Off
from dev.tour.tour import OFFERS, Act, Tour
from kernel import clock

_BEHIND_UTC = timedelta(hours=12)
_CONFLICT = 409
_NOBODY = "00000000-0000-0000-0000-000000000000"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_OF_MONTHS = ("deferred-revenue", "settlement", "vat", "trial-balance", "reconciliation")
_OF_DAYS = ("liability", "ageing", "guarantee")
_OWED = re.compile(r"balance Liabilities:\w+:213[1248]\S*  (-?\d+) TWD")


def shut_out_shops(tour: Tour) -> None:
    """The month is over everywhere on earth: from now on only finance books into it."""
    over_at = datetime.combine(_last_day(tour) + timedelta(days=1), time(), UTC) + _BEHIND_UTC
    if clock.now() < over_at:
        tour.move_clock(to=over_at)
    _close_older_months(tour)
    month = _send(tour, "soft-close")
    tour.story.check(f"{tour.first_month} is", expected="soft", seen=month["state"])


def adjust(tour: Tour) -> None:
    """Finance corrects the soft month by hand, and somebody else must approve it."""
    finance = tour.desks.of("finance")
    wish = finance.post("/v1/adjustments", _adjustment(tour, "A top-up was booked as a fee."))
    refused = finance.send("POST", f"/v1/adjustments/{wish['id']}/approve")
    check_refusal(tour, "approving one's own adjustment", refused, _CONFLICT, "two-people")
    made = tour.desks.of("admin").post(f"/v1/adjustments/{wish['id']}/approve")
    entry = finance.get(f"/v1/entries/{_NOBODY}/{made['entry_id']}")
    tour.story.check("it is booked on", expected=f"{_last_day(tour)}", seen=entry["book_date"])


def book_late(tour: Tour) -> None:
    """A pays B what it owes; finance hears of it late, and it is booked today, with both dates."""
    finance, stores = tour.desks.of("finance"), tour.chain.stores
    amount = tour.books.owed_by("A", to="B")
    paid_before = _paid(tour)
    paid_on, today = _last_day(tour), clock.now().astimezone(TAIPEI).date()
    payment = {
        "payer_id": stores["A"],
        "payee_id": stores["B"],
        "amount": {"amount": amount},
        "paid_on": f"{paid_on}",
        "reference": f"The tour's cups of {tour.first_month}",
    }
    paid = finance.post("/v1/settlements", payment)
    entry = finance.get(f"/v1/entries/{paid['owner_id']}/{paid['entry_id']}")
    dates = {name: entry[name] for name in ("occurred_on", "book_date")}
    expected = {"occurred_on": f"{paid_on}", "book_date": f"{today}"}
    tour.story.check("its entry says", expected=expected, seen=dates)
    added = [after - before for after, before in zip(_paid(tour), paid_before, strict=True)]
    tour.story.check("paid by this month's and today's books", expected=[0, amount], seen=added)


def close_month(tour: Tour) -> None:
    """Finance has it closed: a job proves the month, and writes its balances."""
    _close(tour, tour.first_month)
    again = tour.desks.of("finance").send("POST", f"/v1/periods/{tour.first_month}/close")
    check_refusal(tour, "a second closing", again, _CONFLICT, "period-state")


def keep_it_closed(tour: Tour) -> None:
    """Nobody books into it any more, and nobody reopens it alone."""
    finance = tour.desks.of("finance")
    refused = finance.send("POST", "/v1/adjustments", _adjustment(tour, "Too late."))
    check_refusal(tour, "an adjustment in it", refused, _CONFLICT, "period-closed")
    reason = {"reason": "The tour would like to."}
    wish = finance.post(f"/v1/periods/{tour.first_month}/reopenings", reason)
    refused = finance.send("POST", f"/v1/reopenings/{wish['id']}/approve")
    check_refusal(tour, "approving one's own proposal", refused, _CONFLICT, "two-people")


def agree(tour: Tour) -> None:
    """Every report of the closed month agrees with the trial balance, and that one balances."""
    month, day = {"period": tour.first_month}, {"on": f"{_last_day(tour)}"}
    reports = {
        **dict.fromkeys(_OF_MONTHS, month),
        **dict.fromkeys(_OF_DAYS, day),
        "settlement-statements": {**month, "store_id": tour.chain.stores["A"]},
    }
    for report, asked in reports.items():
        check_control(tour, report, **asked)


def check_control(tour: Tour, report: str, **asked: str) -> None:
    """Check that what a report says of itself has no difference to the accounts."""
    control = tour.desks.of("finance").get(f"/v1/reports/{report}", **asked)["control"]
    differences = [total["difference"] for total in control]
    expected = [0] * max(1, len(control))
    tour.story.check(f"{report}, differences of its totals", expected=expected, seen=differences)


def take_files(tour: Tour) -> None:
    """Finance takes the roll-forward along as CSV and XLSX: it says what the tour has computed."""
    finance, month, path = tour.desks.of("finance"), tour.first_month, _ROLL_FORWARD
    seen = Reading(read_file(finance.send("GET", path, query=_as("csv", period=month)), month), {})
    rows = comparison.roll_forward(tour.before, seen, tour.books, [month], OFFERS)
    wrong = [sentence for row in rows for sentence in row.wrong()]
    seen_wrong = "; ".join(wrong) or "none"
    tour.story.check("numbers of the CSV that are off", expected="none", seen=seen_wrong)
    book = finance.send("GET", path, query=_as("xlsx", period=month))
    tour.story.check("the workbook is one", expected=True, seen=_is_workbook(book))
    _check_length(tour, book)


def take_export(tour: Tour) -> None:
    """And the journal of the month, for tools that are not ours."""
    finance = tour.desks.of("finance")
    closed = finance.get(f"/v1/periods/{tour.first_month}")
    export = finance.send("GET", f"/v1/exports/{tour.first_month}", query=_as("beancount"))
    _check_length(tour, export)
    text = export.content.decode()
    told = f"closed, version {closed['version']}: {closed['digest']}"
    tour.story.check("it names the closing", expected=True, seen=told in text)
    rows = finance.get(_ROLL_FORWARD, period=tour.first_month)["rows"]
    owed = -sum(row["closing"] for row in rows)
    asserted = sum(map(int, _OWED.findall(text)))
    tour.story.check("what is owed at its end, as it asserts it", expected=owed, seen=asserted)
    present = finance.send("GET", f"/v1/exports/{tour.months()[-1]}", query=_as("beancount"))
    check_refusal(tour, "the export of the present month", present, _CONFLICT, "period-state")


_ROLL_FORWARD = "/v1/reports/deferred-revenue"


def _as(form: str, **query: str) -> Mapping[str, str]:
    return {"format": form, **query}


def _adjustment(tour: Tour, reason: str) -> dict[str, Any]:
    """A dollar from fees to top-ups at A, on the last day of the first month."""
    one = {"store_id": tour.chain.stores["A"], "amount": 1}
    lines = [
        {**one, "account": account, "side": side}
        for account, side in (("4114", "debit"), ("4115", "credit"))
    ]
    day = f"{_last_day(tour)}"
    return {"book_date": day, "currency": "TWD", "reason": reason, "lines": lines}


def _last_day(tour: Tour) -> date:
    """The last day of the month in which the tour began."""
    first = date.fromisoformat(f"{tour.first_month}-01")
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _close_older_months(tour: Tour) -> None:
    """Months are closed one after the other; those of earlier tours may still be open."""
    for month in reversed(tour.desks.of("finance").everything("/v1/periods")):
        if month["period"] < tour.first_month and month["state"] != "closed":
            if month["state"] == "open":
                _send(tour, "soft-close", month["period"])
            _close(tour, month["period"])


def _close(tour: Tour, period: str) -> None:
    _send(tour, "close", period)

    def closed() -> Any:
        month = tour.desks.of("finance").get(f"/v1/periods/{period}")
        if month["problem"]:
            raise Off(f"{period} cannot be closed: {month['problem']}")
        return month if month["state"] == "closed" else None

    month = tour.story.wait(f"a job closes {period}", closed)
    tour.story.tell(f"version {month['version']}, its balances have the digest {month['digest']}")


def _send(tour: Tour, verb: str, period: str | None = None) -> Any:
    return tour.desks.of("finance").post(f"/v1/periods/{period or tour.first_month}/{verb}")


def _paid(tour: Tour) -> list[int]:
    """What A has paid B by the books of the first month, and of the present one."""
    finance, paid = tour.desks.of("finance"), []
    for month in (tour.first_month, tour.months()[-1]):
        rows = finance.get("/v1/reports/settlement", period=month)["rows"]
        pair = ("A", "B")
        paid.append(
            sum(row["paid"] for row in rows if (row["sold_at_code"], row["made_at_code"]) == pair)
        )
    return paid


def _is_workbook(answer: Answer) -> bool:
    return answer.headers["Content-Type"] == _XLSX and is_zipfile(BytesIO(answer.content))


def _check_length(tour: Tour, answer: Answer) -> None:
    """Check that a file has a name, and came whole."""
    length = int(answer.headers["Content-Length"])
    name = answer.headers["Content-Disposition"].partition('"')[2].rstrip('"')
    tour.story.check(f"bytes of {name}", expected=length, seen=len(answer.content))


ACT = Act(
    "9  Finance closes the month",
    (
        shut_out_shops,
        adjust,
        book_late,
        close_month,
        keep_it_closed,
        agree,
        take_files,
        take_export,
    ),
)
