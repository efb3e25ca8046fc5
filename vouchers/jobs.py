"""What the room does in the background: fulfil, end, lapse."""

from datetime import datetime
from uuid import UUID

import structlog

import payments
from kernel import clock, queue
from kernel.outbox import subscriber
from kernel.queue import Duty
from kernel.transaction import again, transaction
from vouchers.policy import PURPOSE
from vouchers.service.ending import end_order, find_unpaid, unpaid_orders
from vouchers.service.expiry import lapse_some, lots_due
from vouchers.service.fulfil import fulfil

log = structlog.get_logger()

_WALLETS = 500
_ORDERS = 100

EXPIRY = Duty("vouchers.jobs.expire_due", "nightly", lots_due)
ENDING = Duty("vouchers.jobs.end_unpaid", "events", unpaid_orders)
DUTIES = [EXPIRY, ENDING]


@subscriber(f"{PURPOSE}.paid")
def on_paid(*, payment_id: str, purpose_id: str, now: datetime) -> None:
    """The money for an order came: fulfil it."""
    paid = payments.get_payment(UUID(payment_id))
    fulfil(order_id=UUID(purpose_id), paid_at=paid.settled_at or now, now=now)


@subscriber(f"{PURPOSE}.payment_failed")
def on_payment_failed(
    *, payment_id: str, purpose_id: str, failure: str, is_final: bool, now: datetime
) -> None:
    """The order stays open for another card until its time is over: only the log hears of it."""
    del is_final, now
    log.info("order.unpaid", order_id=purpose_id, payment_id=payment_id, failure=failure)


def expire_due() -> None:
    """Lapse every lot that is past its end, however long ago. The RQ job."""
    queue.begun(EXPIRY.job)
    while again(_expire_some):
        pass


def end_unpaid() -> None:
    """End the orders that were not paid in time. The RQ job."""
    queue.begun(ENDING.job)
    now = clock.now()
    for order_id in again(lambda: _unpaid(now)):
        try:
            end_order(order_id=order_id, now=now)
        except Exception as problem:  # noqa: BLE001  one bad order must not stop the others
            log.error(  # noqa: TRY400  a stack may hold what is personal
                "order.not_ended", order_id=str(order_id), error=type(problem).__name__
            )


def _expire_some() -> int:
    with transaction():
        return lapse_some(limit=_WALLETS, now=clock.now())


def _unpaid(now: datetime) -> list[UUID]:
    with transaction():
        return list(find_unpaid(limit=_ORDERS, now=now))
