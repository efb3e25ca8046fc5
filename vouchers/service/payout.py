"""The money of a refund: it arrived, it did not, it came back, or finance paid it otherwise."""

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select

import chain
import ledger
import payments
from kernel import alerts
from kernel.db import db
from kernel.errors import NotFound
from ledger import Event
from payments import NothingLeft, Repayment
from vouchers.models import Refund
from vouchers.refund_errors import RefundNotFailed

log = structlog.get_logger()


def follow(*, refund_id: UUID, now: datetime) -> None:
    """Bring a refund to where its newest repayment is, in the caller's transaction.

    News may come doubled, late and in any order: whatever it says, the repayment itself is read,
    under the refund's lock. What was paid and comes back is owed again, and booked back.
    """
    refund = lock(refund_id)
    newest = _newest_repayment(refund.id)
    if newest is None or refund.settled_by_id is not None:
        return
    if newest.status == "succeeded":
        _pay(refund, paid_at=newest.settled_at or now, now=now)
    elif newest.status == "failed":
        _fail(refund, newest, now)


def retry(*, refund_id: UUID, now: datetime) -> Refund:
    """Have the provider try again to bring the money of a refund that failed.

    Raises:
        NotFound: there is no such refund.
        RefundNotFailed: its money is on its way, or has arrived.
    """
    refund = lock(refund_id)
    _refuse_unfailed(refund)
    refund.status = "owed"
    if _newest_repayment(refund.id) is not None:
        payments.repay_again(purpose="refund", purpose_id=refund.id, now=now)
        return refund
    paid = payments.find_paid(purpose=refund.purpose, purpose_id=refund.purpose_id)
    if paid is None:
        raise RefundNotFailed(status="unpaid")
    payments.begin_repayment(
        payment_id=paid.id,
        purpose="refund",
        purpose_id=refund.id,
        amount=refund.payable,
        now=now,
    )
    return refund


def settle_otherwise(*, refund_id: UUID, by_id: UUID, reference: str, now: datetime) -> Refund:
    """Write down that finance has paid a refund that failed in another way, as a bank transfer.

    One person is enough: what is paid was decided before, and who and by which reference stays
    with it.

    Raises:
        NotFound: there is no such refund.
        RefundNotFailed: its money is on its way, or has arrived.
        NothingLeft: a bank has taken the payment back for its holder, who has the money.
    """
    refund = lock(refund_id)
    _refuse_unfailed(refund)
    _refuse_taken_back(refund)
    _pay(refund, paid_at=now, now=now)
    refund.settled_by_id, refund.settled_reference = by_id, reference
    db.session.flush()
    log.info("refund.settled_otherwise", refund_id=str(refund.id), staff_id=str(by_id))
    return refund


def lock(refund_id: UUID) -> Refund:
    """Lock a refund.

    Raises:
        NotFound: there is none.
    """
    mine = select(Refund).where(Refund.id == refund_id).with_for_update()
    refund = db.session.scalar(mine.execution_options(populate_existing=True))
    if refund is None:
        raise NotFound
    return refund


def _newest_repayment(refund_id: UUID) -> Repayment | None:
    attempts = select(Repayment).where(
        Repayment.purpose == "refund", Repayment.purpose_id == refund_id
    )
    newest = attempts.order_by(Repayment.attempt.desc()).limit(1)
    return db.session.scalar(newest.execution_options(populate_existing=True))


def _refuse_unfailed(refund: Refund) -> None:
    if refund.status != "failed":
        raise RefundNotFailed(status=refund.status)


def _refuse_taken_back(refund: Refund) -> None:
    paid = payments.find_paid(purpose=refund.purpose, purpose_id=refund.purpose_id)
    left = payments.left_of(paid.id) if paid else 0
    if paid and left < refund.payable:
        raise NothingLeft(left=left, wanted=refund.payable)


def _pay(refund: Refund, *, paid_at: datetime, now: datetime) -> None:
    if refund.status == "paid":
        return
    refund.payout_entry_id = ledger.post(
        Event(
            member_id=refund.payer_id,
            kind="payout",
            source_id=refund.id,
            pairs=ledger.policy.payout(store_id=refund.store_id, amount=refund.payable),
            event_at=paid_at,
            occurred_on=chain.local_date(refund.store_id, paid_at),
            known_on=chain.local_date(refund.store_id, now),
            currency=refund.currency,
        )
    )
    refund.status, refund.paid_at = "paid", paid_at
    db.session.flush()


def _fail(refund: Refund, repayment: Repayment, now: datetime) -> None:
    if refund.status == "failed":
        return
    if refund.payout_entry_id is not None:
        ledger.reverse(
            member_id=refund.payer_id,
            entry_id=refund.payout_entry_id,
            event_at=now,
            known_on=chain.local_date(refund.store_id, now),
        )
    refund.status, refund.paid_at, refund.payout_entry_id = "failed", None, None
    db.session.flush()
    log.error("refund.failed", refund_id=str(refund.id), failure=repayment.failure)
    alerts.alert(f"Refund {refund.id} failed: {repayment.failure}", now=now)
