"""Months of the books over HTTP: soft, closed, and reopened by two people."""

from datetime import timedelta
from urllib.parse import quote

import pytest

from kernel.ids import new_id
from tests.api.desk import NOBODYS, Desk, assert_problem, wrong_fields
from tests.api.months import close, leave, soften

PERIODS, REOPENINGS = "/v1/periods", "/v1/reopenings"
VERBS = ("soft-close", "open", "close")
REASON = "Store B reported January's refunds late."


@pytest.fixture
def trading(desk: Desk) -> Desk:
    """A pack was sold in January."""
    desk.sell(desk.world.add_member())
    return desk


def shown(desk: Desk, period: str = "2026-01"):
    return desk.get(f"{PERIODS}/{period}").json


def wish(desk: Desk, period: str = "2026-01"):
    return desk.post(f"{PERIODS}/{period}/reopenings", reason=REASON)


def test_a_month_that_has_begun_is_open(trading: Desk) -> None:
    assert shown(trading) == {
        "period": "2026-01",
        "state": "open",
        "version": 1,
        "closing_asked_at": None,
        "problem": None,
        "closed_at": None,
        "digest": None,
        "steps": [],
    }
    assert shown(trading, "2019-05")["state"] == "open"


def test_a_month_is_shut_to_the_shops_and_then_closed(trading: Desk) -> None:
    leave(trading, "2026-01")

    soft = trading.post(f"{PERIODS}/2026-01/soft-close")
    assert (soft.status_code, soft.json["state"], soft.json["version"]) == (200, "soft", 1)
    asked = trading.post(f"{PERIODS}/2026-01/close", who="bob")
    assert (asked.status_code, asked.json["state"]) == (202, "soft")
    assert asked.json["closing_asked_at"] is not None


def test_a_closed_month_has_its_digest_and_who_took_which_step(trading: Desk) -> None:
    close(trading, "2026-01")

    closed = shown(trading)
    assert len(closed["digest"]) == 64
    assert closed["closed_at"] is not None
    assert [step["step"] for step in closed["steps"]] == ["soft_closed", "closed"]
    assert all(step["version"] == 1 and step["by_id"] for step in closed["steps"])


def test_months_are_listed_the_latest_first(trading: Desk) -> None:
    for _ in range(2):
        trading.go_to(trading.now + timedelta(days=31))
        trading.sell(trading.world.add_member())
    first = trading.get(f"{PERIODS}?limit=2").json
    rest = trading.get(f"{PERIODS}?limit=2&cursor={first['next_cursor']}").json

    listed = [item["period"] for item in first["items"] + rest["items"]]
    assert listed == ["2026-03", "2026-02", "2026-01"]
    assert rest["next_cursor"] is None


def test_no_months_are_listed_before_the_first_entry(desk: Desk) -> None:
    assert desk.get(PERIODS).json == {"items": [], "next_cursor": None}


def test_a_month_that_is_not_over_stays_open(trading: Desk) -> None:
    assert_problem(trading.post(f"{PERIODS}/2026-01/soft-close"), 409, "period-not-over")


def test_months_take_their_turns(trading: Desk) -> None:
    leave(trading, "2026-02")
    refused = trading.post(f"{PERIODS}/2026-02/soft-close")
    assert_problem(refused, 409, "period-out-of-order")
    assert refused.json["next"] == "2026-01"

    for period in ("2026-01", "2026-02"):
        assert trading.post(f"{PERIODS}/{period}/soft-close").status_code == 200
    assert_problem(trading.post(f"{PERIODS}/2026-02/close"), 409, "period-out-of-order")
    assert_problem(trading.post(f"{PERIODS}/2026-01/open"), 409, "period-out-of-order")


def test_a_soft_month_is_opened_again_but_no_closed_one(trading: Desk) -> None:
    soften(trading, "2026-01")
    assert trading.post(f"{PERIODS}/2026-01/open").json["state"] == "open"
    assert_problem(trading.post(f"{PERIODS}/2026-01/open"), 409, "period-state")
    assert_problem(trading.post(f"{PERIODS}/2026-01/close"), 409, "period-state")
    close(trading, "2026-01")

    for verb in VERBS:
        refused = trading.post(f"{PERIODS}/2026-01/{verb}")
        assert_problem(refused, 409, "period-state")
        assert refused.json["state"] == "closed"


def test_a_retry_with_its_key_is_answered_alike(trading: Desk) -> None:
    leave(trading, "2026-01")
    key = new_id().hex
    first, again = (trading.post(f"{PERIODS}/2026-01/soft-close", key=key) for _ in range(2))

    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"
    assert [step["step"] for step in shown(trading)["steps"]] == ["soft_closed"]


def test_one_wishes_to_reopen_and_another_approves(trading: Desk) -> None:
    close(trading, "2026-01")
    wished = wish(trading)
    assert wished.status_code == 201
    assert (wished.json["period"], wished.json["version"]) == ("2026-01", 1)
    assert wished.json["reason"] == REASON
    path = f"{REOPENINGS}/{wished.json['id']}/approve"
    assert_problem(trading.post(path), 409, "two-people")

    approved = trading.post(path, who="bob")

    assert approved.status_code == 200
    assert approved.json["approved_by_id"] != approved.json["proposed_by_id"]
    assert trading.get(REOPENINGS).json["items"] == [approved.json]
    assert (shown(trading)["state"], shown(trading)["version"]) == ("soft", 2)
    assert_problem(trading.post(path, who="bob"), 409, "reopening-ended")
    assert_problem(trading.post(f"{PERIODS}/2026-01/open"), 409, "period-state")


def test_a_month_is_wished_open_once_a_version(trading: Desk) -> None:
    close(trading, "2026-01")
    wish(trading)

    assert_problem(wish(trading), 409, "reopening-exists")


def test_only_the_latest_closed_month_is_reopened(trading: Desk) -> None:
    assert_problem(wish(trading), 409, "period-state")
    close(trading, "2026-01")
    close(trading, "2026-02")

    refused = wish(trading)
    assert_problem(refused, 409, "reopening-out-of-order")
    assert refused.json["latest"] == "2026-02"
    assert wish(trading, "2026-02").status_code == 201


def test_wishes_are_listed_the_latest_first(trading: Desk) -> None:
    for period in ("2026-01", "2026-02"):
        close(trading, period)
        assert wish(trading, period).status_code == 201
    first = trading.get(f"{REOPENINGS}?limit=1").json
    rest = trading.get(f"{REOPENINGS}?limit=1&cursor={first['next_cursor']}").json

    assert [item["period"] for item in first["items"] + rest["items"]] == ["2026-02", "2026-01"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("reason", ["", " ", "a" * 501, "a\u200bb", None, 1])
def test_a_wish_has_a_reason(trading: Desk, reason: object) -> None:
    refused = trading.post(f"{PERIODS}/2026-01/reopenings", reason=reason)

    assert wrong_fields(refused) == ["reason"]


@pytest.mark.parametrize(
    "period",
    ["2026-02", "2999-01", "2026-13", "2026-00", "0000-01", "99999-01", "2026", "2026-1", "x", "-",
     "2026-01-01", "202601", "２０２６-01", "2026-01\n", "\0", "a" * 500],
)  # fmt: skip
def test_what_is_no_month_that_has_begun_is_refused(trading: Desk, period: str) -> None:
    path = f"{PERIODS}/{quote(period)}"

    assert_problem(trading.get(path), 422, "period-invalid")
    for verb in VERBS:
        assert_problem(trading.post(f"{path}/{verb}"), 422, "period-invalid")
    assert_problem(trading.post(f"{path}/reopenings", reason=REASON), 422, "period-invalid")


def test_a_wish_that_is_not_there_is_not_found(trading: Desk) -> None:
    assert_problem(trading.post(f"{REOPENINGS}/{NOBODYS}/approve"), 404, "not-found")
    assert_problem(trading.post(f"{REOPENINGS}/x/approve"), 404, "not-found")
