"""Part of an invoice, or all of it, is given back, and never more."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from invoicing import Buyer, proof
from kernel.errors import Refusal
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger.proof import CHECKS
from tests.service.invoicing.selling import taipei
from tests.together import together

PART = {"gross": 50, "net": 48, "vat": 2}


def findings():
    with transaction():
        return CHECKS["invoice"].look_at(proof.INVOICES.next(None))


def test_all_of_it_in_the_same_two_months_voids_the_invoice(sold):
    invoice = sold.sell()
    document = sold.refund(invoice, now=taipei("2026-02-28T23:59"))
    assert (document.kind, document.gross, document.vat) == ("void", 500, 24)
    after = sold.read(invoice.id)
    assert (after.status, after.taken_back_gross) == ("void", 500)
    assert findings() == []


def test_all_of_it_in_later_months_is_an_allowance(sold):
    invoice = sold.sell()
    document = sold.refund(invoice, now=taipei("2026-03-01T00:00"))
    assert document.kind == "allowance"
    after = sold.read(invoice.id)
    assert (after.status, after.taken_back_net, after.taken_back_vat) == ("due", 476, 24)
    assert findings() == []


def test_a_part_and_then_the_rest_are_two_allowances(sold):
    invoice = sold.sell()
    part = sold.refund(invoice, **PART)
    rest = sold.refund(invoice, gross=450, net=428, vat=22)
    assert (part.kind, rest.kind) == ("allowance", "allowance")
    assert [one.ordinal for one in sold.documents(invoice)] == [1, 2, 3]
    assert sold.read(invoice.id).taken_back_gross == 500
    assert findings() == []


@pytest.mark.parametrize(
    "more",
    [
        {"gross": 450, "net": 425, "vat": 25},
        {"gross": 450, "net": 430, "vat": 20},
    ],
)
def test_more_net_or_vat_than_is_left_is_refused_by_the_database(sold, more):
    invoice = sold.sell()
    sold.refund(invoice, **PART)
    with pytest.raises(IntegrityError, match="ck_invoice_taken_back_at_most_all"):
        sold.refund(invoice, **more)
    assert sold.read(invoice.id).taken_back_gross == 50


def test_where_less_is_left_that_much_goes_back_and_nothing_after_it(sold):
    invoice = sold.sell()
    sold.refund(invoice, **PART)
    rest = sold.refund(invoice, gross=451, net=429, vat=22)
    assert (rest.gross, rest.net, rest.vat) == (450, 428, 22)
    with transaction():
        assert sold.take_back(invoice, cause_id=new_id()) is None
    assert sold.read(invoice.id).taken_back_gross == 500


def test_the_same_cause_gives_back_once(sold):
    invoice, cause_id = sold.sell(), new_id()
    first = sold.refund(invoice, cause_id=cause_id, **PART)
    second = sold.refund(invoice, cause_id=cause_id, **PART)
    assert first.id == second.id
    assert sold.read(invoice.id).taken_back_gross == 50


def test_what_was_not_invoiced_or_is_nothing_gives_nothing_back(sold):
    invoice = sold.sell()
    with transaction():
        assert sold.take_back(invoice, source_id=new_id()) is None
        assert sold.take_back(invoice, source="period") is None
        assert sold.take_back(invoice, gross=0, net=0, vat=0) is None
    assert len(sold.documents(invoice)) == 1


def test_8_racers_of_one_cause_give_back_once(sold, app):
    invoice, cause_id = sold.sell(), new_id()
    answers = together(app, [lambda: sold.take_back(invoice, cause_id=cause_id, **PART)] * 8)
    assert len(set(answers)) == 1
    assert sold.read(invoice.id).taken_back_gross == 50


def test_8_racers_of_different_causes_get_an_order_and_each_their_document(sold, app):
    invoice = sold.sell()
    answers = together(app, [lambda: sold.take_back(invoice, **PART) for _ in range(8)])
    assert not any(isinstance(answer, Refusal) for answer in answers)
    assert sold.read(invoice.id).taken_back_gross == 400
    assert [one.ordinal for one in sold.documents(invoice)] == list(range(1, 10))
    assert findings() == []


def test_an_invoice_that_is_void_is_sent_as_issued_first(sold):
    invoice = sold.sell()
    sold.refund(invoice)
    assert [one.status for one in sold.documents(invoice)] == ["due", "waiting"]
    assert sold.send() == ["F0401-AB00000000.xml", "F0501-AB00000000.xml"]
    assert sold.told("F0501-AB00000000")["CancelReason"] == "退款"
    after = sold.read(invoice.id)
    assert (after.status, after.number) == ("void", "AB00000000")
    assert [one.status for one in sold.documents(invoice)] == ["sent", "sent"]


def test_allowances_have_numbers_of_their_own(sold):
    invoice = sold.sell(buyer=Buyer(tax_id="22099131"))
    sold.send()
    sold.refund(invoice, **PART)
    sold.refund(invoice, now=sold.world.now + timedelta(days=90), **PART)
    assert sold.send() == [
        "F0401-AB00000000.xml",
        "G0401-AB000000000002.xml",
        "G0401-AB000000000003.xml",
    ]
    told = sold.told("G0401-AB000000000003")
    assert (told["OriginalInvoiceNumber"], told["AllowanceDate"]) == ("AB00000000", "20260414")
    assert (told["TotalAmount"], told["TaxAmount"]) == ("48", "2")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE invoice SET taken_back_gross = 51, taken_back_net = 49",
        "UPDATE invoice SET vat = 25, net = 475",
        "UPDATE invoice_line SET vat = 25, net = 475",
        "UPDATE invoice_document SET vat = 3, net = 47 WHERE ordinal = 2",
        "UPDATE invoice_document SET vat = 25, net = 475 WHERE ordinal = 1",
        "DELETE FROM invoice_document WHERE ordinal = 1",
        "UPDATE invoice_document SET kind = 'void' WHERE ordinal = 2",
        "UPDATE invoice SET number = 'AB00000001'",
        "UPDATE invoice SET number = 'CD00000000'",
    ],
)
def test_the_check_finds_an_invoice_that_does_not_add_up(sold, tamper, change):
    invoice = sold.sell()
    sold.send()
    sold.refund(invoice, **PART)
    assert findings() == []
    tamper(change)
    assert [found.facts["invoice_id"] for found in findings()] == [str(invoice.id)]
