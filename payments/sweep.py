"""Payments of which nobody knows yet what came: the provider is asked again.

For answers that were lost with a process or a network, and for events that never came.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Select, select

from kernel import clock, queue
from kernel.db import db
from kernel.due import of
from kernel.queue import Duty
from kernel.transaction import again, transaction
from payments import ceiling
from payments.models import Payment
from payments.service.charge import charge, next_look_at

log = structlog.get_logger()

_BATCH = 50


def ask_again() -> None:
    """Ask the provider about every open payment that is due. The RQ job."""
    queue.begun(DUTY.job)
    while claimed := again(_claim):
        for payment_id in claimed:
            _ask_about(payment_id)


def _due_ids(now: datetime) -> Select[UUID]:
    return select(Payment.id).where(Payment.due_at <= now)


def _moments(member_id: ColumnElement[UUID]) -> Select[Any]:
    return select(Payment.due_at).where(Payment.member_id == member_id, Payment.due_at.is_not(None))


DUTY = Duty("payments.sweep.ask_again", "events", _due_ids, _moments)


def _claim() -> list[UUID]:
    """Take some that are due; each is due again later, should this worker die."""
    now = clock.now()
    with transaction():
        due = select(Payment).where(Payment.due_at <= now).order_by(Payment.due_at)
        due = of(due, Payment.member_id, clock.whose())
        payments = db.session.scalars(due.limit(_BATCH).with_for_update(skip_locked=True)).all()
        for payment in payments:
            payment.due_at = next_look_at(payment, now=now)
        return [payment.id for payment in payments]


def _ask_about(payment_id: UUID) -> None:
    try:
        ceiling.wait()
        charge(payment_id=payment_id)
    except Exception as problem:  # noqa: BLE001  one bad payment must not stop the others
        log.error(  # noqa: TRY400  a stack may hold what is personal
            "payment.unsettled", payment_id=str(payment_id), error=type(problem).__name__
        )
