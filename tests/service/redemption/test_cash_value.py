"""Vouchers that stand for money: nothing is taxed at the sale, everything where a drink is made."""

from datetime import timedelta

import pytest
from sqlalchemy import select

import redemption.jobs  # noqa: F401  its subscriber registers itself
from invoicing.models import Invoice, InvoicedLine
from kernel import outbox
from kernel.db import db
from kernel.transaction import snapshot, transaction
from ledger.models import Line
from ledger.month import Month
from ledger.reports import control_vat, settlement_matrix, vat_summary
from ledger.service.fold import drain
from redemption.models import RedemptionLine
from tests.service.ledger import naive
from tests.service.redemption.tills import price, rows, sums, undo
from tests.world import only
from vouchers.models import Lot


@pytest.fixture
def cash(world):
    """Eleven drinks for 500, sold at A as a voucher for money."""
    world.add_offer("cash", vat_timing="redemption")
    world.alice = world.add_member()
    world.add_lot(world.alice, "cash", store="A", net=500, vat=0)
    return world


def booked():
    with transaction():
        found = db.session.scalars(select(Line).order_by(Line.entry_id, Line.ordinal)).all()
        return [(one.debit, one.credit, one.amount, one.qty) for one in found]


def taxed(world):
    """The VAT summary of the month: by store and kind, the same from every line one by one."""
    month = Month.of(world.now.date())
    with snapshot():
        found = vat_summary(month)
        naively = naive.vat(naive.all_legs(), month)
        assert all(control.difference == 0 for control in control_vat(found, month=month))
    assert {row[:3]: (row[3], row[4], row[6], row[7]) for row in found} == naively
    names = {store_id: code for code, store_id in world.stores.items()}
    return {(names[row.store_id], row.kind): (row.net, row.vat) for row in found}


def test_where_it_was_sold_the_cups_become_revenue_and_vat(cash):
    cash.take(cash.add_till("A"), cash.alice, 3)
    assert booked() == [
        ("1111", "2131", 500, 11),
        ("2131", "4111", 130, 3),
        ("2131", "2194", 6, 0),
    ]
    assert (only(Lot).net_recognised, only(Lot).vat_gone) == (136, 0)
    assert (only(RedemptionLine).amount, only(RedemptionLine).vat) == (136, 0)


def test_made_elsewhere_the_making_store_owes_the_vat_and_is_owed_the_whole_price(cash):
    cash.take(cash.add_till("B"), cash.alice, 2)
    assert booked()[1:] == [
        ("2131", "2171", 91, 2),
        ("1171", "4111", 87, 2),
        ("1171", "2194", 4, 0),
    ]
    with snapshot():
        (row,) = settlement_matrix(Month.of(cash.now.date()))
    assert (row.sold_at_id, row.made_at_id) == (cash.stores["A"], cash.stores["B"])
    assert row.amount == 91


def test_eleven_cups_at_three_stores_carry_the_whole_price_and_its_vat(cash):
    for store, cups in (("A", 5), ("B", 4), ("C", 2)):
        cash.take(cash.add_till(store), cash.alice, cups)
    assert (only(Lot).net_recognised, only(Lot).is_open) == (500, False)
    told = sums()
    assert (told["1111"], told["4111"] + told["2194"]) == (500, -500)
    assert "2131" not in told


def test_it_is_invoiced_when_it_is_handed_over_with_its_cups(cash):
    till = cash.add_till("B")
    redeemed = cash.take(till, cash.alice, 2)
    outbox.drain()
    (invoice,) = rows(Invoice)
    assert (invoice.source, str(invoice.source_id)) == ("redemption", redeemed.id)
    assert (invoice.store_id, invoice.gross, invoice.vat) == (till.store_id, 91, 4)
    line = only(InvoicedLine)
    assert (line.description, line.quantity, line.net, line.vat_code) == ("cash", 2, 87, "standard")


def test_cups_that_were_taxed_at_their_sale_are_not_on_that_invoice(cash):
    earlier = cash.now - timedelta(days=1)
    cash.add_lot(cash.alice, "eleven", units=1, net=43, vat=2, sold_at=earlier)
    cash.take(cash.add_till("A"), cash.alice, 3)
    outbox.drain()
    (invoice,) = rows(Invoice)
    assert (invoice.gross, only(InvoicedLine).quantity) == (91, 2)


def test_a_late_one_is_invoiced_twice_for_the_cups_and_for_the_top_up(world):
    price(world.products["latte"], 60)
    world.add_offer("cash", vat_timing="redemption", price=240, cups=5, expiry_mode="top_up")
    till, alice = world.add_till("A"), world.add_member()
    late = {"expiry_mode": "top_up", "ends_at": world.now, "due_at": None}
    world.add_lot(alice, "cash", units=5, net=240, vat=0, **late)
    redeemed = world.take(till, alice, top_up=12)
    outbox.drain()
    told = {invoice.source: (invoice.gross, invoice.vat) for invoice in rows(Invoice)}
    assert told == {"redemption": (48, 2), "top_up": (12, 1)}
    assert taxed(world)["A", "redemption"] == (46 + 11, 2 + 1)
    undo(till, redeemed, now=world.now)
    assert {invoice.status for invoice in rows(Invoice)} == {"void"}
    assert taxed(world)["A", "void"] == (-57, -3)


def test_a_void_gives_the_vat_back_and_takes_the_invoice_back(cash):
    till = cash.add_till("B")
    redeemed = cash.take(till, cash.alice, 2)
    outbox.drain()
    undo(till, redeemed, now=cash.now)
    assert sums() == {"1111": 500, "2131": -500}
    (invoice,) = rows(Invoice)
    assert (invoice.status, invoice.taken_back_gross, invoice.taken_back_vat) == ("void", 91, 4)
    assert (only(Lot).used, only(Lot).net_recognised) == (0, 0)


@pytest.mark.parametrize("is_folded", [False, True])
def test_the_vat_summary_shows_it_where_and_when_it_was_made(cash, is_folded):
    cash.add_lot(cash.alice, "eleven", store="A")
    here, there = cash.add_till("A"), cash.add_till("B")
    for till in (here, there):
        cash.take(till, cash.alice, 2)
    undone = cash.take(there, cash.alice, 1)
    undo(there, undone, now=cash.now)
    if is_folded:
        drain()
    assert taxed(cash) == {
        ("A", "sale"): (500 + 476, 24),
        ("A", "redemption"): (87, 4),
        ("B", "redemption"): (87 + 43, 4 + 2),
        ("B", "void"): (-43, -2),
    }


def test_a_redemption_of_cups_that_were_taxed_before_is_no_row_of_the_vat_summary(world):
    till, alice = world.add_till("B"), world.add_member()
    world.add_lot(alice, "eleven", store="A")
    undo(till, world.take(till, alice, 2), now=world.now)
    assert set(taxed(world)) == {("A", "sale")}
