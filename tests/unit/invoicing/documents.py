"""Documents to send, made by hand."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from invoicing.buyer import Buyer
from invoicing.document import Document, DocumentLine, Seller

_TAIPEI = timezone(timedelta(hours=8))

LATTE = DocumentLine(
    ordinal=1,
    description="寄杯 <拿鐵> 11 杯",
    quantity=3,
    gross=500,
    net=476,
    vat=24,
    rate=Decimal("0.05"),
    tax_type="taxable",
)
BOOK = replace(
    LATTE, ordinal=2, description="書", quantity=1, gross=100, net=100, vat=0, tax_type="exempt"
)

ISSUED = Document(
    kind="issue",
    number="AB00000007",
    invoice_number="AB00000007",
    random_code="0042",
    buyer_name="Mabc",
    seller=Seller("04595257", "寄杯有限公司", "臺北市中正區"),
    buyer=Buyer(),
    sold_at=datetime(2026, 1, 14, 12, 0, 5, tzinfo=_TAIPEI),
    made_at=datetime(2026, 1, 14, 12, 0, 5, tzinfo=_TAIPEI),
    gross=500,
    net=476,
    vat=24,
    reason="寄杯",
    lines=(LATTE,),
)


def document(**other: Any) -> Document:
    """An issued invoice to somebody who asked for nothing, but for what is said."""
    return replace(ISSUED, **other)
