"""Disputes: a bank takes the money of a payment back on its holder's word."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from kernel import outbox
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from payments import policy
from payments.exchanged import SeenDispute
from payments.models import Dispute, Payment


def record_dispute(seen: SeenDispute, *, now: datetime) -> Dispute | None:
    """Bring a dispute to what the provider was seen to say, in the caller's transaction.

    Every change tells the room that wanted the payment: `<purpose>.dispute`. News in any order,
    doubled or late, ends the same: what was decided is never open again. None for an inquiry, as
    long as no money was taken, and for a dispute of a payment that is not ours.
    """
    if seen.status == "inquiry":
        return find_dispute(seen.ref)
    payment = _payment_of(seen)
    if payment is None:
        return None
    dispute = _open(seen, payment)
    is_new = dispute is not None
    if dispute is None:
        known = select(Dispute).where(Dispute.provider_ref == seen.ref).with_for_update()
        dispute = db.session.scalars(known.execution_options(populate_existing=True)).one()
    status = policy.decided(dispute.status, seen.status)
    if status == dispute.status and not is_new:
        return dispute
    dispute.status = status
    dispute.closed_at = None if status == "open" else dispute.closed_at or now
    db.session.flush()
    outbox.emit(
        f"{payment.purpose}.dispute",
        now=now,
        member_id=payment.member_id,
        dispute_id=dispute.id,
        purpose_id=payment.purpose_id,
    )
    return dispute


def find_dispute(provider_ref: str) -> Dispute | None:
    """Answer a dispute by the provider's reference."""
    return db.session.scalar(select(Dispute).where(Dispute.provider_ref == provider_ref))


def get_dispute(dispute_id: UUID) -> Dispute:
    """Answer a dispute.

    Raises:
        NotFound: there is none.
    """
    return _there(db.session.get(Dispute, dispute_id))


def lock_dispute(dispute_id: UUID) -> Dispute:
    """Lock a dispute and read it as it is now.

    Raises:
        NotFound: there is none.
    """
    mine = select(Dispute).where(Dispute.id == dispute_id).with_for_update()
    return _there(db.session.scalar(mine.execution_options(populate_existing=True)))


_DISPUTED = (
    select(Payment.purpose_id)
    .join(Dispute, Dispute.payment_id == Payment.id)
    .where(
        Payment.purpose == bindparam("for"),
        Payment.purpose_id == any_(bindparam("for_ids", type_=ARRAY(Uuid))),
        Dispute.status == "open",
    )
)


def find_disputed(*, purpose: str, purpose_ids: Collection[UUID]) -> set[UUID]:
    """Those for which money was paid that a bank has taken back for the time being."""
    return set(db.session.scalars(_DISPUTED, {"for": purpose, "for_ids": list(purpose_ids)}))


def list_disputes(*, payment_id: UUID) -> Sequence[Dispute]:
    """All disputes of a payment, the oldest first."""
    return db.session.scalars(_disputes().where(Dispute.payment_id == payment_id)).all()


def _disputes() -> Select[Dispute]:
    return select(Dispute).order_by(Dispute.opened_at, Dispute.id)


def _payment_of(seen: SeenDispute) -> Payment | None:
    if seen.payment_ref is None:  # cash and what was never asked for have no reference either
        return None
    return db.session.scalar(select(Payment).where(Payment.provider_ref == seen.payment_ref))


def _open(seen: SeenDispute, payment: Payment) -> Dispute | None:
    """Write a dispute down, unless it is known: then None."""
    row = insert(Dispute).values(
        id=new_id(),
        provider_ref=seen.ref,
        payment_id=payment.id,
        amount=seen.amount,
        currency=seen.currency,
        reason=seen.reason,
        status="open",
        opened_at=seen.opened_at,
    )
    made: Dispute | None = db.session.scalar(row.on_conflict_do_nothing().returning(Dispute))
    return made


def _there(dispute: Dispute | None) -> Dispute:
    if dispute is None:
        raise NotFound
    return dispute
