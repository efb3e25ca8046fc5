"""Finance reads the books over HTTP, in three forms; nobody else does."""

import csv
from datetime import timedelta
from io import BytesIO, StringIO
from typing import Any
from urllib.parse import quote

import openpyxl
import pytest
from sqlalchemy import update

from chain.models import Store
from kernel.db import db
from kernel.ids import NOBODY, new_id
from kernel.transaction import transaction
from ledger import Event, policy, post
from ledger.forward import COLUMNS
from ledger.models import BooksCheck, Finding
from ledger.service.fold import fold_some
from payments import Payment
from redemption import void
from tests.api.desk import NOBODYS, Desk, assert_problem, wrong_fields
from tests.api.months import close

REPORTS = "/v1/reports"
MONTHLY = ("deferred-revenue", "settlement", "vat", "reconciliation")
AS_OF = ("liability", "ageing", "guarantee")
ASKED = {
    **dict.fromkeys((*MONTHLY, "trial-balance"), "period=2026-01"),
    **dict.fromkeys(AS_OF, "on=2026-01-14"),
    "settlement-statements": "period=2026-01&store_id=A",
    "books-checks": "",
}
NO_MONTHS = ["2999-01", "2026-02", "2026-13", "2026-00", "0000-01", "0001-01", "99999-01", "2026",
             "2026-1", "x", "2026-01-01", "０", "２０２６-01", "9" * 20]  # fmt: skip
NO_DAYS = [
    "",
    "2026-02-30",
    "20260114",
    "2026-01",
    "99999-01-01",
    "0000-01-01",
    "x",
    "２０２６-01-14",
]


@pytest.fixture
def trading(desk: Desk) -> Desk:
    """A sold a pack for 500 to Alice; B made two of its cups and C one, of which that is voided."""
    alice = desk.world.add_member()
    desk.sell(alice)
    desk.world.take(desk.world.add_till("B"), alice, 2)
    till = desk.world.add_till("C")
    taken = desk.world.take(till, alice)
    with transaction():
        void(
            redemption_id=taken.id,
            store_id=till.store_id,
            staff_id=till.staff_id,
            role="clerk",
            now=desk.now,
        )
    return desk


def read(desk: Desk, report: str, query: str | None = None) -> dict[str, Any]:
    asked = ASKED[report] if query is None else query
    answer = desk.get(f"{REPORTS}/{report}?{asked.replace('=A', '=' + desk.store('A'))}")
    assert answer.status_code == 200, answer.text
    return answer.json


def agrees(report: dict[str, Any]) -> bool:
    """Whether there is a control, and no difference."""
    differences = [one["difference"] for one in report["control"]]
    return bool(differences) and not any(differences)


def booked(desk: Desk, kind: str, pairs: list[policy.Pair], **event: Any) -> None:
    with transaction():
        post(
            Event(
                **{
                    "member_id": NOBODY,
                    "kind": kind,
                    "source_id": new_id(),
                    "pairs": pairs,
                    "event_at": desk.now,
                    "occurred_on": desk.today,
                    "currency": "TWD",
                    **event,
                }
            )
        )


def test_the_roll_forward_adds_up_and_agrees(trading: Desk) -> None:
    rolled = read(trading, "deferred-revenue")

    (row,) = rolled["rows"]
    assert (row["opening"], row["sold"], row["redeemed"]) == (0, 476, 130)
    assert (row["voided"], row["closing"]) == (43, 389)
    assert (row["cups_sold"], row["cups_redeemed"], row["cups_voided"]) == (11, 3, 1)
    assert row["cups_closing"] == 9
    assert (row["store_code"], row["store_name"], row["offer_code"]) == ("A", "Store A", "eleven")
    assert (rolled["from"], rolled["to"], rolled["basis"]) == ("2026-01", "2026-01", "booked")
    assert rolled["control"] == [
        {
            "total": "closing",
            "accounts": "2131 2132 2134 2138",
            "currency": "TWD",
            "reported": 389,
            "books": 389,
            "difference": 0,
        }
    ]


def test_the_same_whether_folded_or_not(trading: Desk) -> None:
    before = {report: read(trading, report) for report in ASKED}
    with transaction():
        assert fold_some() > 0

    assert {report: read(trading, report) for report in ASKED} == before


def test_months_in_a_row_are_one_report(trading: Desk) -> None:
    trading.go_to(trading.now + timedelta(days=31))
    trading.sell(trading.world.add_member())

    spanned = read(trading, "deferred-revenue", "from=2026-01&to=2026-02")
    later = read(trading, "deferred-revenue", "period=2026-02")

    assert (spanned["from"], spanned["to"]) == ("2026-01", "2026-02")
    assert [(row["opening"], row["sold"], row["closing"]) for row in spanned["rows"]] == [
        (0, 952, 865)
    ]
    assert [(row["opening"], row["sold"], row["closing"]) for row in later["rows"]] == [
        (389, 476, 865)
    ]
    assert agrees(spanned)
    assert agrees(later)


def test_the_roll_forward_of_one_store_or_offer(trading: Desk) -> None:
    trading.sell(trading.world.add_member(), store="B")

    of_a = read(trading, "deferred-revenue", f"period=2026-01&store_id={trading.store('A')}")
    of_b = read(trading, "deferred-revenue", f"period=2026-01&store_id={trading.store('B')}")
    of_eleven = read(
        trading, "deferred-revenue", f"period=2026-01&offer_id={trading.offer('eleven')}"
    )

    assert [row["closing"] for row in of_a["rows"]] == [389]
    assert [row["closing"] for row in of_b["rows"]] == [476]
    assert [row["closing"] for row in of_eleven["rows"]] == [389, 476]
    assert agrees(of_a)
    assert of_eleven["control"] == []


def test_what_became_known_late_is_told_by_both_dates(trading: Desk) -> None:
    close(trading, "2026-01")
    lot = policy.sale(
        store_id=trading.world.stores["A"],
        account="2131",
        net=95,
        vat=5,
        cups=2,
        offer_id=trading.world.offers["eleven"][0],
        lot_id=new_id(),
    )
    booked(trading, "sale", lot, occurred_on=trading.world.now.date(), known_on=trading.today)

    as_booked = read(trading, "deferred-revenue", "period=2026-01&basis=booked")
    as_occurred = read(trading, "deferred-revenue", "period=2026-01&basis=occurred")

    assert [row["closing"] for row in as_booked["rows"]] == [389]
    assert [row["closing"] for row in as_occurred["rows"]] == [389 + 95]
    assert agrees(as_booked)
    assert [one["difference"] for one in as_occurred["control"]] == [95]


def test_the_matrix_says_who_owes_whom_and_agrees_with_both_books(trading: Desk) -> None:
    paid = {
        "payer_id": trading.store("A"),
        "payee_id": trading.store("B"),
        "amount": {"amount": 50},
        "paid_on": "2026-01-14",
        "reference": "TRF-1",
    }
    assert trading.post("/v1/settlements", **paid).status_code == 201

    settled = read(trading, "settlement")

    to_b = next(row for row in settled["rows"] if row["made_at_code"] == "B")
    assert (to_b["sold_at_code"], to_b["sold_at_name"]) == ("A", "Store A")
    figures = ("cups", "opening", "amount", "paid", "closing")
    assert [to_b[name] for name in figures] == [2, 0, 87, 50, 37]
    assert [one["accounts"] for one in settled["control"]] == ["2171", "1171"]
    assert agrees(settled)


def test_a_statement_is_of_one_store_or_of_one_owner(trading: Desk) -> None:
    mine = read(trading, "settlement-statements")
    owner = trading.get(f"/v1/stores/{trading.store('B')}/owner").json["items"][0]["entity"]["id"]
    theirs = read(trading, "settlement-statements", f"period=2026-01&legal_entity_id={owner}")

    assert (mine["code"], mine["name"]) == ("A", "Store A")
    to_b = next(row for row in mine["rows"] if row["counterpart_code"] == "B")
    assert (to_b["direction"], to_b["owed"], to_b["closing"]) == ("payable", 87, 87)
    to_c = next(row for row in mine["rows"] if row["counterpart_code"] == "C")
    assert (to_c["owed"], to_c["voided"], to_c["closing"]) == (43, 43, 0)
    (line,) = theirs["rows"]
    assert theirs["code"] == "entity-B"
    assert (line["counterpart_code"], line["direction"]) == ("entity-A", "receivable")
    assert line["closing"] == 87
    assert agrees(mine)
    assert agrees(theirs)


@pytest.mark.parametrize("whose", ["", "&store_id=A&legal_entity_id=A"])
def test_a_statement_is_somebodys_and_one_persons(trading: Desk, whose: str) -> None:
    asked = f"period=2026-01{whose}".replace("=A", "=" + trading.store("A"))

    refused = trading.get(f"{REPORTS}/settlement-statements?{asked}")

    assert wrong_fields(refused) == ["store_id"]


@pytest.mark.parametrize(("by", "stores"), [("store", ["A"]), ("account", [None])])
def test_the_liability_of_any_day_agrees(trading: Desk, by: str, stores: list) -> None:
    found = read(trading, "liability", f"on=2026-01-14&by={by}")

    assert [(row["store_code"], row["balance"], row["cups"]) for row in found["rows"]] == [
        (store, 389, 9) for store in stores
    ]
    assert found["totals"] == [{"currency": "TWD", "amount": 389, "cups": 9}]
    assert agrees(found)
    assert read(trading, "liability", "on=2026-01-13")["rows"] == []


def test_ageing_adds_up_to_the_liability_whatever_is_in_it(trading: Desk) -> None:
    for days in (40, 100, 200, 400):
        trading.sell(trading.world.add_member(), sold_at=trading.now - timedelta(days=days))
    store, offer = trading.world.stores["A"], trading.world.offers["eleven"][0]
    booked(trading, "breakage", policy.breakage(store_id=store, amount=19, offer_id=offer))
    lot = {"offer_id": offer, "lot_id": new_id()}
    under_way = policy.take(store_id=store, account="6221", amount=7, cups=1, **lot)
    booked(trading, "adjustment", [pair.turned() for pair in under_way])

    aged = read(trading, "ageing")

    lots = next(row for row in aged["rows"] if row["account"] == "2131")
    bands = ("days_0_30", "days_31_90", "days_91_180", "days_181_365", "days_over_365")
    assert [lots[band] for band in bands] == [389, 476, 476, 476, 476]
    assert (lots["cups_0_30"], lots["cups"], lots["without_age"]) == (9, 53, 0)
    assert (lots["store_name"], lots["offer_code"]) == ("Store A", "eleven")
    apart = {row["account"]: row["without_age"] for row in aged["rows"] if row["offer_id"] is None}
    assert apart == {"2134": 7, "2138": -19}
    liability = read(trading, "liability")
    assert aged["totals"] == liability["totals"]
    assert aged["totals"][0]["amount"] == 389 + 4 * 476 + 7 - 19
    assert agrees(aged)


def test_the_guarantee_tells_what_has_left_it(trading: Desk) -> None:
    trading.sell(trading.world.add_member(), sold_at=trading.now - timedelta(days=400))

    found = read(trading, "guarantee")

    assert [(row["ends_in"], row["is_running"], row["gross"]) for row in found["rows"]] == [
        ("2025-12", False, 500),
        ("2027-01", True, 409),
    ]
    assert [row["legal_entity_code"] for row in found["rows"]] == ["entity-A", "entity-A"]
    assert [(one["is_running"], one["net"], one["vat"]) for one in found["totals"]] == [
        (True, 389, 20),
        (False, 476, 24),
    ]
    assert agrees(found)


def test_the_trial_balance_balances(trading: Desk) -> None:
    trial = read(trading, "trial-balance")

    (sums,) = trial["control"]
    assert (sums["opening"], sums["closing"], sums["difference"]) == (0, 0, 0)
    owed = next(row for row in trial["rows"] if row["account"] == "2131")
    assert (owed["debit"], owed["credit"], owed["closing"]) == (130, 519, -389)
    assert owed["name"].startswith("合約負債")
    assert (trial["from"], trial["to"]) == ("2026-01-01", "2026-01-31")


def test_the_trial_balance_of_a_store_or_an_owner(trading: Desk) -> None:
    owner = trading.get(f"/v1/stores/{trading.store('A')}/owner").json["items"][0]["entity"]["id"]
    days = "from=2026-01-14&to=2026-01-14"

    of_store = read(trading, "trial-balance", f"{days}&store_id={trading.store('A')}")
    of_owner = read(trading, "trial-balance", f"{days}&legal_entity_id={owner}")

    assert of_store["rows"] == of_owner["rows"]
    assert {row["account"] for row in of_store["rows"]} == {"1111", "2131", "2171", "2194"}


def test_the_vat_is_that_of_the_sales(trading: Desk) -> None:
    found = read(trading, "vat")

    (row,) = found["rows"]
    assert (row["store_code"], row["kind"], row["net"], row["vat"]) == ("A", "sale", 476, 24)
    assert agrees(found)


def test_the_reconciliation_shows_sales_without_a_payment(trading: Desk) -> None:
    found = read(trading, "reconciliation")

    assert found["cash"] == [{"kind": "sale", "currency": "TWD", "amount": 500}]
    (one,) = found["control"]
    assert (one["reported"], one["books"], one["difference"]) == (0, 500, -500)
    assert found["lines"] == {"matched": 0, "ours_only": 0, "theirs_only": 0, "amounts_differ": 0}
    assert found["fetched_until"] is None


def test_the_reconciliation_has_a_line_for_what_only_we_know(trading: Desk) -> None:
    payment = Payment(
        id=new_id(),
        member_id=new_id(),
        purpose="voucher_order",
        purpose_id=new_id(),
        attempt=1,
        amount=500,
        currency="TWD",
        method_ref="pm_card_visa",
        asked_at=trading.now,
        provider_ref="pi_1",
        status="succeeded",
        created_at=trading.now,
        settled_at=trading.now,
    )
    with transaction():
        db.session.add(payment)

    found = read(trading, "reconciliation")

    (row,) = found["rows"]
    assert (row["verdict"], row["cause"]) == ("ours_only", "not_fetched_yet")
    assert (row["payment_ref"], row["ours_minor"], row["theirs_minor"]) == ("pi_1", 50_000, None)
    assert found["charged"] == [
        {"currency": "TWD", "ours_minor": 50_000, "theirs_minor": 0, "difference_minor": 50_000}
    ]
    assert found["lines"]["ours_only"] == 1
    assert agrees(found)
    assert read(trading, "reconciliation", "period=2026-01&lines=all")["rows"] == [row]


def test_what_a_check_has_found_is_listed(desk: Desk) -> None:
    checks = [
        BooksCheck(id=new_id(), started_at=desk.now, due_at=desk.now, position={}, findings=1)
        for _ in range(2)
    ]
    with transaction():
        db.session.add_all(checks)
        db.session.flush()
        for check, store in zip(checks, ("A", "=1+1"), strict=True):
            facts = {"store": store, "difference": 1}
            db.session.add(
                Finding(
                    id=new_id(),
                    check_id=check.id,
                    invariant="book-balances",
                    facts=facts,
                    found_at=desk.now,
                )
            )

    both = read(desk, "books-checks")
    first = read(desk, "books-checks", f"check_id={checks[0].id}")

    assert [one["id"] for one in both["checks"]] == [str(one.id) for one in checks[::-1]]
    assert [one["findings"] for one in both["checks"]] == [1, 1]
    assert [row["check_id"] for row in both["rows"]] == [str(one.id) for one in checks]
    (row,) = first["rows"]
    assert (row["invariant"], row["facts"]) == ("book-balances", '{"difference": 1, "store": "A"}')


def test_no_check_has_been_run_and_so_none_is_listed(desk: Desk) -> None:
    assert read(desk, "books-checks") == {"checks": [], "rows": []}
    assert_problem(desk.get(f"{REPORTS}/books-checks?check_id={NOBODYS}"), 404, "not-found")


@pytest.mark.parametrize("report", ASKED)
def test_a_report_is_also_a_file(trading: Desk, report: str) -> None:
    asked = ASKED[report].replace("=A", "=" + trading.store("A"))
    path = f"{REPORTS}/{report}?{asked}"
    rows = trading.get(path).json["rows"]

    lines = list(
        csv.DictReader(StringIO(trading.get(f"{path}&format=csv").text.removeprefix("\ufeff")))
    )
    book = openpyxl.load_workbook(BytesIO(trading.get(f"{path}&format=xlsx").data))

    as_text = [{name: _text(value) for name, value in row.items()} for row in rows]
    assert lines == as_text
    assert book["rows"].max_row == len(rows) + 1


def test_each_amount_of_the_roll_forward_is_explained_for_itself(trading: Desk) -> None:
    path = f"{REPORTS}/deferred-revenue?period=2026-01"

    about = openpyxl.load_workbook(BytesIO(trading.get(f"{path}&format=xlsx").data))["about"]

    told = {row[0]: row[1] for row in about.iter_rows(values_only=True, max_col=2)}
    amounts = ["opening", *COLUMNS, "closing"]
    assert len({told[name] for name in amounts}) == len(amounts)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def test_a_formula_in_a_name_comes_out_as_text(trading: Desk) -> None:
    with transaction():
        db.session.execute(
            update(Store).where(Store.code == "A").values(name='=HYPERLINK("http://x")')
        )
    path = f"{REPORTS}/deferred-revenue?period=2026-01"

    (line,) = csv.DictReader(StringIO(trading.get(f"{path}&format=csv").text))
    sheet = openpyxl.load_workbook(BytesIO(trading.get(f"{path}&format=xlsx").data))["rows"]
    head = [cell.value for cell in sheet[1]]
    cell = sheet.cell(2, head.index("store_name") + 1)

    assert line["store_name"] == '\'=HYPERLINK("http://x")'
    assert (cell.data_type, cell.value) == ("s", '=HYPERLINK("http://x")')
    assert read(trading, "deferred-revenue")["rows"][0]["store_name"] == '=HYPERLINK("http://x")'


@pytest.mark.parametrize("report", [*MONTHLY, "trial-balance", "settlement-statements"])
def test_a_malformed_or_future_period_is_refused(desk: Desk, report: str) -> None:
    for period in NO_MONTHS:
        query = f"period={quote(period)}&store_id={desk.store('A')}"
        if report in {"settlement", "vat", "reconciliation"}:
            query = f"period={quote(period)}"
        assert_problem(desk.get(f"{REPORTS}/{report}?{query}"), 422, "period-invalid")


@pytest.mark.parametrize("report", MONTHLY)
def test_a_missing_period_is_refused(desk: Desk, report: str) -> None:
    assert wrong_fields(desk.get(f"{REPORTS}/{report}")) == ["period"]
    assert wrong_fields(desk.get(f"{REPORTS}/{report}?period=")) == ["period"]


@pytest.mark.parametrize("report", AS_OF)
def test_a_malformed_or_future_day_is_refused(desk: Desk, report: str) -> None:
    for day in [*NO_DAYS, "2026-01-15", "9999-12-31", "0001-01-01", "1969-12-31"]:
        assert wrong_fields(desk.get(f"{REPORTS}/{report}?on={quote(day)}")) == ["on"]
    assert wrong_fields(desk.get(f"{REPORTS}/{report}")) == ["on"]


@pytest.mark.parametrize(
    "query",
    ["from=2026-01", "to=2026-01", "period=2026-01&from=2026-01&to=2026-01",
     "period=2026-01&to=2026-01"],
)  # fmt: skip
def test_a_span_has_two_ends_or_is_a_month(desk: Desk, query: str) -> None:
    assert wrong_fields(desk.get(f"{REPORTS}/deferred-revenue?{query}")) == ["period"]


def test_a_span_of_months_has_its_bounds(desk: Desk) -> None:
    path = f"{REPORTS}/deferred-revenue"
    assert desk.get(f"{path}?from=2023-02&to=2026-01").status_code == 200

    refused = desk.get(f"{path}?from=2023-01&to=2026-01")

    assert_problem(refused, 422, "range-too-wide")
    assert (refused.json["asked"], refused.json["most"], refused.json["unit"]) == (37, 36, "months")
    assert wrong_fields(desk.get(f"{path}?from=2026-01&to=2025-12")) == ["from"]
    for odd in ("from=2026-13&to=2026-01", "from=2026-01&to=2026-02", "from=0001-01&to=2026-01"):
        assert_problem(desk.get(f"{path}?{odd}"), 422, "period-invalid")


def test_a_span_of_days_has_its_bounds(desk: Desk) -> None:
    path = f"{REPORTS}/trial-balance"
    assert desk.get(f"{path}?from=2023-01-13&to=2026-01-14").status_code == 200

    assert_problem(desk.get(f"{path}?from=2023-01-12&to=2026-01-14"), 422, "range-too-wide")
    assert wrong_fields(desk.get(f"{path}?from=2026-01-02&to=2026-01-01")) == ["from"]
    assert wrong_fields(desk.get(f"{path}?from=2026-01-01&to=2026-01-15")) == ["to"]
    assert wrong_fields(desk.get(f"{path}?from=0001-01-01&to=2026-01-14")) == ["from"]


@pytest.mark.parametrize(
    "asked",
    [f"deferred-revenue?period=2026-01&store_id={NOBODYS}",
     f"deferred-revenue?period=2026-01&offer_id={NOBODYS}",
     f"liability?on=2026-01-14&store_id={NOBODYS}",
     f"trial-balance?period=2026-01&store_id={NOBODYS}",
     f"trial-balance?period=2026-01&legal_entity_id={NOBODYS}",
     f"settlement-statements?period=2026-01&store_id={NOBODYS}",
     f"settlement-statements?period=2026-01&legal_entity_id={NOBODYS}"],
)  # fmt: skip
def test_a_store_or_offer_or_owner_that_is_not_there_is_not_found(desk: Desk, asked: str) -> None:
    assert_problem(desk.get(f"{REPORTS}/{asked}"), 404, "not-found")


@pytest.mark.parametrize(
    ("asked", "field"),
    [("deferred-revenue?period=2026-01&basis=cash", "basis"),
     ("deferred-revenue?period=2026-01&store_id=x", "store_id"),
     (f"deferred-revenue?period=2026-01&store_id={'9' * 400}", "store_id"),
     ("liability?on=2026-01-14&by=offer", "by"),
     ("reconciliation?period=2026-01&lines=some", "lines"),
     ("books-checks?check_id=x", "check_id"),
     ("vat?period=2026-01&format=pdf", "format")],
)  # fmt: skip
def test_what_a_report_does_not_know_is_refused(desk: Desk, asked: str, field: str) -> None:
    assert wrong_fields(desk.get(f"{REPORTS}/{asked}")) == [field]


@pytest.mark.parametrize("report", ASKED)
def test_managers_and_shoppers_do_not_read_the_books(desk: Desk, report: str) -> None:
    path = f"{REPORTS}/{report}?{ASKED[report].replace('=A', '=' + desk.store('A'))}"

    manager = desk.client.get(path, headers=desk.world.open_office("manager"))
    shopper = desk.client.get(path, headers=desk.world.sign_in(desk.world.add_member()))

    assert_problem(manager, 403, "forbidden")
    assert_problem(shopper, 401, "unauthenticated")
