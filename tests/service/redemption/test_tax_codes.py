"""What is paid besides is taxed by the code of what it came from: in books and on invoices."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

import redemption
import redemption.jobs  # its subscriber registers itself
from invoicing.models import Invoice, InvoicedLine, InvoiceDocument
from kernel import outbox
from kernel.db import db
from kernel.transaction import transaction
from redemption.models import Redemption
from tests.service.redemption.tills import price, rows, sums
from tests.world import only

pytestmark = pytest.mark.usefixtures("books_hold")

SOLD = {"1111": 1000, "2131": -952, "2194": -48}


@pytest.fixture
def two_codes(world):
    """Cups of 50 for lattes, taxed; and for mochas, taxed at nothing. Both drinks cost 90 now."""
    terms = {"covers_up_to": 50, "allows_top_up": True}
    world.add_offer("taxed", product="latte", **terms)
    world.add_offer("untaxed", product=("latte", "mocha"), vat_code="zero", **terms)
    world.till, world.alice = world.add_till("A"), world.add_member()
    earlier = world.now - timedelta(days=1)
    world.add_lot(world.alice, "taxed", units=1, net=476, vat=24, sold_at=earlier)
    world.add_lot(world.alice, "untaxed", net=476, vat=24)
    for name in ("latte", "mocha"):
        price(world.products[name], 90)
    return world


@pytest.fixture
def redeemed(two_codes):
    """A latte of each pack, and a mocha: 40 besides for each."""
    drinks = {"latte": 2, "mocha": 1}
    return two_codes.take(two_codes.till, two_codes.alice, drinks=drinks, top_up=120)


def undo(world, redeemed, **cups):
    with transaction():
        redemption.void(
            redemption_id=UUID(redeemed.id),
            store_id=world.till.store_id,
            staff_id=world.till.staff_id,
            role="clerk",
            items={world.products[name]: many for name, many in cups.items()} or None,
            now=world.now,
        )


def lines():
    """Of the one invoice: what, how much, the VAT in it, by which code, and of which kind."""
    with transaction():
        found = db.session.scalars(select(InvoicedLine).order_by(InvoicedLine.ordinal)).all()
        return [(one.description, one.gross, one.vat, one.vat_code, one.tax_type) for one in found]


def test_each_line_of_the_invoice_has_its_own_code_and_vat(two_codes, redeemed):
    outbox.drain()
    assert lines() == [
        ("補差價 latte", 40, 2, "standard", "taxable"),
        ("補差價 latte", 40, 0, "zero", "zero"),
        ("補差價 mocha", 40, 0, "zero", "zero"),
    ]
    (invoice,) = rows(Invoice)
    assert (invoice.gross, invoice.net, invoice.vat) == (120, 118, 2)
    assert only(Redemption).top_up_vat == 2


def test_what_was_not_taxed_takes_no_vat_back(two_codes, redeemed):
    outbox.drain()
    undo(two_codes, redeemed, mocha=1)
    (invoice,) = rows(Invoice)
    assert (invoice.taken_back_gross, invoice.taken_back_vat) == (40, 0)
    undo(two_codes, redeemed, latte=2)
    (invoice,) = rows(Invoice)
    assert (invoice.taken_back_gross, invoice.taken_back_vat) == (120, 2)
    assert sums() == SOLD


def test_what_was_taxed_takes_all_its_vat_back(two_codes):
    lattes = {"drinks": {"latte": 1, "mocha": 2}, "top_up": 120}
    redeemed = two_codes.take(two_codes.till, two_codes.alice, **lattes)
    outbox.drain()
    undo(two_codes, redeemed, latte=1)
    (invoice,) = rows(Invoice)
    assert (invoice.taken_back_gross, invoice.taken_back_vat) == (40, 2)
    assert sums() == {"1111": 1080, "2131": -865, "2194": -48, "4111": -87, "4115": -80}


def test_of_what_was_undone_before_its_invoice_the_rest_is_invoiced_by_its_code(
    two_codes, redeemed
):
    undo(two_codes, redeemed, latte=1)
    undo(two_codes, redeemed, mocha=1)
    outbox.drain()
    assert lines() == [("補差價 latte", 40, 2, "standard", "taxable")]
    assert [one.kind for one in rows(InvoiceDocument)] == ["issue"]
