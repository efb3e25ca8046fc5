"""What happens to subscriptions without anybody asking."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import payments
import vouchers
from kernel.outbox import subscriber
from subs import change_jobs, clock_jobs, grant_jobs, plan_jobs
from subs.renewing import renew_due
from subs.service import disputed, outcome, renewal, start
from subs.service.renewal import PURPOSE
from subs.statistics import jobs as statistics_jobs

__all__ = ["DUTIES", "renew_due"]

DUTIES = [
    renewal.DUTY,
    grant_jobs.DUTY,
    *statistics_jobs.DUTIES,
    *plan_jobs.DUTIES,
    *change_jobs.DUTIES,
    clock_jobs.DUTY,
]


@subscriber("plan_item.paid", many=True)
def start_subscriptions(*, news: Sequence[Mapping[str, str]], now: datetime) -> None:
    """Plans were paid for: they begin when they were, however late that is heard."""
    paid_at = {UUID(one["order_item_id"]): datetime.fromisoformat(one["paid_at"]) for one in news}
    start.start_all(paid_at, now=now)


@subscriber(f"{PURPOSE}.paid", many=True)
def complete_periods(*, news: Sequence[Mapping[str, str]], now: datetime) -> None:
    """Renewals were paid: what they give is granted."""
    outcome.complete_all([UUID(one["payment_id"]) for one in news], now=now)


@subscriber(f"{PURPOSE}.payment_failed", many=True)
def fail_periods(*, news: Sequence[Mapping[str, str]], now: datetime) -> None:
    """Renewals were not paid: they are tried again, or their members are asked."""
    outcome.fail_all([UUID(one["payment_id"]) for one in news], now=now)


@subscriber(f"{PURPOSE}.dispute")
def follow_dispute(*, dispute_id: str, now: datetime, **_: object) -> None:
    """A bank disputes the payment of a renewal, or has decided: so it is with its cups."""
    vouchers.follow_dispute(dispute_id=UUID(dispute_id), now=now)


@subscriber("purchase.lost")
def end_disputed(*, dispute_id: str, now: datetime) -> None:
    """A bank has decided for its holder: the plans that were paid for end."""
    disputed.end_disputed(dispute_id=UUID(dispute_id), now=now)


@subscriber(outcome.GIVEN_UP, sending=True)
def give_up_payment(*, payment_id: str, **_: object) -> None:
    """The subscription has ended: a payment that is still open is not wanted any more."""
    payments.cancel(payment_id=UUID(payment_id))
