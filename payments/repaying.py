"""Money that goes back: providers are asked for it, and asked again until it is known.

For repayments that have just begun, for answers that were lost, and for events that never came.
"""

from uuid import UUID

import structlog
from sqlalchemy import select

from kernel import clock, queue
from kernel.db import db
from kernel.due import of
from kernel.transaction import again, transaction
from payments import policy
from payments.models import Repayment
from payments.service.ask_repayment import ask_repayment
from payments.service.asking import age_of
from payments.service.repay import DUTY

__all__ = ["DUTY", "repay_due"]

log = structlog.get_logger()

_BATCH = 50


def repay_due() -> None:
    """Ask the providers about every repayment that is due. The RQ job; safe to run many at once."""
    queue.begun(DUTY.job)
    while claimed := again(_claim):
        for repayment_id in claimed:
            _ask_about(repayment_id)


def _claim() -> list[UUID]:
    """Take some that are due; each is due again later, should this worker die."""
    now = clock.now()
    with transaction():
        due = select(Repayment).where(Repayment.due_at <= now).order_by(Repayment.due_at)
        due = of(due, Repayment.member_id, clock.whose())
        repayments = db.session.scalars(due.limit(_BATCH).with_for_update(skip_locked=True)).all()
        for one in repayments:
            one.due_at = policy.next_repayment_look_at(age=age_of(one.asked_at), now=now)
        return [one.id for one in repayments]


def _ask_about(repayment_id: UUID) -> None:
    try:
        ask_repayment(repayment_id)
    except Exception as problem:  # noqa: BLE001  one bad repayment must not stop the others
        log.error(  # noqa: TRY400  a stack may hold what is personal
            "repayment.unsettled", repayment_id=str(repayment_id), error=type(problem).__name__
        )
