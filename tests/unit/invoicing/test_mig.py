"""Documents in the tax office's format."""

from datetime import datetime, timedelta
from decimal import Decimal
from xml.etree.ElementTree import fromstring

import pytest

from invoicing import mig
from invoicing.buyer import Buyer
from tests.unit.invoicing.documents import BOOK, ISSUED, LATTE, document


def read(sent):
    """The elements of a document and their texts, in order, without the namespace."""
    root = fromstring(mig.written(sent))  # noqa: S314  our own
    kept = [(root.tag, None)]
    kept += [
        (element.tag.partition("}")[2], element.text)
        for element in root.iter()
        if len(element) == 0
    ]
    return kept


def test_an_invoice_to_a_person_is_f0401_with_amounts_that_include_the_vat():
    assert read(ISSUED) == [
        ("{urn:GEINV:eInvoiceMessage:F0401:4.1}Invoice", None),
        ("InvoiceNumber", "AB00000007"),
        ("InvoiceDate", "20260114"),
        ("InvoiceTime", "12:00:05"),
        ("Identifier", "04595257"),
        ("Name", "寄杯有限公司"),
        ("Address", "臺北市中正區"),
        ("Identifier", "0000000000"),
        ("Name", "Mabc"),
        ("InvoiceType", "07"),
        ("DonateMark", "0"),
        ("PrintMark", "Y"),
        ("RandomNumber", "0042"),
        ("Description", "寄杯 <拿鐵> 11 杯"),
        ("Quantity", "3"),
        ("UnitPrice", "166.6666667"),
        ("TaxType", "1"),
        ("Amount", "500"),
        ("SequenceNumber", "0001"),
        ("SalesAmount", "500"),
        ("FreeTaxSalesAmount", "0"),
        ("ZeroTaxSalesAmount", "0"),
        ("TaxType", "1"),
        ("TaxRate", "0.05"),
        ("TaxAmount", "0"),
        ("TotalAmount", "500"),
    ]


def test_an_invoice_to_a_company_shows_net_and_vat_apart():
    told = dict(read(document(buyer=Buyer(tax_id="22099131"), buyer_name="22099131")))
    assert told["Identifier"] == "22099131"
    assert told["Amount"] == told["SalesAmount"] == "476"
    assert told["TaxAmount"] == "24"
    assert told["TotalAmount"] == "500"
    assert told["PrintMark"] == "Y"


@pytest.mark.parametrize(
    ("carrier", "kind"), [("/ABC+123", "3J0002"), ("AB12345678901234", "CQ0001")]
)
def test_a_carrier_is_named_by_its_kind_and_nothing_is_printed(carrier, kind):
    told = dict(read(document(buyer=Buyer(carrier=carrier))))
    assert told["CarrierType"] == kind
    assert told["CarrierId1"] == told["CarrierId2"] == carrier
    assert told["PrintMark"] == "N"
    assert told["DonateMark"] == "0"


def test_a_donation_is_marked_and_nothing_is_printed():
    told = dict(read(document(buyer=Buyer(donation_code="168"))))
    assert (told["DonateMark"], told["NPOBAN"], told["PrintMark"]) == ("1", "168", "N")


def test_a_mixed_invoice_adds_up_by_tax_type():
    told = dict(read(document(lines=(LATTE, BOOK), gross=600, net=576)))
    assert told["SalesAmount"] == "500"
    assert told["FreeTaxSalesAmount"] == "100"
    assert told["TaxType"] == "9"
    assert told["TaxRate"] == str(Decimal("0.05"))
    assert told["TotalAmount"] == "600"


def test_a_void_is_f0501_of_the_same_number():
    void = document(kind="void", made_at=ISSUED.made_at + timedelta(days=1), reason="退款" * 15)
    assert read(void) == [
        ("{urn:GEINV:eInvoiceMessage:F0501:4.1}CancelInvoice", None),
        ("CancelInvoiceNumber", "AB00000007"),
        ("InvoiceDate", "20260114"),
        ("BuyerId", "0000000000"),
        ("SellerId", "04595257"),
        ("CancelDate", "20260115"),
        ("CancelTime", "12:00:05"),
        ("CancelReason", "退款" * 10),
    ]


def test_an_allowance_is_g0401_with_a_number_of_its_own_and_the_net_given_back():
    allowance = document(
        kind="allowance",
        number="AB000000070002",
        made_at=datetime.fromisoformat("2026-03-02T09:00:00+08:00"),
        gross=50,
        net=48,
        vat=2,
        reason="退 1 杯",
    )
    assert read(allowance) == [
        ("{urn:GEINV:eInvoiceMessage:G0401:4.1}Allowance", None),
        ("AllowanceNumber", "AB000000070002"),
        ("AllowanceDate", "20260302"),
        ("Identifier", "04595257"),
        ("Name", "寄杯有限公司"),
        ("Address", "臺北市中正區"),
        ("Identifier", "0000000000"),
        ("Name", "Mabc"),
        ("AllowanceType", "2"),
        ("OriginalInvoiceDate", "20260114"),
        ("OriginalInvoiceNumber", "AB00000007"),
        ("OriginalDescription", "退 1 杯"),
        ("Quantity", "1"),
        ("Unit", "式"),
        ("UnitPrice", "48"),
        ("Amount", "48"),
        ("Tax", "2"),
        ("AllowanceSequenceNumber", "1"),
        ("TaxType", "1"),
        ("TaxAmount", "2"),
        ("TotalAmount", "48"),
    ]


def test_the_same_document_is_the_same_bytes_under_the_same_name():
    assert mig.written(ISSUED) == mig.written(document())
    assert mig.name_of(ISSUED) == "F0401-AB00000007"
    assert mig.name_of(document(kind="void")) == "F0501-AB00000007"
