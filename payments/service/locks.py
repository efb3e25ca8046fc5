"""Locks on payments: whoever moves money of one holds it."""

from uuid import UUID

from sqlalchemy import select

from kernel.db import db
from kernel.errors import NotFound
from payments.models import Payment


def lock_payment(payment_id: UUID) -> Payment:
    """Lock a payment and read it as it is now.

    Raises:
        NotFound: there is no such payment.
    """
    mine = select(Payment).where(Payment.id == payment_id).with_for_update()
    payment = db.session.scalar(mine.execution_options(populate_existing=True))
    if payment is None:
        raise NotFound
    return payment
