"""What is offered, and what was ordered."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, Uuid, any_, bindparam, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

from kernel.db import db
from kernel.errors import NotFound
from vouchers.models import (
    Offer,
    OfferVersion,
    OfferVersionProduct,
    OfferVersionStore,
    Order,
    OrderItem,
)


@dataclass(frozen=True, slots=True)
class Offered:
    """A pack or plan at the terms of today; where and for what its cups are good."""

    offer: Offer
    version: OfferVersion
    product_ids: Sequence[UUID]
    store_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class OrderedItem:
    """A line of an order, with what it is a line of."""

    item: OrderItem
    version: OfferVersion
    offer: Offer


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order with its lines, in their order."""

    order: Order
    items: Sequence[OrderedItem]


def current_versions(offer_ids: Sequence[UUID], *, now: datetime) -> Mapping[UUID, OfferVersion]:
    """The terms at which offers are sold now, by offer: the highest version that is on sale."""
    found = db.session.scalars(_on_sale(now).where(OfferVersion.offer_id.in_(offer_ids)))
    return {version.offer_id: version for version in found}


def list_offer_codes() -> Mapping[UUID, str]:
    """What the chain calls each of its offers, for reports and exports."""
    return {row.id: row.code for row in db.session.execute(select(Offer.id, Offer.code))}


def list_offers(*, kind: str, after: UUID | None, limit: int, now: datetime) -> Sequence[Offered]:
    """Packs, or plans, that are on sale, in the order in which they were thought of."""
    current = _on_sale(now).subquery()
    page = (
        select(Offer, OfferVersion)
        .join(current, current.c.offer_id == Offer.id)
        .join(OfferVersion, OfferVersion.id == current.c.id)
        .where(Offer.kind == kind)
        .order_by(Offer.id)
        .limit(limit)
    )
    if after is not None:
        page = page.where(Offer.id > after)
    return with_lists([(offer, version) for offer, version in db.session.execute(page)])


def with_lists(rows: Sequence[tuple[Offer, OfferVersion]]) -> Sequence[Offered]:
    """Offers with the products and stores that their versions list; statements do not grow."""
    version_ids = [version.id for _, version in rows]
    products, stores = _products_of(version_ids), _stores_of(version_ids)
    return [
        Offered(offer, version, products[version.id], stores[version.id]) for offer, version in rows
    ]


def get_order(*, member_id: UUID, order_id: UUID) -> Ordered:
    """Answer an order of a member.

    Raises:
        NotFound: the member has no such order.
    """
    order = db.session.get(Order, order_id)
    if order is None or order.member_id != member_id:
        raise NotFound
    return _with_items([order])[0]


def list_orders(*, member_id: UUID, before: UUID | None, limit: int) -> Sequence[Ordered]:
    """A member's orders, the newest first."""
    page = select(Order).where(Order.member_id == member_id)
    if before is not None:
        page = page.where(Order.id < before)
    return _with_items(db.session.scalars(page.order_by(Order.id.desc()).limit(limit)).all())


def lock_ordered(order_ids: Collection[UUID]) -> list[Ordered]:
    """Lock orders by their ids, and read them with their lines as they are now."""
    rows = db.session.execute(_LOCK_ORDERED, {"ids": list(order_ids)})
    found: dict[Order, list[OrderedItem]] = defaultdict(list)
    for order, item, version, offer in rows:
        found[order].append(OrderedItem(item, version, offer))
    return [Ordered(order, items) for order, items in found.items()]


def items_of(order_id: UUID) -> Sequence[OrderedItem]:
    """The lines of an order, in their order."""
    return _items_of([order_id])[order_id]


_LOCK_ORDERED = (
    select(Order, OrderItem, OfferVersion, Offer)
    .join(OrderItem, OrderItem.order_id == Order.id)
    .join(OfferVersion, OfferVersion.id == OrderItem.offer_version_id)
    .join(Offer, Offer.id == OfferVersion.offer_id)
    .where(Order.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
    .order_by(Order.id, OrderItem.position)
    .with_for_update(of=Order)
    .execution_options(populate_existing=True)
)


def _on_sale(now: datetime) -> Select[OfferVersion]:
    """The highest approved version of each offer whose sale window is open."""
    is_open_ended = OfferVersion.sale_ends_at.is_(None)
    return (
        select(OfferVersion)
        .ext(distinct_on(OfferVersion.offer_id))
        .where(
            OfferVersion.approved_at <= now,
            OfferVersion.sale_starts_at <= now,
            or_(is_open_ended, OfferVersion.sale_ends_at > now),
        )
        .order_by(OfferVersion.offer_id, OfferVersion.version.desc())
    )


def _with_items(orders: Sequence[Order]) -> Sequence[Ordered]:
    items = _items_of([order.id for order in orders])
    return [Ordered(order, items[order.id]) for order in orders]


def _items_of(order_ids: Sequence[UUID]) -> Mapping[UUID, list[OrderedItem]]:
    rows = db.session.execute(_ITEMS.where(OrderItem.order_id.in_(order_ids)))
    found: dict[UUID, list[OrderedItem]] = defaultdict(list)
    for item, version, offer in rows:
        found[item.order_id].append(OrderedItem(item, version, offer))
    return found


_ITEMS = (
    select(OrderItem, OfferVersion, Offer)
    .join(OfferVersion, OfferVersion.id == OrderItem.offer_version_id)
    .join(Offer, Offer.id == OfferVersion.offer_id)
    .order_by(OrderItem.position)
)


def _products_of(version_ids: Sequence[UUID]) -> Mapping[UUID, list[UUID]]:
    good_for = select(OfferVersionProduct.offer_version_id, OfferVersionProduct.product_id)
    of = good_for.where(OfferVersionProduct.offer_version_id.in_(version_ids))
    return _grouped(of.order_by(OfferVersionProduct.product_id))


def _stores_of(version_ids: Sequence[UUID]) -> Mapping[UUID, list[UUID]]:
    accepted_at = select(OfferVersionStore.offer_version_id, OfferVersionStore.store_id)
    of = accepted_at.where(OfferVersionStore.offer_version_id.in_(version_ids))
    return _grouped(of.order_by(OfferVersionStore.store_id))


def _grouped(pairs: Select[UUID, UUID]) -> Mapping[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = defaultdict(list)
    for version_id, other_id in db.session.execute(pairs):
        found[version_id].append(other_id)
    return found
