"""What the room does in the background: fulfil, end, lapse."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog

import payments
from kernel import clock, queue
from kernel.outbox import subscriber
from kernel.queue import Duty
from kernel.transaction import again, transaction
from vouchers import earning_jobs, gift_jobs, refund_jobs  # noqa: F401  the last only subscribes
from vouchers.policy import PURPOSE
from vouchers.service.ending import end_order, find_unpaid, unpaid_orders, unpaid_until
from vouchers.service.expiry import Ending, bring_to_end, ends_of, find_ending, lots_due
from vouchers.service.expiry_refund import find_refundable, refund_ended
from vouchers.service.fulfil import fulfil_all

log = structlog.get_logger()

_LOTS, _WALLETS = 50_000, 1_000  # looked at once, and locked at once
_REFUNDS = 100
_ORDERS = 100

EXPIRY = Duty("vouchers.jobs.expire_due", "nightly", lots_due, ends_of)
ENDING = Duty("vouchers.jobs.end_unpaid", "events", unpaid_orders, unpaid_until)
DUTIES = [EXPIRY, ENDING, earning_jobs.DUTY, gift_jobs.DUTY]


@subscriber(f"{PURPOSE}.paid", many=True)
def on_paid(*, news: Sequence[Mapping[str, str]], now: datetime) -> None:
    """The money for orders came: fulfil them."""
    orders = {UUID(one["payment_id"]): UUID(one["purpose_id"]) for one in news}
    paid = payments.find_payments(orders)
    fulfil_all(
        {order_id: paid[payment_id].settled_at or now for payment_id, order_id in orders.items()},
        now=now,
    )


@subscriber(f"{PURPOSE}.payment_failed")
def on_payment_failed(
    *, payment_id: str, purpose_id: str, failure: str, is_final: bool, now: datetime
) -> None:
    """The order stays open for another card until its time is over: only the log hears of it."""
    del is_final, now
    log.info("order.unpaid", order_id=purpose_id, payment_id=payment_id, failure=failure)


def expire_due() -> None:
    """Announce and bring about the ends of lots that are due, however late. The RQ job."""
    queue.begun(EXPIRY.job)
    while _expire_some():
        pass
    after = None
    while owed := again(partial(_refundable, after)):
        for after in owed:
            _refund(after)


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
    """Work off what one look finds; answer 0 when nothing is left, or others hold all of it."""
    now = clock.now()
    return sum(again(partial(_bring_to_end, ending, now)) for ending in again(lambda: _ending(now)))


def _ending(now: datetime) -> list[Ending]:
    with transaction():
        return find_ending(lots=_LOTS, wallets=_WALLETS, now=now, whose=clock.whose())


def _bring_to_end(ending: Ending, now: datetime) -> int:
    with transaction():
        return bring_to_end(ending, now=now)


def _refundable(after: UUID | None) -> list[UUID]:
    with transaction():
        whose = clock.whose()
        return list(find_refundable(after=after, limit=_REFUNDS, now=clock.now(), whose=whose))


def _refund(member_id: UUID) -> None:
    def refund() -> None:
        with transaction():
            refund_ended(member_id=member_id, now=clock.now())

    try:
        again(refund)
    except Exception as problem:  # noqa: BLE001  one bad lot must not keep others' money
        log.error("lots.not_refunded", error=type(problem).__name__)  # noqa: TRY400  as above


def _unpaid(now: datetime) -> list[UUID]:
    with transaction():
        return list(find_unpaid(limit=_ORDERS, now=now, whose=clock.whose()))
