"""What the cups of lots were paid for, however often they were given on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_

from kernel.db import db
from ledger.models import Entry, Line
from vouchers.models import GiftItem, Lot, Order, OrderItem
from vouchers.policy import PURPOSE

PERIOD = "subscription_period"
"""What payments for a plan's periods are for; the first one is paid by its order."""

CHANGE = "plan_change"
"""What payments for a change of plan are for, and the source of the lots that come of one."""

_OF_PLANS = ("period", CHANGE)


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

    The first period of a plan is paid with its order, and invoiced by itself like all others; but
    periods that were prepaid, to be given, are invoiced with their order.
    """
    roots = roots_of(lots)
    prepaid = _prepaid({lot.order_item_id for lot in roots.values()})
    orders = _orders_of({lot.order_item_id for lot in lots if lot.order_item_id is not None})
    return {
        key: (root.source if root.source in _OF_PLANS else "period", root.source_id)
        if root.order_item_id not in prepaid
        and (root.source in _OF_PLANS or root.order_item_id not in orders)
        else ("order", orders[root.order_item_id].purpose_id)
        for key, root in roots.items()
    }


def roots_of(lots: Iterable[Lot]) -> Mapping[UUID, Lot]:
    """The lots that were issued when the cups were paid for, by the id of the lot they are in.

    Behind a lot of a change of plan is the period's, if that had anything left to take over.
    """
    roots = {lot.id: lot for lot in lots}
    while before := _parents_of(roots.values()) | _taken_over(roots.values()):
        roots = {key: before.get(lot.id, lot) for key, lot in roots.items()}
    return roots


def _taken_over(lots: Iterable[Lot]) -> dict[UUID, Lot]:
    """Of lots of changed plans, the one that each took over; the first one, where several."""
    changed = {lot.id: lot.member_id for lot in lots if lot.source == CHANGE}
    if not changed:
        return {}
    rows = db.session.execute(
        select(Entry.source_id, Lot)
        .join(
            Line,
            (Line.member_id == Entry.member_id)
            & (Line.book_date == Entry.book_date)
            & (Line.entry_id == Entry.id)
            & (Line.lot_id != Entry.source_id),
        )
        .join(Lot, (Lot.member_id == Line.member_id) & (Lot.id == Line.lot_id))
        .where(
            Entry.member_id.in_(set(changed.values())),
            Entry.kind == "transfer",
            Entry.source_id.in_(changed),
        )
        .order_by(Lot.id.desc())
    )
    return {row.source_id: row.Lot for row in rows}


def _parents_of(lots: Iterable[Lot]) -> dict[UUID, Lot]:
    """Of lots that were given, the ones that their cups came from."""
    places = {(lot.source_id, lot.ordinal): lot.id for lot in lots if lot.source == "gift"}
    if not places:
        return {}
    rows = db.session.execute(
        select(GiftItem.gift_id, GiftItem.ordinal, Lot)
        .join(Lot, (Lot.member_id == GiftItem.member_id) & (Lot.id == GiftItem.lot_id))
        .where(tuple_(GiftItem.gift_id, GiftItem.ordinal).in_(places))
    )
    return {places[gift_id, ordinal]: parent for gift_id, ordinal, parent in rows}


def _prepaid(item_ids: Iterable[UUID | None]) -> set[UUID | None]:
    """Those of the items that are periods of a plan to be given."""
    given = select(OrderItem.id).where(
        OrderItem.id.in_(list(item_ids)), OrderItem.gift_periods.is_not(None)
    )
    return set(db.session.scalars(given))


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
    purpose = CHANGE if root.source == CHANGE else PERIOD
    return PaidFor(purpose, root.source_id, root.sold_at, None)
