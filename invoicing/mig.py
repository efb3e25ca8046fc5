"""A document in the tax office's own words: XML of the message format MIG, version 4.1.

電子發票資料交換標準訊息建置指引 (Message Implementation Guideline) of the Ministry of Finance:
F0401 says that an invoice was issued, F0501 that it is void, G0401 that an allowance was made.
Its Turnkey takes these files from a folder, checks them against its schemas, and sends them.

To a company, net and VAT are shown apart; to a person, lines and total include the VAT. A
zero-rated sale would also have to give its customs mark and reason, which Jibei does not know:
nothing that a drink chain sells over the counter is zero-rated.
"""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from invoicing.buyer import is_mobile_barcode
from invoicing.document import Document, DocumentLine, Seller

VERSION = "4.1"
MESSAGES = {"issue": "F0401", "void": "F0501", "allowance": "G0401"}

_ROOTS = {"issue": "Invoice", "void": "CancelInvoice", "allowance": "Allowance"}
_TAX_TYPES = {"taxable": "1", "zero": "2", "exempt": "3"}
_MIXED = "9"
_GENERAL = "07"  # 一般稅額計算之電子發票
_BY_SELLER = "2"  # 賣方開立折讓證明通知單
_PERSON = "0000000000"
_MOBILE_BARCODE = "3J0002"
_CERTIFICATE = "CQ0001"
_UNIT = "式"
_REASON_LENGTH = 20
_DESCRIPTION_LENGTH = 256
_UNIT_PRICE_STEP = Decimal("0.0000001")


def name_of(document: Document) -> str:
    """What the document's file is called, for ever: `F0401-AB12345678`."""
    return f"{MESSAGES[document.kind]}-{document.number}"


def written(document: Document) -> bytes:
    """The document as XML, byte for byte the same whenever it is written."""
    message = MESSAGES[document.kind]
    root = Element(
        _ROOTS[document.kind], {"xmlns": f"urn:GEINV:eInvoiceMessage:{message}:{VERSION}"}
    )
    {"issue": _issue, "void": _void, "allowance": _allowance}[document.kind](root, document)
    indent(root)
    xml: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return xml + b"\n"


def _issue(root: Element, document: Document) -> None:
    main = SubElement(root, "Main")
    _texts(
        main,
        InvoiceNumber=document.number,
        InvoiceDate=f"{document.sold_at:%Y%m%d}",
        InvoiceTime=f"{document.sold_at:%H:%M:%S}",
    )
    _parties(main, document)
    buyer = document.buyer
    is_printed = buyer.carrier is None and buyer.donation_code is None
    _texts(main, InvoiceType=_GENERAL, DonateMark="1" if buyer.donation_code else "0")
    if buyer.carrier is not None:
        kind = _MOBILE_BARCODE if is_mobile_barcode(buyer.carrier) else _CERTIFICATE
        _texts(main, CarrierType=kind, CarrierId1=buyer.carrier, CarrierId2=buyer.carrier)
    _texts(main, PrintMark="Y" if is_printed else "N")
    if buyer.donation_code is not None:
        _texts(main, NPOBAN=buyer.donation_code)
    _texts(main, RandomNumber=document.random_code)
    details = SubElement(root, "Details")
    for line in document.lines:
        amount = _shown(document, line)
        _texts(
            SubElement(details, "ProductItem"),
            Description=line.description[:_DESCRIPTION_LENGTH],
            Quantity=str(line.quantity),
            UnitPrice=_unit_price(amount, line.quantity),
            TaxType=_TAX_TYPES[line.tax_type],
            Amount=str(amount),
            SequenceNumber=f"{line.ordinal:04d}",
        )
    _texts(SubElement(root, "Amount"), **dict(_amounts(document)))


def _amounts(document: Document) -> Iterator[tuple[str, str]]:
    for name, tax_type in (
        ("SalesAmount", "taxable"),
        ("FreeTaxSalesAmount", "exempt"),
        ("ZeroTaxSalesAmount", "zero"),
    ):
        lines = (line for line in document.lines if line.tax_type == tax_type)
        yield name, str(sum(_shown(document, line) for line in lines))
    yield "TaxType", _tax_type(document)
    yield "TaxRate", str(max(line.rate for line in document.lines))
    yield "TaxAmount", str(document.vat if document.buyer.tax_id else 0)
    yield "TotalAmount", str(document.gross)


def _void(root: Element, document: Document) -> None:
    _texts(
        root,
        CancelInvoiceNumber=document.invoice_number,
        InvoiceDate=f"{document.sold_at:%Y%m%d}",
        BuyerId=document.buyer.tax_id or _PERSON,
        SellerId=document.seller.tax_id,
        CancelDate=f"{document.made_at:%Y%m%d}",
        CancelTime=f"{document.made_at:%H:%M:%S}",
        CancelReason=document.reason[:_REASON_LENGTH],
    )


def _allowance(root: Element, document: Document) -> None:
    main = SubElement(root, "Main")
    _texts(main, AllowanceNumber=document.number, AllowanceDate=f"{document.made_at:%Y%m%d}")
    _parties(main, document)
    _texts(main, AllowanceType=_BY_SELLER)
    _texts(
        SubElement(SubElement(root, "Details"), "ProductItem"),
        OriginalInvoiceDate=f"{document.sold_at:%Y%m%d}",
        OriginalInvoiceNumber=document.invoice_number,
        OriginalDescription=document.reason[:_DESCRIPTION_LENGTH],
        Quantity="1",
        Unit=_UNIT,
        UnitPrice=str(document.net),
        Amount=str(document.net),
        Tax=str(document.vat),
        AllowanceSequenceNumber="1",
        TaxType=_allowed_tax_type(document),
    )
    _texts(SubElement(root, "Amount"), TaxAmount=str(document.vat), TotalAmount=str(document.net))


def _parties(main: Element, document: Document) -> None:
    seller: Seller = document.seller
    _texts(
        SubElement(main, "Seller"),
        Identifier=seller.tax_id,
        Name=seller.name,
        Address=seller.address,
    )
    _texts(
        SubElement(main, "Buyer"),
        Identifier=document.buyer.tax_id or _PERSON,
        Name=document.buyer_name,
    )


def _shown(document: Document, line: DocumentLine) -> int:
    """A company sees what it pays before the VAT that it reclaims; a person what is paid."""
    return line.net if document.buyer.tax_id else line.gross


def _tax_type(document: Document) -> str:
    kinds = {line.tax_type for line in document.lines}
    return _TAX_TYPES[kinds.pop()] if len(kinds) == 1 else _MIXED


def _allowed_tax_type(document: Document) -> str:
    """That of the lines; where they differ, what is given back is taxable if VAT comes with it."""
    kinds = {line.tax_type for line in document.lines}
    if len(kinds) == 1:
        return _TAX_TYPES[kinds.pop()]
    untaxed = (kinds - {"taxable"}).pop()
    return _TAX_TYPES["taxable" if document.vat else untaxed]


def _unit_price(amount: int, quantity: int) -> str:
    each = (Decimal(amount) / quantity).quantize(_UNIT_PRICE_STEP, ROUND_HALF_UP)
    return f"{each.normalize():f}"


def _texts(parent: Element, **texts: str) -> None:
    for name, text in texts.items():
        SubElement(parent, name).text = text
