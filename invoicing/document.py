"""What a port is given to send: everything that the tax office is told, and nothing to look up."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from invoicing.buyer import Buyer
from invoicing.policy import TaxType

Kind = Literal["issue", "void", "allowance"]


@dataclass(frozen=True, slots=True)
class Seller:
    """Who sold, as the tax office knows it."""

    tax_id: str
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """What was sold; amounts of the whole line, in whole dollars."""

    ordinal: int
    description: str
    quantity: int
    gross: int
    net: int
    vat: int
    rate: Decimal
    tax_type: TaxType


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice, its voiding, or an allowance on it. The same whenever it is sent again.

    `number` names the document: an allowance has one of its own, the others the invoice's. Times
    are the store's. Amounts are those of the document: of an allowance, what is given back, for
    the `reason`. `buyer_name` is a company's tax id, or a short word that tells one person's
    invoice from another's.
    """

    kind: Kind
    number: str
    invoice_number: str
    random_code: str
    buyer_name: str
    seller: Seller
    buyer: Buyer
    sold_at: datetime
    made_at: datetime
    gross: int
    net: int
    vat: int
    reason: str
    lines: tuple[DocumentLine, ...]
