"""Orders that were not paid in time end."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, update

import payments
from kernel.db import db
from kernel.due import of
from kernel.transaction import again, transaction
from vouchers.models import Order
from vouchers.policy import PURPOSE
from vouchers.service.fulfil import fulfil


def find_unpaid(*, limit: int, now: datetime, whose: UUID | None = None) -> Sequence[UUID]:
    """Orders that were to be paid earlier, the longest waiting first; perhaps of one member."""
    found = of(unpaid_orders(now), Order.member_id, whose)
    return db.session.scalars(found.order_by(Order.ends_at).limit(limit)).all()


def unpaid_until(member_id: ColumnElement[UUID]) -> Select[Any]:
    """When the time of a member's orders that wait is over."""
    return select(Order.ends_at).where(Order.member_id == member_id, Order.status == "pending")


def end_order(*, order_id: UUID, now: datetime) -> None:
    """End an order that is still unpaid, or fulfil it. Opens its own transactions.

    A payment that is still under way is given up at the provider first, so that no money comes
    for an order that is over; also what its payer has not finished in the provider's form. If it
    cannot be given up, since the provider is silent, and is paid all the same, its money goes back.
    Whose money has come gets the cups here, if the news of it is late or was given up: an order
    does not wait for ever, nor does the background look at it at every tick.
    """
    open_id = again(lambda: _find_open(order_id))
    if open_id is not None:
        payments.cancel(payment_id=open_id)
    again(lambda: _end(order_id, now))


def unpaid_orders(now: datetime) -> Select[UUID]:
    """The orders that wait although their time is over."""
    return select(Order.id).where(*_is_unpaid(now))


def _is_unpaid(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (Order.status == "pending", Order.ends_at <= now)


def _find_open(order_id: UUID) -> UUID | None:
    with transaction():
        under_way = payments.find_open(purpose=PURPOSE, purpose_id=order_id)
        return under_way.id if under_way else None


def _end(order_id: UUID, now: datetime) -> None:
    """End the order if it still waits at this very moment: it may be fulfilled meanwhile."""
    with transaction():
        paid = payments.find_paid(purpose=PURPOSE, purpose_id=order_id)
        if paid is not None:
            fulfil(order_id=order_id, paid_at=paid.settled_at or now, now=now)
            return
        waiting = update(Order).where(Order.id == order_id, *_is_unpaid(now))
        db.session.execute(waiting.values(status="ended"))
