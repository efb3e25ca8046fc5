"""A paid order gives its cups."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select

import chain
import invoicing
import members
import payments
from chain.policy import local_day
from invoicing import InvoiceLine
from kernel import outbox
from kernel.db import db
from kernel.wording import Money
from vouchers.buyers import buyer_of
from vouchers.models import Order
from vouchers.order_notices import PAID_TOO_LATE
from vouchers.policy import PURPOSE
from vouchers.queries import Ordered, OrderedItem, lock_ordered
from vouchers.service.lot import is_disputed, put_into_wallet
from vouchers.service.packed import Sold, lots_of_item
from vouchers.wallet import change_wallet

_KNOWN = select(Order.member_id, Order.status).where(Order.id == bindparam("order_id"))


def fulfil(*, order_id: UUID, paid_at: datetime, now: datetime) -> None:
    """Issue the packs of a paid order, and promise its plans to the room that starts them.

    Once, in one transaction, under the wallet's lock and then the order's: a lot for each pack
    (two, where its bonus ends by itself), their sales, and the invoice; the plans are invoiced
    period by period. The number of statements is the same for any number of packs. The money for
    an order that has ended goes back instead.
    """
    ordered = _lock(order_id)
    if ordered is None:
        return
    order, lines = ordered.order, ordered.items
    if order.status == "ended":
        _give_back(order, now=now)
        return
    order.status, order.paid_at, order.fulfilled_at = "fulfilled", paid_at, now
    _issue(order, [line for line in lines if line.offer.kind == "pack"], paid_at=paid_at, now=now)
    for line in lines:
        if line.offer.kind == "plan":
            _promise(order, line, paid_at=paid_at, now=now)


def _lock(order_id: UUID) -> Ordered | None:
    """Lock wallet and order, if the order is not fulfilled yet."""
    member_id, status = db.session.execute(_KNOWN, {"order_id": order_id}).one()
    if status == "fulfilled":
        return None
    change_wallet(member_id)
    ordered = lock_ordered(order_id)
    return None if ordered.order.status == "fulfilled" else ordered


def _give_back(order: Order, *, now: datetime) -> None:
    paid = payments.find_paid(purpose=PURPOSE, purpose_id=order.id)
    if paid is None:
        return  # it went back before
    payments.return_surplus(payment_id=paid.id, now=now)
    amount = Money(paid.amount, paid.currency)
    members.notify(order.member_id, PAID_TOO_LATE, now=now, amount=amount)


def _issue(order: Order, packs: Sequence[OrderedItem], *, paid_at: datetime, now: datetime) -> None:
    if not packs:
        return
    # Held to the end: a session forgets what nobody holds, and the invoice asks for it again.
    store = chain.get_store(order.store_id)
    sold = Sold(order, paid_at, store, frozen_at=now if is_disputed(order.id) else None)
    lots = [lot for line in packs for lot in lots_of_item(sold, line.item, line.version)]
    put_into_wallet(lots, sold_on=local_day(paid_at, time_zone=store.time_zone))
    _invoice(order, packs, paid_at=paid_at, now=now)


def _invoice(
    order: Order, packs: Sequence[OrderedItem], *, paid_at: datetime, now: datetime
) -> None:
    """Owe the invoice of what is taxed at its sale; cash-value vouchers are when redeemed."""
    lines = [
        InvoiceLine(
            description=line.version.name,
            quantity=line.item.quantity,
            gross=line.item.gross,
            net=line.item.net,
            vat=line.item.vat,
            vat_code=line.version.vat_code,
        )
        for line in packs
        if line.version.vat_timing == "sale"
    ]
    if lines:
        invoicing.issue(
            member_id=order.member_id,
            store_id=order.store_id,
            source="order",
            source_id=order.id,
            currency=order.currency,
            lines=lines,
            buyer=buyer_of(order),
            sold_at=paid_at,
            now=now,
        )


def _promise(order: Order, line: OrderedItem, *, paid_at: datetime, now: datetime) -> None:
    outbox.emit(
        "plan_item.paid",
        now=now,
        member_id=order.member_id,
        order_id=order.id,
        order_item_id=line.item.id,
        paid_at=paid_at.isoformat(),
    )
