"""E-invoices and their numbers, over HTTP."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import chain
import invoicing
from invoicing import Buyer, InvoiceLine, jobs
from kernel.config import config
from kernel.ids import new_id
from kernel.transaction import transaction
from tests.api.desk import NOBODYS, Desk, assert_problem, wrong_fields

INVOICES, RANGES = "/v1/invoices", "/v1/invoice-ranges"
PACK = InvoiceLine("十一杯寄杯", quantity=1, gross=500, net=476, vat=24)


def entity(desk: Desk, store: str = "A") -> str:
    with transaction():
        return str(chain.list_owners(desk.world.stores[store])[0].entity.id)


def numbers(desk: Desk, **changed: Any) -> dict[str, Any]:
    return {
        "legal_entity_id": entity(desk),
        "seller_tax_id": "04595257",
        "seller_address": "臺北市中正區",
        "period": "2026-01",
        "prefix": "AB",
        "first_number": 50,
        "last_number": 99,
        **changed,
    }


def sell(desk: Desk, store: str = "A", **other: Any) -> str:
    with transaction():
        invoice_id = invoicing.issue(
            **{
                "member_id": new_id(),
                "store_id": desk.world.stores[store],
                "source": "order",
                "source_id": new_id(),
                "currency": "TWD",
                "lines": [PACK],
                "buyer": None,
                "sold_at": desk.world.now,
                "now": desk.world.now,
                **other,
            }
        )
    return str(invoice_id)


@pytest.fixture
def seller(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Store A has fifty numbers, and a folder to send to."""
    monkeypatch.setenv("INVOICE_TO", f"file:{tmp_path}/invoices")
    config.cache_clear()
    assert desk.post(RANGES, **numbers(desk)).status_code == 201
    yield desk
    monkeypatch.undo()
    config.cache_clear()


def test_a_range_is_added_once_a_key_and_listed_with_what_is_left(desk: Desk) -> None:
    key = new_id().hex
    added, again = (desk.post(RANGES, key=key, **numbers(desk)) for _ in range(2))
    assert added.status_code == 201, added.text
    assert again.json == added.json
    assert (added.json["period"], added.json["left"]) == ("2026-01", 50)
    assert desk.get(RANGES).json == {"items": [added.json], "next_cursor": None}


def test_an_invoice_takes_a_number_of_its_seller(seller: Desk) -> None:
    invoice_id = sell(seller, buyer=Buyer(tax_id="22099131"))
    due = seller.get(f"{INVOICES}/{invoice_id}").json
    assert (due["status"], due["number"], due["issued_at"]) == ("due", None, None)
    assert due["buyer"] == {"tax_id": "22099131", "carrier": None, "donation_code": None}

    jobs.send()

    issued = seller.get(f"{INVOICES}/{invoice_id}").json
    assert (issued["status"], issued["number"]) == ("issued", "AB00000050")
    assert issued["lines"] == [
        {
            "description": "十一杯寄杯",
            "quantity": 1,
            "gross": {"amount": 500, "currency": "TWD"},
            "net": {"amount": 476, "currency": "TWD"},
            "vat": {"amount": 24, "currency": "TWD"},
            "vat_code": "standard",
            "tax_type": "taxable",
        }
    ]
    (document,) = issued["documents"]
    assert (document["kind"], document["status"], document["tries"]) == ("issue", "sent", 0)
    assert seller.get(RANGES).json["items"][0]["left"] == 49


def test_an_allowance_is_shown_with_what_was_taken_back(seller: Desk) -> None:
    source_id = new_id()
    invoice_id = sell(seller, source_id=source_id)
    with transaction():
        invoicing.take_back(
            source="order",
            source_id=source_id,
            cause_id=new_id(),
            gross=50,
            net=48,
            vat=2,
            description="退 1 杯",
            now=seller.world.now,
        )
    shown = seller.get(f"{INVOICES}/{invoice_id}").json
    assert shown["taken_back"] == {"amount": 50, "currency": "TWD"}
    assert [(one["kind"], one["status"]) for one in shown["documents"]] == [
        ("issue", "due"),
        ("allowance", "waiting"),
    ]


def test_invoices_are_listed_by_store_period_status_and_lateness(seller: Desk) -> None:
    here, there = sell(seller), sell(seller, "B")
    march = sell(seller, sold_at=seller.world.now + timedelta(days=60))
    jobs.send()  # store B and March have no numbers

    def listed(query: str) -> list[str]:
        return [one["id"] for one in seller.get(f"{INVOICES}?{query}").json["items"]]

    assert listed("") == [here, there, march]
    assert listed(f"store_id={seller.store('B')}") == [there]
    assert listed("period=2026-03") == [march]
    assert listed("status=issued") == [here]
    assert listed("status=due&period=2026-01") == [there]
    assert listed("late=true") == []
    seller.go_to(seller.world.now + timedelta(days=2, seconds=1))
    assert listed("late=true") == [there]


def test_a_list_goes_on_after_its_cursor(seller: Desk) -> None:
    sold = [sell(seller) for _ in range(3)]
    first = seller.get(f"{INVOICES}?limit=2").json
    rest = seller.get(f"{INVOICES}?limit=2&cursor={first['next_cursor']}").json
    assert [one["id"] for one in first["items"] + rest["items"]] == sold
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"legal_entity_id": NOBODYS}, "legal_entity_id"),
        ({"seller_tax_id": "1234567"}, "seller_tax_id"),
        ({"seller_address": " "}, "seller_address"),
        ({"period": "2026-02"}, "period"),
        ({"period": "2026-13"}, "period"),
        ({"period": "2026-01\n"}, "period"),
        ({"prefix": "ab"}, "prefix"),
        ({"prefix": "ABC"}, "prefix"),
        ({"first_number": -1}, "first_number"),
        ({"first_number": "50"}, "first_number"),
        ({"last_number": 100_000_000}, "last_number"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused_by_field(
    desk: Desk, changed: dict[str, Any], field: str
) -> None:
    refused = desk.post(RANGES, **numbers(desk, **changed))
    assert wrong_fields(refused) == [field]
    assert desk.get(RANGES).json["items"] == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"seller_tax_id": "12345678"}, "seller_tax_id"), ({"last_number": 49}, "last_number")],
)
def test_a_range_that_nobody_assigned_says_why(
    desk: Desk, changed: dict[str, Any], field: str
) -> None:
    refused = desk.post(RANGES, **numbers(desk, **changed))
    assert_problem(refused, 422, "invoice-range-invalid")
    assert refused.json["field"] == field


def test_numbers_are_assigned_once(seller: Desk) -> None:
    refused = seller.post(RANGES, **numbers(seller, first_number=99, last_number=120))
    assert_problem(refused, 409, "invoice-range-overlaps")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("period=2026-02", "period"),
        ("period=January", "period"),
        ("status=lost", "status"),
        ("late=yes", "late"),
        ("store_id=A", "store_id"),
        (f"store_id={NOBODYS}", "store_id"),
        ("colour=red", "colour"),
    ],
)
def test_a_list_of_what_there_cannot_be_is_refused(desk: Desk, query: str, field: str) -> None:
    assert wrong_fields(desk.get(f"{INVOICES}?{query}")) == [field]


def test_an_invoice_that_is_not_there_is_not_found(desk: Desk) -> None:
    assert_problem(desk.get(f"{INVOICES}/{NOBODYS}"), 404, "not-found")


@pytest.mark.parametrize("role", ["manager", "member"])
def test_only_finance_and_admin_see_invoices(desk: Desk, role: str) -> None:
    world = desk.world
    who = world.open_office(role) if role == "manager" else world.sign_in(world.add_member())
    desk.people["other"] = who
    for path in (INVOICES, f"{INVOICES}/{NOBODYS}", RANGES):
        assert desk.get(path, who="other").status_code in {401, 403}
        assert desk.get(path, who="admin").status_code in {200, 404}
    refused = desk.post(RANGES, who="other", **numbers(desk))
    assert refused.status_code in {401, 403}
