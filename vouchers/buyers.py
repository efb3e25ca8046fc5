"""To whom the invoices of an order are made out, and those of the plan periods it began."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

from invoicing import Buyer
from kernel.db import db
from vouchers.models import Order, OrderItem

_ORDERED = (
    select(OrderItem.id, Order)
    .join(Order, Order.id == OrderItem.order_id)
    .where(OrderItem.id == any_(bindparam("items", type_=ARRAY(Uuid))))
)


@dataclass(frozen=True, slots=True)
class BuyerOfItem:
    """Who ordered something, and to whom its invoice is made out."""

    member_id: UUID
    buyer: Buyer


def buyer_of(order: Order) -> Buyer:
    """What the buyer of an order asked for."""
    return Buyer(
        tax_id=order.buyer_tax_id, carrier=order.carrier, donation_code=order.donation_code
    )


def buyer_of_item(order_item_id: UUID) -> Buyer:
    """What the buyer of one line of an order asked for."""
    ordered = select(Order).join(OrderItem, OrderItem.order_id == Order.id)
    return buyer_of(db.session.scalars(ordered.where(OrderItem.id == order_item_id)).one())


def buyers_of_items(order_item_ids: Collection[UUID]) -> Mapping[UUID, BuyerOfItem]:
    """What the buyers of these lines of orders asked for, by the lines' ids."""
    found = db.session.execute(_ORDERED, {"items": list(set(order_item_ids))})
    return {item_id: BuyerOfItem(order.member_id, buyer_of(order)) for item_id, order in found}
