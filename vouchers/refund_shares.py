"""What comes back of cups that several payments have paid for: by the latest of them first.

A lot of a changed plan carries the money of its period and of the change. Each payment gives back
no more than is left of it and of its own invoice, in net and in VAT alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

import payments
from invoicing.models import Invoice
from kernel.db import db
from vouchers.models import Lot
from vouchers.refund_origin import PaidFor, sources_of
from vouchers.slices import Slice


@dataclass(frozen=True, slots=True)
class Share:
    """A part of what a lot carries, the payment that brought it, and its invoice's source.

    The cups go with the first of a lot's shares; the others are money alone.
    """

    paid_for: PaidFor
    invoiced: tuple[str, UUID]
    carried: Slice
    is_first: bool = True


@dataclass(frozen=True, slots=True)
class _Left:
    gross: int
    net: int
    vat: int


def share_out(lot: Lot, carried: Slice) -> list[Share]:
    """Take apart what cups of a lot carry, by the payments that are in it.

    Empty where one payment alone has paid for it all.
    """
    sources = [one for one in sources_of(lot) if _is_paid(one[0])]
    if not sources[1:] or not carried.gross:
        return []
    shares: list[Share] = []
    rest, last = carried, sources[-1]
    for paid_for, invoiced in sources:
        is_last = (paid_for, invoiced) == last
        part = rest if is_last else _part(rest, _left(paid_for, invoiced))
        rest = Slice(0, rest.net - part.net, rest.vat - part.vat)
        if part.gross:
            cups = 0 if shares else carried.cups
            taken = Slice(cups, part.net, part.vat)
            shares.append(Share(paid_for, invoiced, taken, is_first=not shares))
    return shares


def backs(back: int, shares: Sequence[Share]) -> list[int]:
    """How much of what comes back is of each share, the first ones first."""
    parts = []
    for share in shares:
        parts.append(min(back, share.carried.gross))
        back -= parts[-1]
    return parts


def _part(rest: Slice, left: _Left) -> Slice:
    """So much of the rest as a payment and its invoice have, with the VAT that goes with it."""
    gross = min(rest.gross, left.gross)
    even = (2 * rest.vat * gross + rest.gross) // (2 * rest.gross)
    least = max(0, gross - min(left.net, rest.net))
    vat = max(least, min(even, left.vat, rest.vat, gross))
    return Slice(0, gross - vat, vat)


def _left(paid_for: PaidFor, invoiced: tuple[str, UUID]) -> _Left:
    paid = payments.find_paid(purpose=paid_for.purpose, purpose_id=paid_for.purpose_id)
    assert paid is not None  # only what is paid is shared
    gross = payments.left_of(paid.id)
    source, source_id = invoiced
    its = select(Invoice).where(Invoice.source == source, Invoice.source_id == source_id)
    invoice = db.session.scalar(its.execution_options(populate_existing=True))
    if invoice is None:
        return _Left(gross, gross, gross)
    net = invoice.net - invoice.taken_back_net
    vat = invoice.vat - invoice.taken_back_vat
    return _Left(min(gross, net + vat), net, vat)


def _is_paid(paid_for: PaidFor) -> bool:
    purpose, purpose_id = paid_for.purpose, paid_for.purpose_id
    return payments.find_paid(purpose=purpose, purpose_id=purpose_id) is not None
