"""What the cups of lots were paid for, however often they were given on."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
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


def purposes_of(lots: Sequence[Lot]) -> Mapping[UUID, set[tuple[str, UUID]]]:
    """What all was paid for that a lot carries, by lot id: purposes, as payments name them.

    A lot of a changed plan has its own, and those of what it took over.
    """
    behind = _behind(lots)
    every = [lot for found in behind.values() for lot in found.values()]
    orders = _orders_of({lot.order_item_id for lot in every if lot.order_item_id is not None})
    return {
        key: {
            (paid.purpose, paid.purpose_id)
            for paid in (_paid_with(lot, orders) for lot in found.values() if lot.source != "gift")
        }
        for key, found in behind.items()
    }


def sources_of(lot: Lot) -> list[tuple[PaidFor, tuple[str, UUID]]]:
    """What all was paid for that a lot of a changed plan carries, each with its invoice's source.

    The latest first; empty for other lots, of which one purpose alone has paid for all.
    """
    if lot.source != CHANGE:
        return []
    found = [one for one in _behind([lot])[lot.id].values() if one.source != "gift"]
    found.sort(key=lambda one: (one.sold_at, one.id), reverse=True)
    orders = _orders_of({one.order_item_id for one in found if one.order_item_id is not None})
    invoiced = invoices_of([one for one in found if one.source != CHANGE])
    return [
        (_paid_with(one, orders), invoiced.get(one.id, (CHANGE, one.source_id))) for one in found
    ]


def _behind(lots: Sequence[Lot]) -> Mapping[UUID, dict[UUID, Lot]]:
    """Of each lot itself and all lots that its cups and money came from, by lot id."""
    behind = {lot.id: {lot.id: lot} for lot in lots}
    newest: Collection[Lot] = list(lots)
    while newest:
        before: dict[UUID, list[Lot]] = {
            key: [lot] for key, lot in _parents_of(newest).items()
        } | _all_taken_over(newest)
        for found in behind.values():
            found |= {one.id: one for key in list(found) for one in before.get(key, ())}
        newest = {one.id: one for found in before.values() for one in found}.values()
    return behind


def _paid_with(lot: Lot, orders: Mapping[UUID | None, PaidFor]) -> PaidFor:
    order = None if lot.source == CHANGE else orders.get(lot.order_item_id)
    return _period(lot) if order is None else order


def _taken_over(lots: Iterable[Lot]) -> dict[UUID, Lot]:
    """Of lots of changed plans, the one that each took over; the first one, where several."""
    return {key: found[-1] for key, found in _all_taken_over(lots).items()}


def _all_taken_over(lots: Iterable[Lot]) -> dict[UUID, list[Lot]]:
    """Of lots of changed plans, those that each took over, the latest first."""
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
    found: dict[UUID, list[Lot]] = defaultdict(list)
    for row in rows:
        found[row.source_id].append(row.Lot)
    return found


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
