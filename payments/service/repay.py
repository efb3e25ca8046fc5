"""The intent to give money back, as a row, before anybody is asked to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select

from kernel import queue
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.queue import Duty
from kernel.transaction import after_commit
from payments import policy
from payments.errors import NothingLeft
from payments.gateway import CASH
from payments.models import Dispute, Payment, Repayment
from payments.service.locks import lock_payment


def _due_ids(now: datetime) -> Select[UUID]:
    return select(Repayment.id).where(Repayment.due_at <= now)


def _moments(member_id: ColumnElement[UUID]) -> Select[Any]:
    waiting = Repayment.due_at.is_not(None)
    return select(Repayment.due_at).where(Repayment.member_id == member_id, waiting)


DUTY = Duty("payments.repaying.repay_due", "events", _due_ids, _moments)


def begin_repayment(
    *, payment_id: UUID, purpose: str, purpose_id: UUID, amount: int, now: datetime
) -> Repayment:
    """Begin to give back some of a payment, in the caller's transaction, under the payment's lock.

    It goes the way the money came, always to the payer; the provider is asked after the commit.
    The repayment of a purpose that is under way or done is answered again. Cash waits for a clerk
    who hands it out. `amount` is in minor units of ours; `purpose` is `refund` or `surplus`.

    Raises:
        NotFound: there is no such payment.
        NothingLeft: more than is left of the payment, all begun repayments and lost disputes
            considered.
    """
    payment = lock_payment(payment_id)
    attempts = _attempts(purpose, purpose_id)
    live = next((one for one in attempts if one.status != "failed"), None)
    if live is not None:
        return live
    return _begin(
        payment,
        purpose=purpose,
        purpose_id=purpose_id,
        amount=amount,
        attempt=len(attempts) + 1,
        due_at=now,
        now=now,
    )


def repay_again(
    *, purpose: str, purpose_id: UUID, now: datetime, due_at: datetime | None = None
) -> Repayment:
    """Begin the next attempt where the last one failed, in the caller's transaction.

    One that is under way or done is answered as it is. The provider is asked at `due_at`, or now.

    Raises:
        NotFound: nothing ever began for this purpose.
        NothingLeft: the payment was given back meanwhile, for other reasons, or a bank took it.
    """
    attempts = _attempts(purpose, purpose_id)
    if not attempts:
        raise NotFound
    payment = lock_payment(attempts[-1].payment_id)
    last = _attempts(purpose, purpose_id)[-1]
    if last.status != "failed":
        return last
    return _begin(
        payment,
        purpose=purpose,
        purpose_id=purpose_id,
        amount=last.amount,
        attempt=last.attempt + 1,
        due_at=due_at or now,
        now=now,
    )


def _begin(
    payment: Payment,
    *,
    purpose: str,
    purpose_id: UUID,
    amount: int,
    attempt: int,
    due_at: datetime,
    now: datetime,
) -> Repayment:
    left = _left(payment)
    if amount > left:
        raise NothingLeft(left=left, wanted=amount)
    is_cash = payment.provider == CASH
    repayment = Repayment(
        id=new_id(),
        payment_id=payment.id,
        member_id=payment.member_id,
        purpose=purpose,
        purpose_id=purpose_id,
        attempt=attempt,
        provider=payment.provider,
        amount=amount,
        currency=payment.currency,
        status="processing" if is_cash else "intent",
        created_at=now,
        due_at=None if is_cash else due_at,
    )
    payment.repaid += amount
    db.session.add(repayment)
    db.session.flush()
    if not is_cash:
        after_commit(lambda: queue.ring(DUTY))
    return repayment


def left_of(payment_id: UUID) -> int:
    """What of a payment can still be given back, in minor units.

    Raises:
        NotFound: there is no such payment.
    """
    return _left(lock_payment(payment_id))


def _left(payment: Payment) -> int:
    """What can still be given back: not what is on its way, nor what a bank took back for good."""
    if payment.status not in policy.PAID:
        return 0
    lost = select(func.coalesce(func.sum(Dispute.amount), 0)).where(
        Dispute.payment_id == payment.id, Dispute.status == "lost"
    )
    return max(payment.amount - payment.repaid - int(db.session.scalars(lost).one()), 0)


def _attempts(purpose: str, purpose_id: UUID) -> Sequence[Repayment]:
    ours = select(Repayment).where(Repayment.purpose == purpose, Repayment.purpose_id == purpose_id)
    ordered = ours.order_by(Repayment.attempt).execution_options(populate_existing=True)
    return db.session.scalars(ordered).all()
