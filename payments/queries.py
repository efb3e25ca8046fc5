"""What others may know of payments."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import Select, Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

from kernel.db import db
from kernel.errors import NotFound
from payments import policy
from payments.gateway import CASH
from payments.models import Payment, Repayment

_PAYMENTS = select(Payment).where(Payment.id == any_(bindparam("ids", type_=ARRAY(Uuid))))


def get_payment(payment_id: UUID) -> Payment:
    """Answer a payment.

    Raises:
        NotFound: there is none.
    """
    payment = db.session.get(Payment, payment_id)
    if payment is None:
        raise NotFound
    return payment


def find_payments(payment_ids: Collection[UUID]) -> Mapping[UUID, Payment]:
    """Those of the payments that are there, by their ids."""
    found = db.session.scalars(_PAYMENTS, {"ids": list(payment_ids)})
    return {payment.id: payment for payment in found}


def find_paid(*, purpose: str, purpose_id: UUID) -> Payment | None:
    """Answer the attempt that paid for a purpose, if one did."""
    paid = _of(purpose, purpose_id).where(Payment.status == "succeeded")
    return db.session.scalar(paid)


def cards_of(*, purpose: str, purpose_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
    """The cards that paid for purposes, of what is paid and whose payers let them be kept."""
    paid = select(Payment.purpose_id, Payment.card_id).where(
        Payment.purpose == purpose,
        Payment.purpose_id.in_(purpose_ids),
        Payment.status == "succeeded",
    )
    return {of: card_id for of, card_id in db.session.execute(paid) if card_id is not None}


def find_open(*, purpose: str, purpose_id: UUID) -> Payment | None:
    """Answer the attempt that may still be paid, if there is one."""
    still = _of(purpose, purpose_id).where(Payment.status.in_(policy.OPEN))
    return db.session.scalar(still.order_by(Payment.attempt.desc()).limit(1))


def list_payments(*, purpose: str, purpose_id: UUID) -> Sequence[Payment]:
    """All attempts to be paid for a purpose, in their order."""
    return db.session.scalars(_of(purpose, purpose_id).order_by(Payment.attempt)).all()


def list_payments_of(*, member_id: UUID, after: UUID | None, limit: int) -> Sequence[Payment]:
    """What a member was asked to pay, in whatever state, from after a payment; the oldest first."""
    theirs = select(Payment).where(Payment.member_id == member_id)
    if after is not None:
        theirs = theirs.where(Payment.id > after)
    return db.session.scalars(theirs.order_by(Payment.id).limit(limit)).all()


def get_repayment(repayment_id: UUID) -> Repayment:
    """Answer a repayment.

    Raises:
        NotFound: there is none.
    """
    repayment = db.session.get(Repayment, repayment_id)
    if repayment is None:
        raise NotFound
    return repayment


def find_repayment(*, purpose: str, purpose_id: UUID) -> Repayment | None:
    """Answer the newest attempt to give money back for a purpose, if there is one."""
    ours = select(Repayment).where(Repayment.purpose == purpose, Repayment.purpose_id == purpose_id)
    return db.session.scalar(ours.order_by(Repayment.attempt.desc()).limit(1))


def list_repayments(*, payment_id: UUID) -> Sequence[Repayment]:
    """What was given back of a payment, or was tried to be, the oldest first."""
    ours = select(Repayment).where(Repayment.payment_id == payment_id)
    return db.session.scalars(ours.order_by(Repayment.id)).all()


def list_to_hand_out(*, after: UUID | None, limit: int) -> Sequence[Repayment]:
    """Cash that waits for a clerk to hand it out, the oldest first."""
    waiting = select(Repayment).where(Repayment.provider == CASH, Repayment.status == "processing")
    if after is not None:
        waiting = waiting.where(Repayment.id > after)
    return db.session.scalars(waiting.order_by(Repayment.id).limit(limit)).all()


def _of(purpose: str, purpose_id: UUID) -> Select[Payment]:
    return select(Payment).where(Payment.purpose == purpose, Payment.purpose_id == purpose_id)
