"""Paid orders give their cups."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

import chain
import invoicing
import members
import payments
from invoicing import InvoiceLine, Sale
from kernel import outbox
from kernel.db import db
from kernel.errors import NotFound
from kernel.wording import Money
from vouchers.buyers import buyer_of
from vouchers.models import Order
from vouchers.order_notices import PAID_TOO_LATE
from vouchers.policy import PURPOSE
from vouchers.queries import Ordered, OrderedItem, lock_ordered
from vouchers.service.lot import put_into_wallets
from vouchers.service.packed import Sold, lots_of_item
from vouchers.wallet import change_wallets

_KNOWN = select(Order.id, Order.member_id, Order.status).where(
    Order.id == any_(bindparam("ids", type_=ARRAY(Uuid)))
)


@dataclass(frozen=True, slots=True)
class _Bought:
    """What of an order that is being fulfilled is put into the wallet."""

    sold: Sold
    lines: Sequence[OrderedItem]


def fulfil(*, order_id: UUID, paid_at: datetime, now: datetime) -> None:
    """Fulfil one order, as `fulfil_all` does."""
    fulfil_all({order_id: paid_at}, now=now)


def fulfil_all(paid_at: Mapping[UUID, datetime], *, now: datetime) -> None:
    """Issue the packs of paid orders, and promise their plans to the room that starts them.

    Each once, all in one transaction, under the locks of the wallets and then of the orders: a lot
    for each pack (two, where its bonus ends by itself), and for each plan of which periods are to
    be given; their sales, and an invoice an order. Plans are invoiced period by period. The number
    of statements is the same for any number of orders and packs. The money for an order that has
    ended goes back instead, each by itself.

    Raises:
        NotFound: there is no such order.
    """
    ordered = _lock(paid_at)
    for one in ordered:
        if one.order.status == "ended":
            _give_back(one.order, now=now)
    paid = [one for one in ordered if one.order.status == "pending"]
    for one in paid:
        one.order.status = "fulfilled"
        one.order.paid_at, one.order.fulfilled_at = paid_at[one.order.id], now
    _issue(paid, now=now)
    for one in paid:
        for line in one.items:
            if not _is_kept(line):
                _promise(one.order, line, now=now)


def _lock(order_ids: Iterable[UUID]) -> list[Ordered]:
    """Lock the wallets and orders of what is not fulfilled yet, each in the order of their ids."""
    asked = set(order_ids)
    known = db.session.execute(_KNOWN, {"ids": list(asked)}).all()
    if len(known) != len(asked):
        raise NotFound
    waiting = {order_id: member_id for order_id, member_id, is_ in known if is_ != "fulfilled"}
    if not waiting:
        return []
    change_wallets(waiting.values())
    return lock_ordered(waiting)


def _give_back(order: Order, *, now: datetime) -> None:
    paid = payments.find_paid(purpose=PURPOSE, purpose_id=order.id)
    if paid is None:
        return  # it went back before
    payments.return_surplus(payment_id=paid.id, now=now)
    amount = Money(paid.amount, paid.currency)
    members.notify(order.member_id, PAID_TOO_LATE, now=now, amount=amount)


def _issue(ordered: Sequence[Ordered], *, now: datetime) -> None:
    bought = list(_bought(ordered, now))
    if not bought:
        return
    put_into_wallets(
        [
            lot
            for one in bought
            for line in one.lines
            for lot in lots_of_item(one.sold, line.item, line.version)
        ],
        stores={one.sold.store.id: one.sold.store for one in bought},
    )
    sales = [_sale(one) for one in bought]
    invoicing.issue_all([sale for sale in sales if sale.lines], now=now)


def _bought(ordered: Sequence[Ordered], now: datetime) -> Iterable[_Bought]:
    kept = {one.order: [line for line in one.items if _is_kept(line)] for one in ordered}
    orders = [order for order, lines in kept.items() if lines]
    if not orders:
        return
    stores = chain.find_stores({order.store_id for order in orders})
    ids = [order.id for order in orders]
    disputed = payments.find_disputed(purpose=PURPOSE, purpose_ids=ids)
    for order in orders:
        frozen_at = now if order.id in disputed else None
        assert order.paid_at is not None  # it was written down just now
        yield _Bought(Sold(order, order.paid_at, stores[order.store_id], frozen_at), kept[order])


def _is_kept(line: OrderedItem) -> bool:
    """Whether it is put into the wallet. A plan for oneself begins instead."""
    return line.offer.kind == "pack" or line.item.gift_periods is not None


def _sale(bought: _Bought) -> Sale:
    """What is taxed at its sale; cash-value vouchers are when redeemed."""
    order = bought.sold.order
    lines = [
        InvoiceLine(
            description=line.version.name,
            quantity=line.item.quantity * (line.item.gift_periods or 1),
            gross=line.item.gross,
            net=line.item.net,
            vat=line.item.vat,
            vat_code=line.version.vat_code,
        )
        for line in bought.lines
        if line.version.vat_timing == "sale"
    ]
    return Sale(
        member_id=order.member_id,
        store_id=order.store_id,
        source="order",
        source_id=order.id,
        currency=order.currency,
        lines=lines,
        buyer=buyer_of(order),
        sold_at=bought.sold.sold_at,
    )


def _promise(order: Order, line: OrderedItem, *, now: datetime) -> None:
    assert order.paid_at is not None  # as above
    outbox.emit(
        "plan_item.paid",
        now=now,
        member_id=order.member_id,
        order_id=order.id,
        order_item_id=line.item.id,
        paid_at=order.paid_at.isoformat(),
    )
