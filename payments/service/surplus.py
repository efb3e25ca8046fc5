"""Money that came and that nobody had to pay: it is owed to its payer, and goes back by itself."""

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import Select, func, select

import chain
import ledger
from kernel.alerts import alert
from kernel.db import db
from ledger.models import Entry
from payments import policy
from payments.errors import NothingLeft
from payments.models import Payment, Repayment
from payments.service.locks import lock_payment
from payments.service.repay import begin_repayment, repay_again

log = structlog.get_logger()

PURPOSE = "surplus"


def return_surplus(*, payment_id: UUID, now: datetime) -> Repayment | None:
    """Give back what is left of a payment, since nothing can be done for it any more.

    In the caller's transaction, under the payment's lock, once: a repetition answers the same
    repayment. None where nothing is left.

    Raises:
        NotFound: there is no such payment.
        ValueError: it was never paid.
    """
    payment = lock_payment(payment_id)
    if payment.status not in policy.PAID:
        raise ValueError("what was not paid is no surplus")
    return owe(payment, now=now)


def owe(payment: Payment, *, now: datetime) -> Repayment | None:
    """Make a paid payment a surplus: owed in the books, and on its way back."""
    known = select(Repayment).where(
        Repayment.purpose == PURPOSE, Repayment.purpose_id == payment.id
    )
    last = db.session.scalar(known.order_by(Repayment.attempt.desc()).limit(1))
    if last is not None:
        return last
    payment.status = "surplus"
    left = payment.amount - payment.repaid
    db.session.flush()
    log.warning("payment.surplus", payment_id=str(payment.id), purpose=payment.purpose)
    if not left:
        return None
    store_id = chain.online_store().id
    pairs = ledger.policy.surplus(store_id=store_id, amount=left)
    _post(payment, PURPOSE, pairs, now=now)
    return begin_repayment(
        payment_id=payment.id, purpose=PURPOSE, purpose_id=payment.id, amount=left, now=now
    )


def follow(repayment: Repayment, *, is_after_success: bool, now: datetime) -> None:
    """Draw the consequences of what became of a surplus on its way back."""
    if repayment.status == "succeeded":
        store_id = chain.online_store().id
        pairs = ledger.policy.payout(store_id=store_id, amount=repayment.amount)
        _post(repayment, "payout", pairs, now=now)
        return
    if is_after_success:
        _take_back_payout(repayment, now)
    due_at = policy.surplus_again_at(attempts=repayment.attempt, now=now)
    if due_at is None:
        _tell_stuck(repayment, str(repayment.failure), now)
        return
    try:
        repay_again(purpose=PURPOSE, purpose_id=repayment.purpose_id, now=now, due_at=due_at)
    except NothingLeft as refusal:
        _tell_stuck(repayment, refusal.code, now)


def surplus_owed() -> Select[UUID, UUID, int, str]:
    """What is booked as owed and has not arrived: (payment_id, member_id, amount, currency)."""
    has_arrived = func.bool_or(Repayment.status == "succeeded")
    return (
        select(
            Repayment.payment_id,
            Repayment.member_id,
            func.max(Repayment.amount).label("amount"),
            Repayment.currency,
        )
        .where(Repayment.purpose == PURPOSE)
        .group_by(Repayment.payment_id, Repayment.member_id, Repayment.currency)
        .having(~has_arrived)
    )


def _tell_stuck(repayment: Repayment, why: str, now: datetime) -> None:
    """It stays owed in the books until somebody has looked."""
    payment_id = repayment.payment_id
    log.error("surplus.stuck", payment_id=str(payment_id), failure=why)
    alert(f"Surplus of payment {payment_id} cannot be repaid: {why}", now=now)


def _take_back_payout(repayment: Repayment, now: datetime) -> None:
    booked = select(Entry.id).where(
        Entry.member_id == repayment.member_id,
        Entry.source_id == repayment.id,
        Entry.kind == "payout",
    )
    ledger.reverse(
        member_id=repayment.member_id,
        entry_id=db.session.scalars(booked).one(),
        event_at=now,
        known_on=chain.local_date(chain.online_store().id, now),
    )


def _post(
    source: Payment | Repayment, kind: str, pairs: list[ledger.Pair], *, now: datetime
) -> None:
    ledger.post(
        ledger.Event(
            member_id=source.member_id,
            kind=kind,
            source_id=source.id,
            pairs=pairs,
            event_at=now,
            occurred_on=chain.local_date(pairs[0].store_id, now),
            currency=source.currency,
        )
    )
