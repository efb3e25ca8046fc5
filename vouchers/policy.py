"""What an order costs, and how long it may wait. Pure rules."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kernel.money import Taxed

PURPOSE = "voucher_order"
"""What payments for orders are for; news of them comes as `voucher_order.paid`."""

PAY_WITHIN = timedelta(minutes=30)

MOST = 999_999
"""The provider takes up to eight digits, of which it counts two as hundredths (TWD)."""


@dataclass(frozen=True, slots=True)
class Priced:
    """A line of an order. `gross = net + vat`, for all of its `quantity` together."""

    gross: int
    net: int
    vat: int


def priced(one: Taxed, *, quantity: int) -> Priced:
    """The price of so many of one offer.

    VAT was taken out of each single one, so that every lot of the line carries the same money and
    the lots add up to the line without a remainder.
    """
    net, vat = quantity * one.net, quantity * one.vat
    return Priced(gross=net + vat, net=net, vat=vat)


def ends_at(*, ordered_at: datetime) -> datetime:
    """Until when an order can be paid."""
    return ordered_at + PAY_WITHIN
