"""What an order costs, what each lot of it carries, and how long it may wait. Pure rules."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kernel.money import Taxed
from ledger.policy import allocated

PURPOSE = "voucher_order"
"""What payments for orders are for; news of them comes as `voucher_order.paid`."""

PAY_WITHIN = timedelta(minutes=30)

MOST = 999_999
"""The provider takes up to eight digits, of which it counts two as hundredths (TWD)."""

_SURELY = 10_000
"""Paid cups are surely collected, as far as their price is concerned: in ten-thousandths."""


@dataclass(frozen=True, slots=True)
class Priced:
    """A line of an order. `gross = net + vat`, for all of its `quantity` together."""

    gross: int
    net: int
    vat: int


@dataclass(frozen=True, slots=True)
class Share:
    """The cups of one lot, and the part of the price that they carry."""

    cups: int
    net: int
    vat: int


def priced(one: Taxed, *, quantity: int) -> Priced:
    """The price of so many of one offer.

    VAT was taken out of each single one, so that every lot of the line carries the same money and
    the lots add up to the line without a remainder.
    """
    net, vat = quantity * one.net, quantity * one.vat
    return Priced(gross=net + vat, net=net, vat=vat)


def with_own_bonus(whole: Share, *, bonus_cups: int, use_bp: int) -> tuple[Share, Share]:
    """Split a pack into its paid cups and bonus cups that are a lot of their own (E10).

    By what each would cost alone times how likely it is collected: the paid ones surely, the
    bonus at `use_bp` ten-thousandths. All cups have one list price, so it cancels out.
    """
    paid_cups = whole.cups - bonus_cups
    weights = (paid_cups * _SURELY, bonus_cups * use_bp)
    net, bonus_net = allocated(whole.net, weights=weights)
    vat, bonus_vat = allocated(whole.vat, weights=weights)
    return Share(paid_cups, net, vat), Share(bonus_cups, bonus_net, bonus_vat)


def ends_at(*, ordered_at: datetime) -> datetime:
    """Until when an order can be paid."""
    return ordered_at + PAY_WITHIN
