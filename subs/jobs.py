"""What happens to subscriptions without anybody asking."""

from datetime import datetime
from uuid import UUID

import structlog

import payments
import vouchers
from kernel import clock, queue
from kernel.outbox import subscriber
from kernel.transaction import again, transaction
from subs import notices
from subs.service import outcome, rates, renewal, start
from subs.service.renewal import PURPOSE, Claim

log = structlog.get_logger()

_BATCH = 10

DUTIES = [renewal.DUTY, rates.DUTY]


@subscriber("plan_item.paid")
def start_subscriptions(*, order_item_id: str, paid_at: str, now: datetime, **_: str) -> None:
    """A plan was paid for: it begins."""
    del now  # the plan begins when it was paid, however late that is heard
    start.start(order_item_id=UUID(order_item_id), paid_at=datetime.fromisoformat(paid_at))


@subscriber(f"{PURPOSE}.paid")
def complete_period(*, payment_id: str, purpose_id: str, now: datetime) -> None:
    """A renewal was paid: its cups are issued."""
    paid = payments.get_payment(UUID(payment_id))
    outcome.complete(
        period_id=UUID(purpose_id), payment_id=paid.id, paid_at=paid.settled_at or now, now=now
    )


@subscriber(f"{PURPOSE}.payment_failed")
def fail_period(
    *, payment_id: str, purpose_id: str, is_final: bool, now: datetime, **_: str | None
) -> None:
    """A renewal was not paid: it is tried again, or the member is asked."""
    outcome.fail(
        period_id=UUID(purpose_id), payment_id=UUID(payment_id), is_final=is_final, now=now
    )


@subscriber(f"{PURPOSE}.dispute")
def follow_dispute(*, dispute_id: str, now: datetime, **_: object) -> None:
    """A bank disputes the payment of a renewal, or has decided: so it is with its cups."""
    vouchers.follow_dispute(dispute_id=UUID(dispute_id), now=now)


@subscriber(outcome.GIVEN_UP, sending=True)
def give_up_payment(*, payment_id: str, **_: object) -> None:
    """The subscription has ended: a payment that is still open is not wanted any more."""
    payments.cancel(payment_id=UUID(payment_id))


@subscriber(outcome.AUTHENTICATION_WANTED)
def ask_to_authenticate(*, period_id: str, now: datetime) -> None:
    """Send the member to their bank, unless the payment has got on meanwhile."""
    notices.ask_to_authenticate(period_id=UUID(period_id), now=now)


def renew_due() -> None:
    """Renew, end or lapse every subscription that is due. Safe to run many times at once."""
    queue.begun(renewal.DUTY.job)
    while claimed := again(_claim):
        for one in claimed:
            _renew(one)


def refresh_renewal_rates() -> None:
    """Count the renewal rates anew."""
    queue.begun(rates.DUTY.job)
    again(_refresh)


def _claim() -> list[Claim]:
    with transaction():
        return renewal.claim(limit=_BATCH, now=clock.now())


def _renew(claimed: Claim) -> None:
    """One subscription, in three steps; whatever breaks, it is found again when due."""
    try:
        payment_id = again(lambda: _take_up(claimed))
        if payment_id is not None:
            payments.charge(payment_id=payment_id, off_session=True)
    except Exception as problem:  # noqa: BLE001  one subscription must not stop the others
        log.error(  # noqa: TRY400  a stack may hold what is personal
            "renewal.broken",
            subscription_id=str(claimed.subscription_id),
            error=type(problem).__name__,
        )


def _take_up(claimed: Claim) -> UUID | None:
    with transaction():
        return renewal.take_up(claimed, now=clock.now())


def _refresh() -> None:
    with transaction():
        rates.refresh(now=clock.now())
