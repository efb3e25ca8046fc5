"""Accounts, their labels, and rates of VAT over HTTP."""

from datetime import UTC, datetime

import pytest

from kernel.transaction import transaction
from ledger import taxed
from tests.api.desk import Desk, assert_problem, wrong_fields
from tests.api.months import close

ACCOUNTS, RATES = "/v1/accounts", "/v1/vat-rates"
SUNDRY = {"code": "6299", "kind": "expense", "name": "雜項 Sundry", "external_code": "6299-01"}


def account(desk: Desk, code: str, *, on: str | None = None) -> dict:
    chart = desk.get(ACCOUNTS + (f"?on={on}" if on else "")).json
    return next(item for item in chart["items"] if item["code"] == code)


def test_the_chart_is_listed_as_it_is_called_today(desk: Desk) -> None:
    chart = desk.get(ACCOUNTS).json

    assert chart["on"] == "2026-01-14"
    codes = [item["code"] for item in chart["items"]]
    assert codes == sorted(codes)
    assert {"1111", "2131", "2138", "4111", "6221"} <= set(codes)
    assert account(desk, "2131") == {
        "code": "2131",
        "kind": "liability",
        "is_built_in": True,
        "name": "合約負債—寄杯 Contract liability, vouchers",
        "external_code": "2131",
        "starts_on": "1970-01-01",
    }


def test_an_account_of_the_chains_own_is_opened_once(desk: Desk) -> None:
    opened = desk.post(ACCOUNTS, **SUNDRY)

    assert opened.status_code == 201
    assert opened.json == {**SUNDRY, "is_built_in": False, "starts_on": "1970-01-01"}
    assert account(desk, "6299", on="2025-01-01") == opened.json
    assert_problem(desk.post(ACCOUNTS, **SUNDRY), 409, "account-exists")


@pytest.mark.parametrize("code", ["", "-1", "1 2", "a" * 21, "6299\n", "６２９９", "=1+1"])
def test_a_code_that_no_account_can_have_is_refused(desk: Desk, code: str) -> None:
    assert wrong_fields(desk.post(ACCOUNTS, **{**SUNDRY, "code": code}))[0] == "code"


def test_a_label_holds_from_its_day_on(desk: Desk) -> None:
    label = {"starts_on": "2026-01-10", "name": "寄杯", "external_code": "2300"}

    labelled = desk.put(f"{ACCOUNTS}/2131/labels", **label)

    assert labelled.status_code == 200
    assert (labelled.json["kind"], labelled.json["external_code"]) == ("liability", "2300")
    assert account(desk, "2131")["name"] == "寄杯"
    assert account(desk, "2131", on="2026-01-09")["external_code"] == "2131"


@pytest.mark.parametrize("code", ["9999", "x" * 30, "%00", "-", "２１３１"])
def test_an_unknown_account_has_no_label(desk: Desk, code: str) -> None:
    label = {"starts_on": "2026-01-10", "name": "x", "external_code": "2300"}

    assert_problem(desk.put(f"{ACCOUNTS}/{code}/labels", **label), 422, "account-unknown")


def test_a_label_of_a_closed_month_stays(desk: Desk) -> None:
    desk.sell(desk.world.add_member())
    close(desk, "2026-01")

    refused = desk.put(
        f"{ACCOUNTS}/2131/labels", starts_on="2026-01-31", name="x", external_code="2300"
    )

    assert_problem(refused, 409, "period-closed")
    label = {"starts_on": "2026-02-01", "name": "x", "external_code": "2300"}
    assert desk.put(f"{ACCOUNTS}/2131/labels", **label).status_code == 200


@pytest.mark.parametrize("on", ["", "2026-02-30", "20260114", "2026", "99999-01-01", "0000-01-01"])
def test_a_malformed_day_is_refused(desk: Desk, on: str) -> None:
    assert wrong_fields(desk.get(f"{ACCOUNTS}?on={on}")) == ["on"]


def test_a_rate_holds_from_today_or_later_on(desk: Desk) -> None:
    rate = {"starts_on": "2026-02-01", "basis_points": 700, "rounding": "half_up"}

    assert desk.put(f"{RATES}/standard", **rate).json == {"code": "standard", **rate}

    listed = [item for item in desk.get(RATES).json["items"] if item["code"] == "standard"]
    assert [(item["starts_on"], item["basis_points"]) for item in listed] == [
        ("1970-01-01", 500),
        ("2026-02-01", 700),
    ]
    with transaction():
        assert taxed(1070, code="standard", on=datetime(2026, 2, 1, tzinfo=UTC).date()).net == 1000


def test_a_rate_that_began_in_the_past_is_refused(desk: Desk) -> None:
    rate = {"starts_on": "2026-01-13", "basis_points": 700}

    assert wrong_fields(desk.put(f"{RATES}/standard", **rate)) == ["starts_on"]
    assert desk.put(f"{RATES}/standard", **{**rate, "starts_on": "2026-01-14"}).status_code == 200


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"basis_points": 10_000}, "basis_points"),
        ({"basis_points": -1}, "basis_points"),
        ({"basis_points": 5.5}, "basis_points"),
        ({"basis_points": 10**30}, "basis_points"),
        ({"rounding": "nearest"}, "rounding"),
        ({"starts_on": "2026-2-1"}, "starts_on"),
    ],
)
def test_a_rate_that_is_none_is_refused(desk: Desk, changed: dict, field: str) -> None:
    rate = {"starts_on": "2026-02-01", "basis_points": 500, **changed}

    assert wrong_fields(desk.put(f"{RATES}/standard", **rate)) == [field]


@pytest.mark.parametrize("code", ["Standard", "1", "x" * 21, "%00", "a_b", "=1"])
def test_a_rate_has_a_plain_code(desk: Desk, code: str) -> None:
    refused = desk.put(f"{RATES}/{code}", starts_on="2026-02-01", basis_points=0)

    assert wrong_fields(refused) == ["code"]
