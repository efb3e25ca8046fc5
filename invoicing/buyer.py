"""To whom an invoice is made out, and whether the tax office could know that."""

import re
from dataclasses import dataclass

from invoicing.errors import BuyerInvalid

_WEIGHTS = (1, 2, 1, 2, 1, 2, 4, 1)
_DIVISOR = 5
_SEVENTH = 6

_EIGHT_DIGITS = re.compile(r"[0-9]{8}")
_MOBILE_BARCODE = re.compile(r"/[0-9A-Z.+-]{7}")
_CERTIFICATE = re.compile(r"[A-Z]{2}[0-9]{14}")
_DONATION_CODE = re.compile(r"[0-9]{3,7}")


@dataclass(frozen=True, slots=True)
class Buyer:
    """What a buyer asked for: nothing (an invoice on paper), or exactly one of these.

    `tax_id` is a company's (統一編號); `carrier` where a person collects invoices: a mobile barcode
    (`/ABC+123`) or the number of a citizen's certificate; `donation_code` who gets the invoice.
    """

    tax_id: str | None = None
    carrier: str | None = None
    donation_code: str | None = None


def check_buyer(buyer: Buyer) -> None:
    """Refuse a buyer that no invoice can be made out to.

    Raises:
        BuyerInvalid: `field` says what is wrong: `tax_id`, `carrier`, `donation_code`, or
            `several` where more than one of them is given.
    """
    given = [one for one in (buyer.tax_id, buyer.carrier, buyer.donation_code) if one is not None]
    if len(given) > 1:
        raise BuyerInvalid(field="several")
    if buyer.tax_id is not None and not is_tax_id(buyer.tax_id):
        raise BuyerInvalid(field="tax_id")
    if buyer.carrier is not None and not (
        is_mobile_barcode(buyer.carrier) or _is_certificate(buyer.carrier)
    ):
        raise BuyerInvalid(field="carrier")
    if buyer.donation_code is not None and not _DONATION_CODE.fullmatch(buyer.donation_code):
        raise BuyerInvalid(field="donation_code")


def is_tax_id(text: str) -> bool:
    """Whether eight digits can be a company's tax id.

    Rule: Ministry of Finance, 營利事業統一編號檢查碼邏輯修正說明, in force since April 2023. Each
    digit times its weight (1, 2, 1, 2, 1, 2, 4, 1); the digits of the products are added up; the
    sum is divisible by 5 (until then by 10). If the seventh digit is 7, its product 28 gives 2 + 8
    = 10, which counts as 1 or as 0: one of both sums has to be divisible.
    """
    if not _EIGHT_DIGITS.fullmatch(text):
        return False
    digits = [int(digit) for digit in text]
    products = [digit * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)]
    total = sum(product // 10 + product % 10 for product in products)
    if digits[_SEVENTH] == 7:  # noqa: PLR2004  the rule's own number
        total -= 10
        return total % _DIVISOR == 0 or (total + 1) % _DIVISOR == 0
    return total % _DIVISOR == 0


def is_mobile_barcode(text: str) -> bool:
    """A slash and seven of digits, capitals, full stop, plus and hyphen (手機條碼)."""
    return _MOBILE_BARCODE.fullmatch(text) is not None


def _is_certificate(text: str) -> bool:
    """Two capitals and fourteen digits (自然人憑證條碼)."""
    return _CERTIFICATE.fullmatch(text) is not None
