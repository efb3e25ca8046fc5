"""The journal over HTTP, and the way from a line to what caused it."""

import csv
from datetime import timedelta
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import pytest

from kernel.ids import NOBODY
from kernel.transaction import transaction
from ledger.service.fold import fold_some
from redemption import void
from tests.api.desk import NOBODYS, Desk, assert_problem, wrong_fields
from tests.api.months import close

ENTRIES = "/v1/entries"
JANUARY = "from=2026-01-01&to=2026-01-31"


@pytest.fixture
def trading(desk: Desk) -> Desk:
    """A sold a pack to Alice; B made two of its cups, and took that back."""
    alice = desk.world.add_member()
    desk.sell(alice)
    till = desk.world.add_till("B")
    desk.go_to(desk.now + timedelta(minutes=1))
    taken = desk.world.take(till, alice, 2, now=desk.now)
    desk.go_to(desk.now + timedelta(minutes=1))
    with transaction():
        void(
            redemption_id=taken.id,
            store_id=till.store_id,
            staff_id=till.staff_id,
            role="clerk",
            now=desk.now,
        )
    return desk


def lines(desk: Desk, query: str = JANUARY) -> list[dict[str, Any]]:
    answer = desk.get(f"{ENTRIES}?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json["rows"]


def entry_of(desk: Desk, kind: str) -> dict[str, Any]:
    line = next(line for line in lines(desk) if line["kind"] == kind)
    answer = desk.get(f"{ENTRIES}/{line['owner_id']}/{line['entry_id']}")
    assert answer.status_code == 200, answer.text
    return answer.json


def test_the_journal_has_every_line_in_its_order(trading: Desk) -> None:
    found = lines(trading)

    in_a = [line for line in found if line["store_code"] == "A"]
    assert found == in_a + [line for line in found if line["store_code"] == "B"]
    assert [(line["kind"], line["debit"], line["credit"], line["amount"]) for line in in_a] == [
        ("sale", "1111", "2131", 476),
        ("sale", "1111", "2194", 24),
        ("redemption", "2131", "2171", 87),
        ("void", "2171", "2131", 87),
    ]
    taken = in_a[2]
    assert (taken["cups"], taken["offer_code"]) == (2, "eleven")
    assert taken["counterpart_store_name"] == "Store B"
    assert (taken["book_date"], taken["occurred_on"]) == ("2026-01-14", "2026-01-14")


def test_the_journal_goes_on_page_by_page(trading: Desk) -> None:
    whole, cursor, paged = lines(trading), "", []
    while True:
        page = trading.get(f"{ENTRIES}?{JANUARY}&limit=4{cursor}").json
        paged += page["rows"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert len(whole) == 6
    assert paged == whole


def test_the_journal_of_a_store_or_an_account(trading: Desk) -> None:
    of_store = lines(trading, f"{JANUARY}&store_id={trading.store('B')}")
    of_account = lines(trading, f"{JANUARY}&account=2194")

    assert {line["store_code"] for line in of_store} == {"B"}
    assert [line["amount"] for line in of_account] == [24]
    assert lines(trading, f"{JANUARY}&account=6221") == []


def test_a_file_has_all_lines_at_once(trading: Desk) -> None:
    path = f"{ENTRIES}?{JANUARY}&limit=1"

    table = list(csv.DictReader(StringIO(trading.get(f"{path}&format=csv").text)))
    book = openpyxl.load_workbook(BytesIO(trading.get(f"{path}&format=xlsx").data))

    assert [line["entry_id"] for line in table] == [line["entry_id"] for line in lines(trading)]
    assert book["rows"].max_row == 7


def test_a_line_leads_to_the_cups_that_were_handed_over(trading: Desk) -> None:
    entry = entry_of(trading, "redemption")

    source = entry["source"]
    assert source["sort"] == "redemption"
    taken = source["redemption"]
    assert (taken["store_id"], taken["cups"]) == (trading.store("B"), 2)
    assert taken["product_id"] == str(trading.world.products["latte"])
    assert taken["device_id"] is not None
    assert taken["redeemed_at"] == entry["event_at"]
    assert [(lot["cups"], lot["amount"]) for lot in taken["taken"]] == [(2, 87)]
    assert {line["store_id"] for line in entry["lines"]} == {trading.store("A"), trading.store("B")}


def test_an_entry_and_its_reversal_name_each_other(trading: Desk) -> None:
    redeemed, voided = entry_of(trading, "redemption"), entry_of(trading, "void")

    assert (redeemed["reversed_by_id"], redeemed["reverses_id"]) == (voided["id"], None)
    assert (voided["reverses_id"], voided["reversed_by_id"]) == (redeemed["id"], None)
    assert voided["source"]["redemption"] == redeemed["source"]["redemption"]
    assert voided["source"]["redemption"]["voided_at"] is not None


def test_a_sale_leads_to_its_lot(trading: Desk) -> None:
    source = entry_of(trading, "sale")["source"]

    lot = source["lot"]
    assert source["sort"] == "lot"
    assert (lot["offer_code"], lot["cups"], lot["store_id"]) == ("eleven", 11, trading.store("A"))
    assert (lot["net"], lot["vat"]["amount"]) == ({"amount": 476, "currency": "TWD"}, 24)


def test_what_finance_booked_leads_to_its_reason(trading: Desk) -> None:
    common = {"store_id": trading.store("A"), "amount": 70}
    sides = [
        {**common, "account": "6221", "side": "debit"},
        {**common, "account": "1111", "side": "credit"},
    ]
    proposed = trading.post(
        "/v1/adjustments", book_date="2026-01-14", reason="A loss.", lines=sides
    ).json
    trading.post(f"/v1/adjustments/{proposed['id']}/approve", who="bob")

    entry = entry_of(trading, "adjustment")

    assert entry["owner_id"] == str(NOBODY)
    assert entry["source"]["sort"] == "adjustment"
    assert entry["source"]["adjustment"]["reason"] == "A loss."


def test_a_payment_between_stores_leads_to_its_reference(desk: Desk) -> None:
    alice = desk.world.add_member()
    desk.sell(alice)
    desk.world.take(desk.world.add_till("B"), alice, 2)
    desk.post(
        "/v1/settlements",
        payer_id=desk.store("A"),
        payee_id=desk.store("B"),
        amount={"amount": 87},
        paid_on="2026-01-14",
        reference="TRF-1",
    )

    source = entry_of(desk, "settlement")["source"]

    assert (source["sort"], source["settlement"]["reference"]) == ("settlement", "TRF-1")


def test_breakage_leads_to_its_run(desk: Desk) -> None:
    alice = desk.world.add_member()
    desk.sell(alice)
    desk.world.take(desk.world.add_till("A"), alice, 4)
    desk.put(
        "/v1/breakage-estimates",
        offer_id=desk.offer("eleven"),
        period="2026-01",
        method="proportional",
        basis_points=1_000,
        reason="Last year's.",
    )
    close(desk, "2026-01")

    source = entry_of(desk, "breakage")["source"]

    assert source["sort"] == "breakage"
    assert source["breakage"] == {
        "offer_id": desk.offer("eleven"),
        "store_id": desk.store("A"),
        "period": "2026-01",
        "run": 1,
        "estimate_version": 1,
    }


def test_an_entry_gets_its_number_when_it_is_sealed(trading: Desk) -> None:
    assert entry_of(trading, "sale")["seal_number"] is None
    with transaction():
        fold_some()

    numbers = {line["entry_id"]: line["seal_number"] for line in lines(trading)}

    assert sorted(numbers.values()) == [1, 2, 3]
    assert entry_of(trading, "sale")["seal_number"] == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("to=2026-01-31", "from"),
        ("from=2026-01-01", "to"),
        ("from=2026-02-30&to=2026-03-01", "from"),
        ("from=2026-01-02&to=2026-01-01", "from"),
        ("from=2026-01-15&to=2026-01-31", "from"),
        ("from=1969-12-31&to=1970-01-01", "from"),
        ("from=99999-01-01&to=2026-01-01", "from"),
        (f"{JANUARY}&account=%20", "account"),
        (f"{JANUARY}&store_id=1", "store_id"),
        (f"{JANUARY}&cursor=AAAA", "cursor"),
        (f"{JANUARY}&limit=201", "limit"),
    ],
)
def test_what_is_no_part_of_the_journal_is_refused(desk: Desk, query: str, field: str) -> None:
    assert wrong_fields(desk.get(f"{ENTRIES}?{query}")) == [field]


def test_a_year_and_a_day_is_the_most(desk: Desk) -> None:
    assert desk.get(f"{ENTRIES}?from=2025-01-01&to=2026-01-01").status_code == 200

    refused = desk.get(f"{ENTRIES}?from=2025-01-01&to=2026-01-02")

    assert_problem(refused, 422, "range-too-wide")
    assert (refused.json["asked"], refused.json["most"], refused.json["unit"]) == (367, 366, "days")


def test_what_is_not_there_is_refused(trading: Desk) -> None:
    assert_problem(trading.get(f"{ENTRIES}?{JANUARY}&account=9999"), 422, "account-unknown")
    assert_problem(trading.get(f"{ENTRIES}?{JANUARY}&store_id={NOBODYS}"), 404, "not-found")
    entry = entry_of(trading, "sale")
    for path in (
        f"{entry['owner_id']}/{NOBODYS}",
        f"{NOBODYS}/{entry['id']}",
        f"{NOBODY}/{entry['id']}",
        f"x/{entry['id']}",
        "9" * 400,
    ):
        assert_problem(trading.get(f"{ENTRIES}/{path}"), 404, "not-found")


def test_only_finance_reads_the_journal(trading: Desk) -> None:
    manager = trading.world.open_office("manager")

    refused = trading.client.get(f"{ENTRIES}?{JANUARY}", headers=manager)

    assert_problem(refused, 403, "forbidden")
