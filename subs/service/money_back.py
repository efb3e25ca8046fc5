"""Money of a plan goes back to whoever paid for its period, by the payments that brought it.

As with every refund: what was owed in cups is owed in money, the invoices are taken back, and the
repayments begin. The latest payment of a period goes back first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select

import chain
import invoicing
import ledger
import payments
from invoicing.models import Invoice
from kernel.db import db
from kernel.ids import new_id
from ledger import Event
from ledger.policy import Returned
from payments import Payment
from subs import change_policy as policy
from subs.change_policy import Held, Returnable
from subs.models import Period, Subscription
from subs.service.benefits import PERIOD
from subs.service.period_lots import changes_of, first_lot
from vouchers.models import Lot, OrderItem, Refund, RefundLine
from vouchers.policy import PURPOSE as ORDER

PURPOSE = "plan_change"
"""What payments for changes of plan are for, and what their invoices are kept under."""

Source = Literal["period", "plan_change"]
"""What the invoices of a period, and of changes within it, are kept under."""

_DESCRIPTION = "退回方案剩餘期間"


@dataclass(frozen=True, slots=True)
class Payer:
    """A payment of a period, how much of it can go back, and what its invoice is kept under."""

    payment: Payment
    returnable: Returnable
    invoiced: tuple[Source, UUID]


def payers_of(subscription: Subscription, period: Period) -> list[Payer]:
    """Who has paid for a period, and for changes within it: the latest payment first.

    A period that was prepaid is nobody's payment: what somebody gave does not become money.
    """
    payers = [
        _payer(paid, payments.left_of(paid.id), ("plan_change", change.id))
        for change in changes_of(period)
        if change.amount > 0 and (paid := _paid(PURPOSE, change.id)) is not None
    ]
    paid = _paid(PERIOD, period.id) or _paid_by_order(subscription, period)
    if paid is not None:
        left = min(payments.left_of(paid.id), period.price)
        payers.append(_payer(paid, left, ("period", period.id)))
    return payers


def give_back(
    subscription: Subscription,
    lots: Sequence[Lot],
    held: Sequence[Held],
    parts: Sequence[tuple[Payer, Held]],
    *,
    now: datetime,
) -> list[Held]:
    """Owe each payer their part, out of lots that hold so much; what is left in each.

    In the caller's transaction, under the wallet's lock; the lots' own columns are the caller's.
    """
    left = list(held)
    for payer, part in parts:
        if part.gross:
            drawn = policy.draw(part, left)
            _refund(subscription, payer, part, lots, drawn, now=now)
            left = [held.less(gone) for held, gone in zip(left, drawn, strict=True)]
    return left


def _payer(paid: Payment, left: int, invoiced: tuple[Source, UUID]) -> Payer:
    """What has no invoice, as what is taxed at the till, is bound by its payment alone."""
    source, source_id = invoiced
    its = select(Invoice).where(Invoice.source == source, Invoice.source_id == source_id)
    invoice = db.session.scalar(its.execution_options(populate_existing=True))
    if invoice is None:
        return Payer(paid, Returnable(left, left, left), invoiced)
    net = invoice.net - invoice.taken_back_net
    vat = invoice.vat - invoice.taken_back_vat
    return Payer(paid, Returnable(min(left, net + vat), net, vat), invoiced)


def _refund(
    subscription: Subscription,
    payer: Payer,
    part: Held,
    lots: Sequence[Lot],
    drawn: Sequence[Held],
    *,
    now: datetime,
) -> None:
    made = Refund(
        id=new_id(),
        payer_id=payer.payment.member_id,
        purpose=payer.payment.purpose,
        purpose_id=payer.payment.purpose_id,
        store_id=subscription.store_id,
        reason="request",
        basis="allocated",
        asked_by_id=subscription.member_id,
        currency=payer.payment.currency,
        gross=part.gross,
        kept=0,
        fee=0,
        payable=part.gross,
        refunded_at=now,
    )
    db.session.add(made)
    db.session.flush()
    gone = [(lot, one) for lot, one in zip(lots, drawn, strict=True) if one.cups or one.gross]
    _book(made, gone, now=now)
    source, source_id = payer.invoiced
    invoicing.take_back(
        source=source,
        source_id=source_id,
        cause_id=made.id,
        gross=part.gross,
        net=part.net,
        vat=part.vat,
        description=_DESCRIPTION,
        now=now,
    )
    payments.begin_repayment(
        payment_id=payer.payment.id,
        purpose="refund",
        purpose_id=made.id,
        amount=part.gross,
        now=now,
    )


def _book(made: Refund, gone: Sequence[tuple[Lot, Held]], *, now: datetime) -> None:
    entry_ids = ledger.post_all([_event(lot, part, now) for lot, part in gone])
    db.session.add_all(
        RefundLine(
            refund_id=made.id,
            ordinal=ordinal,
            member_id=lot.member_id,
            lot_id=lot.id,
            cups=part.cups,
            net=part.net,
            vat=part.vat,
            entry_id=entry_id,
        )
        for ordinal, ((lot, part), entry_id) in enumerate(zip(gone, entry_ids, strict=True), 1)
    )
    db.session.flush()


def _event(lot: Lot, part: Held, now: datetime) -> Event:
    return Event(
        member_id=lot.member_id,
        kind="refund",
        source_id=lot.id,
        pairs=ledger.policy.refund(
            Returned(part.net, part.vat, part.cups),
            store_id=lot.store_id,
            account=lot.account,
            offer_id=lot.offer_id,
            lot_id=lot.id,
        ),
        event_at=now,
        occurred_on=chain.local_date(lot.store_id, now),
        currency=lot.currency,
    )


def _paid(purpose: str, purpose_id: UUID) -> Payment | None:
    return payments.find_paid(purpose=purpose, purpose_id=purpose_id)


def _paid_by_order(subscription: Subscription, period: Period) -> Payment | None:
    """The order's payment, for the period that it paid for itself and did not prepay."""
    lot = first_lot(subscription, period)
    if lot is None or lot.order_item_id != subscription.order_item_id:
        return None
    item = db.session.get_one(OrderItem, subscription.order_item_id)
    return None if item.gift_periods is not None else _paid(ORDER, item.order_id)
