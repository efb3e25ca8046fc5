"""To whom the invoices of an order are made out, and those of the plan periods it began."""

from uuid import UUID

from sqlalchemy import select

from invoicing import Buyer
from kernel.db import db
from vouchers.models import Order, OrderItem


def buyer_of(order: Order) -> Buyer:
    """What the buyer of an order asked for."""
    return Buyer(
        tax_id=order.buyer_tax_id, carrier=order.carrier, donation_code=order.donation_code
    )


def buyer_of_item(order_item_id: UUID) -> Buyer:
    """What the buyer of one line of an order asked for."""
    ordered = select(Order).join(OrderItem, OrderItem.order_id == Order.id)
    return buyer_of(db.session.scalars(ordered.where(OrderItem.id == order_item_id)).one())
