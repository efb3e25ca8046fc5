"""Receipts over HTTP."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import vouchers
from invoicing import Buyer
from kernel import clock
from kernel.db import db
from kernel.transaction import transaction
from subs.models import PlanSchedule
from tests.fakes import FakeGateway, fake_provider
from tests.service.vouchers.conftest import pay, settle
from tests.service.vouchers.test_order import add_version
from tests.world import World, small_world
from vouchers.models import Order

Bought = Callable[..., Order]
Show = Callable[..., TestResponse]


@pytest.fixture
def provider(app: Flask) -> Iterator[FakeGateway]:
    with fake_provider() as fake:
        yield fake


@pytest.fixture
def world(app: Flask) -> World:
    return small_world(clock.now())


@pytest.fixture
def alice(world: World) -> UUID:
    return world.add_member()


@pytest.fixture
def bought(provider: FakeGateway, world: World, alice: UUID) -> Bought:
    """Order and pay, and let the cups arrive."""

    def buy(buyer: Buyer | None = None, **wanted: int) -> Order:
        items = [
            {"offer_id": world.offers[code][0], "quantity": many} for code, many in wanted.items()
        ]
        with transaction():
            placed = vouchers.place_order(
                member_id=alice, items=items, buyer=buyer, now=clock.now()
            )
        pay(placed.order)
        settle()
        return placed.order

    return buy


@pytest.fixture
def show(client: FlaskClient, world: World, alice: UUID) -> Show:
    """Ask for a receipt as Alice."""
    mine = world.sign_in(alice)

    def show(order: Order, query: str = "", **headers: str) -> TestResponse:
        return client.get(f"/v1/orders/{order.id}/receipt{query}", headers={**mine, **headers})

    return show


def test_a_receipt_says_who_sold_what_for_how_much(
    world: World, bought: Bought, show: Show
) -> None:
    order = bought(Buyer(tax_id="04595257"), eleven=2)
    answer = show(order)
    assert answer.status_code == 200
    receipt: dict[str, Any] = answer.get_json()
    assert receipt["order_id"] == str(order.id)
    assert receipt["seller"]["name"] == "Entity W"
    assert receipt["seller"]["store_id"] == str(world.stores["W"])
    assert (receipt["total"]["amount"], receipt["net"]["amount"], receipt["vat"]["amount"]) == (
        1000, 952, 48
    )  # fmt: skip
    (line,) = receipt["lines"]
    assert (line["name"], line["quantity"], line["cups"]) == ("eleven", 2, 11)
    assert "Good for: latte (M)." in line["terms"]
    assert line["refunds"]
    (invoice,) = receipt["invoices"]
    assert (invoice["number"], invoice["gross"]["amount"]) == (None, 1000)


def test_a_receipt_states_the_guarantee(world: World, bought: Bought, show: Show) -> None:
    world.add_offer("none", guarantee_months=0)
    lines = show(bought(eleven=1, none=1)).get_json()["lines"]
    assert lines[1]["guarantee"] is None
    dates = lines[0]["guarantee"]
    assert int(dates["until"][:4]) - int(dates["from"][:4]) in (0, 1)
    assert dates["from"] < dates["until"]


def test_the_terms_are_those_that_were_sold(world: World, bought: Bought, show: Show) -> None:
    order = bought(eleven=1)
    before = show(order).get_json()["lines"]
    add_version(world, "eleven", 2, price=480, max_cups=1)
    assert show(order).get_json()["lines"] == before
    assert show(bought(eleven=1)).get_json()["lines"] != before


def test_a_receipt_is_in_the_readers_language(bought: Bought, show: Show) -> None:
    order = bought(eleven=1)
    chinese = show(order, **{"Accept-Language": "zh-TW"}).get_json()
    assert chinese["language"] == "zh-TW"
    assert "無使用期限。" in chinese["lines"][0]["terms"]
    assert show(order).get_json()["language"] == "en"


def test_the_first_period_of_a_plan_is_on_its_receipt(
    world: World, bought: Bought, show: Show
) -> None:
    version_id = world.add_offer(
        "monthly", kind="plan", price=499, cups=10, bonus_cups=0, expiry_mode="lapse"
    )
    with transaction():
        db.session.add(
            PlanSchedule(
                offer_version_id=version_id,
                every_count=1,
                every_unit="month",
                grace_days=7,
                dunning_days=[2],
            )
        )
    receipt = show(bought(eleven=1, monthly=1)).get_json()
    assert sorted(one["gross"]["amount"] for one in receipt["invoices"]) == [499, 500]
    assert (
        "Good in each period that is paid; what the plan does not carry on lapses at its end."
        in (receipt["lines"][1]["terms"])
    )


@pytest.mark.parametrize(
    ("query", "accept", "is_page"),
    [
        ("", "text/html", True),
        ("", "text/html,application/xhtml+xml,*/*;q=0.8", True),
        ("", "application/json", False),
        ("", "*/*", False),
        ("?format=html", "application/json", True),
        ("?format=json", "text/html", False),
    ],
)
def test_a_receipt_is_a_page_for_whoever_asks_for_one(
    *, bought: Bought, show: Show, query: str, accept: str, is_page: bool
) -> None:
    answer = show(bought(eleven=1), query, Accept=accept)
    assert (answer.mimetype == "text/html") is is_page


def test_the_page_loads_nothing_and_escapes_what_is_named(
    world: World, bought: Bought, show: Show
) -> None:
    world.add_product("<script>alert(1)</script>")
    world.add_offer("<b>odd</b>", product="<script>alert(1)</script>")
    page = show(bought(**{"<b>odd</b>": 1}), "?format=html", **{"Accept-Language": "zh-TW"})
    text = page.get_data(as_text=True)
    assert "<script" not in text
    assert "<b>odd" not in text
    assert "&lt;b&gt;odd&lt;/b&gt;" in text
    assert '<html lang="zh-TW">' in text
    assert page.headers["Content-Language"] == "zh-TW"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha")
    assert "NT$500" in text


def test_what_is_not_paid_has_no_receipt(world: World, alice: UUID, show: Show) -> None:
    items = [{"offer_id": world.offers["eleven"][0], "quantity": 1}]
    with transaction():
        order = vouchers.place_order(member_id=alice, items=items, now=clock.now()).order
    answer = show(order)
    assert (answer.status_code, answer.get_json()["reason"]) == (409, "no-receipt-yet")
    assert answer.get_json()["order_status"] == "pending"


def test_somebody_elses_receipt_is_not_there(
    client: FlaskClient, world: World, bought: Bought
) -> None:
    order = bought(eleven=1)
    bob = world.sign_in(world.add_member())
    answer = client.get(f"/v1/orders/{order.id}/receipt", headers=bob)
    assert (answer.status_code, answer.get_json()["reason"]) == (404, "not-found")


@pytest.mark.parametrize("query", ["?format=pdf", "?format=", "?lang=en"])
def test_another_form_is_not_valid(bought: Bought, show: Show, query: str) -> None:
    answer = show(bought(eleven=1), query)
    assert (answer.status_code, answer.get_json()["reason"]) == (422, "validation")
