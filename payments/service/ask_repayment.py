"""Asking a provider to give money back, in three steps: commit what is asked, ask, commit it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel import clock
from kernel.db import db
from kernel.transaction import again, transaction
from payments import policy
from payments.errors import NoAnswer
from payments.exchanged import Repay, SeenRepayment
from payments.gateway import CASH, provider
from payments.models import Payment, Repayment
from payments.service.record_repayment import lock_repayment, record_repayment

_OPEN = ("intent", "processing")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A repayment as it stood when its asking was committed."""

    repayment: Repayment
    payment_ref: str | None
    asked_at: datetime


def ask_repayment(repayment_id: UUID) -> Repayment:
    """Ask the provider to give money back, or what became of it. Nobody may hold a transaction.

    Safe to repeat, after any crash and at the same time: the repayment's id is the provider's
    idempotency key. Where no answer came for so long that the provider may have forgotten the key,
    it is looked for first, and asked for anew only if it is not there. If the provider is silent
    the repayment stays under way, and is asked about later.

    Raises:
        NotFound: there is no such repayment.
    """
    asked = again(lambda: _ask(repayment_id))
    repayment = asked.repayment
    if repayment.status not in _OPEN or repayment.provider == CASH:
        return repayment
    try:
        seen = _look(asked)
    except NoAnswer:
        return repayment
    return again(lambda: _record(repayment_id, seen))


def _ask(repayment_id: UUID, *, is_anew: bool = False) -> _Asked:
    now, common = clock.now(), clock.common()
    with transaction():
        repayment = lock_repayment(repayment_id)
        payment_ref = db.session.get_one(Payment, repayment.payment_id).provider_ref
        asked_at = repayment.asked_at or common
        if repayment.status in _OPEN and repayment.provider != CASH:
            asked_at = common if is_anew else asked_at
            repayment.asked_at = asked_at
            repayment.due_at = policy.next_repayment_look_at(age=common - asked_at, now=now)
        return _Asked(repayment, payment_ref, asked_at)


def _look(asked: _Asked) -> SeenRepayment:
    repayment, payment_ref = asked.repayment, asked.payment_ref
    asking = provider(repayment.provider)
    if repayment.provider_ref is not None:
        return asking.get_repayment(repayment.provider_ref)
    assert payment_ref is not None  # what was paid was seen at the provider
    if not policy.may_repeat(age=clock.common() - asked.asked_at, is_off_session=True):
        found = asking.find_repayment(repayment_id=repayment.id, payment_ref=payment_ref)
        if found is not None:
            return found
        again(lambda: _ask(repayment.id, is_anew=True))
    return asking.repay(
        Repay(
            repayment_id=repayment.id,
            payment_ref=payment_ref,
            amount=repayment.amount,
            currency=repayment.currency,
        )
    )


def _record(repayment_id: UUID, seen: SeenRepayment) -> Repayment:
    now = clock.now()
    with transaction():
        return record_repayment(repayment_id=repayment_id, seen=seen, now=now)
