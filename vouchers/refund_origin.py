"""What the cups of lots were paid for, however often they were given on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_

from kernel.db import db
from vouchers.models import GiftItem, Lot, Order, OrderItem
from vouchers.policy import PURPOSE

PERIOD = "subscription_period"
"""What payments for a plan's periods are for; the first one is paid by its order."""


@dataclass(frozen=True, slots=True)
class PaidFor:
    """A purpose as payments name it; `channel` of an order, None for a period of a plan."""

    purpose: str
    purpose_id: UUID
    sold_at: datetime
    channel: str | None


def paid_for(lots: Sequence[Lot]) -> Mapping[UUID, PaidFor]:
    """What each lot was paid for, by lot id; a statement for each time that cups were given on."""
    orders = _orders_of({lot.order_item_id for lot in lots if lot.order_item_id is not None})
    roots = roots_of(lot for lot in lots if lot.order_item_id not in orders)
    return {lot.id: orders.get(lot.order_item_id) or _period(roots[lot.id]) for lot in lots}


def invoices_of(lots: Sequence[Lot]) -> Mapping[UUID, tuple[str, UUID]]:
    """What the invoice of each lot is kept under, by lot id: its order, or the period of a plan.

    The first period of a plan is paid with its order, and invoiced by itself like all others.
    """
    roots = roots_of(lots)
    orders = _orders_of({lot.order_item_id for lot in lots if lot.order_item_id is not None})
    return {
        key: ("period", root.source_id)
        if root.source == "period" or root.order_item_id not in orders
        else ("order", orders[root.order_item_id].purpose_id)
        for key, root in roots.items()
    }


def roots_of(lots: Iterable[Lot]) -> Mapping[UUID, Lot]:
    """The lots that were issued when the cups were paid for, by the id of the lot they are in."""
    roots = {lot.id: lot for lot in lots}
    while given := {key: lot for key, lot in roots.items() if lot.source == "gift"}:
        parents = _parents_of(given.values())
        roots |= {key: parents[lot.id] for key, lot in given.items()}
    return roots


def _parents_of(lots: Iterable[Lot]) -> Mapping[UUID, Lot]:
    places = {(lot.source_id, lot.ordinal): lot.id for lot in lots}
    rows = db.session.execute(
        select(GiftItem.gift_id, GiftItem.ordinal, Lot)
        .join(Lot, (Lot.member_id == GiftItem.member_id) & (Lot.id == GiftItem.lot_id))
        .where(tuple_(GiftItem.gift_id, GiftItem.ordinal).in_(places))
    )
    return {places[gift_id, ordinal]: parent for gift_id, ordinal, parent in rows}


def _orders_of(item_ids: Iterable[UUID]) -> Mapping[UUID | None, PaidFor]:
    rows = db.session.execute(
        select(OrderItem.id, Order)
        .join(Order, Order.id == OrderItem.order_id)
        .where(OrderItem.id.in_(list(item_ids)))
    )
    return {
        item_id: PaidFor(PURPOSE, order.id, order.paid_at or order.ordered_at, order.channel)
        for item_id, order in rows
    }


def _period(root: Lot) -> PaidFor:
    return PaidFor(PERIOD, root.source_id, root.sold_at, None)
