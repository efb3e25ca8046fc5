"""The law's rules for invoices, values in, values out."""

from datetime import date, datetime, timedelta
from typing import Literal

TaxType = Literal["taxable", "zero", "exempt"]
TakenBackBy = Literal["void", "allowance"]

TO_PERSONS = timedelta(hours=48)
TO_COMPANIES = timedelta(days=7)

ALARMING_TRIES = 10
_LONGEST_WAIT_S = 3_600


def filing_period(day: date) -> date:
    """The first day of the two months that a day is filed with: January and February, and so on.

    Rule: business tax is filed every two months (營業稅法 §35), and numbers are assigned for these.
    """
    return date(day.year, day.month - (day.month + 1) % 2, 1)


def taken_back_by(
    *, gross: int, taken_back: int, giving_back: int, sold_on: date, today: date
) -> TakenBackBy:
    """How the tax office is told that so much of an invoice is given back.

    An invoice that is undone whole, before its two months are filed, is void (作廢); anything else
    is an allowance (折讓): a part, the rest after a part, or an invoice of earlier months.

    Rule: 統一發票使用辦法 §20; the filing period stands for "not filed yet", since it is the
    latest moment of which that is certain.
    """
    is_whole = taken_back == 0 and giving_back == gross
    is_same_period = filing_period(sold_on) == filing_period(today)
    return "void" if is_whole and is_same_period else "allowance"


def tax_type(*, vat_code: str, basis_points: int, vat: int) -> TaxType:
    """What the tax office calls a line: taxable with a rate; without one exempt, if called so.

    VAT that was taken stays VAT, though the code's rate has ended between order and sale.
    """
    if basis_points > 0 or vat > 0:
        return "taxable"
    return "exempt" if vat_code == "exempt" else "zero"


def must_arrive_by(made_at: datetime, *, is_to_company: bool) -> datetime:
    """Until when the tax office's platform must have a document.

    Rule: 統一發票使用辦法 §7: within 48 hours of issuing; where the buyer is a company, within
    seven days; the same for what voids or changes it.
    """
    return made_at + (TO_COMPANIES if is_to_company else TO_PERSONS)


def next_try_at(*, tries: int, now: datetime) -> datetime:
    """When a document that could not be sent is tried again: after 2, 4, 8 … s, then hourly."""
    return now + timedelta(seconds=min(2 ** min(tries, 12), _LONGEST_WAIT_S))
