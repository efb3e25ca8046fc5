"""A paid order gives its cups."""

from datetime import datetime
from uuid import UUID

import ledger
from kernel import outbox
from kernel.db import db
from vouchers.models import Order
from vouchers.queries import OrderedItem, items_of
from vouchers.service.lot import issue_lot


def fulfil(*, order_id: UUID, paid_at: datetime, now: datetime) -> None:
    """Issue the packs of a paid order, and promise its plans to the room that starts them.

    Once, in one transaction: a lot for each pack, all with the same money. An order that had
    ended unpaid meanwhile is fulfilled all the same, since its money came.
    """
    order = db.session.get_one(Order, order_id, with_for_update=True)
    if order.status == "fulfilled":
        return
    for line in items_of(order.id):
        if line.offer.kind == "plan":
            _promise(order, line, paid_at=paid_at, now=now)
        else:
            _issue(order, line, paid_at=paid_at)
    order.status, order.paid_at, order.fulfilled_at = "fulfilled", paid_at, now


def _issue(order: Order, line: OrderedItem, *, paid_at: datetime) -> None:
    item = line.item
    for ordinal in range(1, item.quantity + 1):
        issue_lot(
            member_id=order.member_id,
            offer_version_id=line.version.id,
            store_id=order.store_id,
            source="order_item",
            source_id=item.id,
            ordinal=ordinal,
            account=ledger.policy.VOUCHERS,
            net=item.net // item.quantity,
            vat=item.vat // item.quantity,
            sold_at=paid_at,
            ends_at=None,
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
