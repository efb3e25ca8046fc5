"""An invoice is owed once for a sale."""

from datetime import date

import psycopg
import psycopg.errors
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

import invoicing
from invoicing import Buyer, BuyerInvalid, InvoiceLine
from invoicing.models import Invoice, InvoicedLine, InvoiceDocument
from invoicing.sending import SENDING
from kernel.db import db
from kernel.due import is_due
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger import chart
from tests.service.invoicing.selling import PACK, taipei
from tests.together import together


def test_a_sale_owes_an_invoice_that_is_due_and_has_no_number_yet(sold):
    invoice = sold.sell()
    assert (invoice.gross, invoice.net, invoice.vat) == (500, 476, 24)
    assert (invoice.status, invoice.number, invoice.legal_entity_id) == (
        "due",
        None,
        sold.entity_id,
    )
    assert invoice.first_on == date(2026, 1, 1)
    assert len(invoice.random_code) == 4
    (document,) = sold.documents(invoice)
    assert (document.kind, document.ordinal, document.status) == ("issue", 1, "due")
    with transaction():
        assert is_due(SENDING, sold.world.now)


def test_a_second_call_for_the_same_source_answers_the_first(sold):
    source_id = new_id()
    first, second = sold.sell(source_id=source_id), sold.sell(source_id=source_id)
    assert first.id == second.id
    assert len(sold.documents(first)) == 1


def test_of_8_racers_for_one_source_one_issues_and_all_answer_it(sold, app):
    source_id = new_id()
    answers = together(app, [lambda: sold.issue(source_id)] * 8)
    assert len(set(answers)) == 1
    with transaction():
        assert len(db.session.scalars(select(Invoice)).all()) == 1
        assert len(db.session.scalars(select(InvoicedLine)).all()) == 1
        assert len(db.session.scalars(select(InvoiceDocument)).all()) == 1


def test_an_invoice_belongs_to_the_two_months_of_the_store_s_day(sold):
    at_night = sold.sell(sold_at=taipei("2026-03-01T00:30"))  # in UTC it is still February
    assert at_night.first_on == date(2026, 3, 1)


@pytest.mark.parametrize(
    "other",
    [
        {"currency": "USD"},
        {"lines": []},
        {"lines": [InvoiceLine("買一送一", quantity=1, gross=0, net=0, vat=0)]},
    ],
)
def test_other_currencies_and_what_is_free_owe_none(sold, other):
    with transaction():
        assert sold.issue(**other) is None
        assert invoicing.invoices_of_member(sold.member_id, after=None, limit=10) == []


def test_a_line_keeps_the_rate_that_its_code_had_when_it_was_sold(sold):
    with transaction():
        chart.set_rate(
            code="exempt", starts_on=date(1970, 1, 1), basis_points=0, rounding="half_up"
        )
        chart.set_rate(
            code="standard", starts_on=date(2026, 2, 1), basis_points=600, rounding="half_up"
        )
    book = InvoiceLine("書", quantity=2, gross=100, net=100, vat=0, vat_code="exempt")
    invoice = sold.sell(lines=[PACK, book])
    with transaction():
        lines = invoicing.lines_of(invoice.id)
        said = [(line.ordinal, line.basis_points, line.tax_type) for line in lines]
    assert said == [(1, 500, "taxable"), (2, 0, "exempt")]
    assert invoice.gross == 600


def test_a_code_without_a_rate_is_refused(sold):
    unknown = InvoiceLine("書", quantity=1, gross=100, net=100, vat=0, vat_code="luxury")
    with pytest.raises(NotFound), transaction():
        sold.issue(lines=[unknown])


def test_a_store_that_nobody_owned_yet_is_refused(sold):
    with pytest.raises(NotFound), transaction():
        sold.issue(sold_at=taipei("1969-12-31T12:00"))


def test_a_buyer_is_kept_and_a_wrong_one_is_refused(sold):
    invoice = sold.sell(buyer=Buyer(carrier="/ABC+123"))
    assert (invoice.buyer_tax_id, invoice.buyer_carrier) == (None, "/ABC+123")
    with pytest.raises(BuyerInvalid), transaction():
        sold.issue(buyer=Buyer(tax_id="12345678"))


def test_an_invoice_is_found_by_source_member_and_number(sold):
    first, second = sold.sell(), sold.sell()
    sold.send()
    with transaction():
        found = invoicing.find_invoice(source="order", source_id=first.source_id)
        assert found is not None
        assert found.id == first.id
        assert invoicing.find_invoice(source="period", source_id=first.source_id) is None
        member_s = invoicing.invoices_of_member(sold.member_id, after=None, limit=10)
        assert [invoice.id for invoice in member_s] == [first.id, second.id]
        after = invoicing.invoices_of_member(sold.member_id, after=first.id, limit=10)
        assert [invoice.id for invoice in after] == [second.id]
        numbered = invoicing.find_by_number("AB00000001")
        assert numbered is not None
        assert numbered.id == second.id
        assert invoicing.find_by_number("ZZ00000000") is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE invoice SET gross = 400, net = 376",
        "UPDATE invoice SET buyer_tax_id = '04595257'",
        "UPDATE invoice SET number = 'AB00000050'",
        "UPDATE invoice SET seller_name = 'another'",
        "UPDATE invoice_document SET gross = 400, net = 376",
        "UPDATE invoice_document SET status = 'due', sent_at = NULL",
        "UPDATE invoice_range SET next_number = next_number - 1",
        "UPDATE invoice_range SET last_number = 9999",
    ],
)
def test_what_an_invoice_says_never_changes(sold, change):
    sold.sell()
    sold.send()
    with pytest.raises(IntegrityError, match="kept as they are"), transaction():
        db.session.execute(text(change))


@pytest.mark.parametrize("table", ["invoice_line", "invoice_document", "invoice_range"])
def test_the_application_may_delete_nothing_of_it(sold, table):
    sold.sell()
    with pytest.raises(DBAPIError) as refused, transaction():
        db.session.execute(text(f"DELETE FROM {table}"))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_nobody_may_delete_an_invoice_not_even_the_owner_of_the_tables(sold, engines):
    sold.sell()
    url = engines.postgres.url("jibei_owner", "jibei")
    with psycopg.connect(url) as owner, pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute("DELETE FROM invoice_document")
