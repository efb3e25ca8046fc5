"""Cash: taken over the counter, and handed out there."""

from datetime import datetime
from uuid import UUID

from kernel import outbox
from kernel.errors import NotFound
from payments import policy
from payments.errors import HandedOut, PaymentUnderWay
from payments.exchanged import SeenRepayment
from payments.gateway import CASH
from payments.models import Payment, Repayment
from payments.service.begin import add_attempt, give_way, lock_attempts
from payments.service.record_repayment import lock_repayment, record_repayment
from payments.service.shift import hold_shift


def take_cash(
    *,
    member_id: UUID,
    purpose: str,
    purpose_id: UUID,
    amount: int,
    currency: str,
    shift_id: UUID,
    is_told: bool = True,
    now: datetime,
) -> Payment:
    """Write down cash that a clerk has taken: paid at once, in the caller's transaction.

    What has paid for the purpose before, in whatever way, is answered as it is. Unless `is_told`
    the caller draws the consequences itself, and `<purpose>.paid` is not told.

    Raises:
        PaymentUnderWay: a provider was asked for the same money, and may still take it.
        ShiftClosed: the shift's money was counted.
    """
    attempts = lock_attempts(purpose, purpose_id)
    for one in attempts:
        if one.status == "succeeded":
            return one
        if one.status in policy.OPEN and one.asked_at is not None:
            raise PaymentUnderWay(payment_id=str(one.id))
        if one.status in policy.OPEN:
            give_way(one, now=now)
    hold_shift(shift_id)
    payment = add_attempt(
        member_id=member_id,
        purpose=purpose,
        purpose_id=purpose_id,
        attempt=len(attempts) + 1,
        provider=CASH,
        shift_id=shift_id,
        amount=amount,
        currency=currency,
        status="succeeded",
        created_at=now,
        settled_at=now,
    )
    if is_told:
        outbox.emit(
            f"{purpose}.paid",
            now=now,
            member_id=member_id,
            payment_id=payment.id,
            purpose_id=purpose_id,
        )
    return payment


def hand_out(*, repayment_id: UUID, shift_id: UUID, now: datetime) -> Repayment:
    """A clerk gives cash back to its payer, once; in the caller's transaction.

    Whoever comes second is refused: an answer as if it had been done would let two tills pay.

    Raises:
        NotFound: no such repayment, or not of cash.
        HandedOut: it was handed out before.
        ShiftClosed: the shift's money was counted.
    """
    repayment = lock_repayment(repayment_id)
    if repayment.provider != CASH:
        raise NotFound
    if repayment.status != "processing":
        raise HandedOut
    hold_shift(shift_id)
    repayment.shift_id = shift_id
    given = SeenRepayment(
        None, "succeeded", repayment.id, None, repayment.amount, repayment.currency
    )
    return record_repayment(repayment_id=repayment.id, seen=given, now=now)
