"""What others may know of payments."""

from uuid import UUID

from sqlalchemy import Select, select

from kernel.db import db
from kernel.errors import NotFound
from payments import policy
from payments.models import Payment


def get_payment(payment_id: UUID) -> Payment:
    """Answer a payment.

    Raises:
        NotFound: there is none.
    """
    payment = db.session.get(Payment, payment_id)
    if payment is None:
        raise NotFound
    return payment


def find_paid(*, purpose: str, purpose_id: UUID) -> Payment | None:
    """Answer the attempt that paid for a purpose, if one did."""
    paid = _of(purpose, purpose_id).where(Payment.status == "succeeded")
    return db.session.scalar(paid)


def card_of(*, purpose: str, purpose_id: UUID) -> UUID | None:
    """Answer the card that paid for a purpose, if it is paid and the member let it be kept."""
    paid = find_paid(purpose=purpose, purpose_id=purpose_id)
    return paid.card_id if paid else None


def find_open(*, purpose: str, purpose_id: UUID) -> Payment | None:
    """Answer the attempt that may still be paid, if there is one."""
    still = _of(purpose, purpose_id).where(Payment.status.in_(policy.OPEN))
    return db.session.scalar(still.order_by(Payment.attempt.desc()).limit(1))


def _of(purpose: str, purpose_id: UUID) -> Select[Payment]:
    return select(Payment).where(Payment.purpose == purpose, Payment.purpose_id == purpose_id)
