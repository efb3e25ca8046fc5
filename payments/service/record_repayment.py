"""Writing down what has become of money on its way back: by whoever comes first, once."""

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select

from kernel import outbox
from kernel.db import db
from kernel.errors import NotFound
from payments import policy
from payments.exchanged import SeenRepayment
from payments.models import Repayment
from payments.service import surplus
from payments.service.locks import lock_payment

log = structlog.get_logger()


def lock_repayment(repayment_id: UUID) -> Repayment:
    """Lock a repayment with its payment, in this order, and read it as it is now.

    Raises:
        NotFound: there is no such repayment.
    """
    paid = select(Repayment.payment_id).where(Repayment.id == repayment_id)
    payment_id = db.session.scalar(paid)
    if payment_id is None:
        raise NotFound
    lock_payment(payment_id)
    mine = select(Repayment).where(Repayment.id == repayment_id).with_for_update()
    return db.session.scalars(mine.execution_options(populate_existing=True)).one()


def record_repayment(*, repayment_id: UUID, seen: SeenRepayment, now: datetime) -> Repayment:
    """Bring a repayment to what the provider was seen to say, in the caller's transaction.

    Only forward, so news may come in any order and any number. What has failed is left of the
    payment again. Who moves it tells the room that wanted it: `refund.repaid` once, and
    `refund.repayment_failed` once, the latter also long after the former.
    """
    repayment = lock_repayment(repayment_id)
    check_is_ours(repayment, seen)
    repayment.provider_ref = repayment.provider_ref or seen.ref
    before, status = repayment.status, policy.returned(repayment.status, seen.status)
    if status == before:
        return repayment
    repayment.status = status
    if status == "processing":
        return repayment
    repayment.settled_at, repayment.due_at = now, None
    if status == "failed":
        repayment.failure = seen.failure or "unknown"
        lock_payment(repayment.payment_id).repaid -= repayment.amount
    db.session.flush()
    _tell(repayment, is_after_success=before == "succeeded", now=now)
    return repayment


def check_is_ours(repayment: Repayment, seen: SeenRepayment) -> None:
    """What was asked and what is seen are one: anything else is a bug, and nothing is booked."""
    asked = (repayment.id, repayment.provider_ref or seen.ref, repayment.amount)
    shown = (seen.repayment_id, seen.ref or repayment.provider_ref, seen.amount)
    if asked != shown or seen.currency not in (None, repayment.currency):
        raise RuntimeError(f"repayment {repayment.id} is not what is shown as {seen.ref}")


def _tell(repayment: Repayment, *, is_after_success: bool, now: datetime) -> None:
    if repayment.purpose == "surplus":
        surplus.follow(repayment, is_after_success=is_after_success, now=now)
        return
    if repayment.status == "succeeded":
        outbox.emit(
            "refund.repaid",
            now=now,
            member_id=repayment.member_id,
            repayment_id=repayment.id,
            purpose_id=repayment.purpose_id,
        )
        return
    log.warning("repayment.failed", repayment_id=str(repayment.id), failure=repayment.failure)
    outbox.emit(
        "refund.repayment_failed",
        now=now,
        member_id=repayment.member_id,
        repayment_id=repayment.id,
        purpose_id=repayment.purpose_id,
        failure=repayment.failure,
        is_after_success=is_after_success,
    )
