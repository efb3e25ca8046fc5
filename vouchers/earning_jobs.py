"""What unlimited plans and memberships cost is earned, day by day."""

from datetime import datetime
from functools import partial

from kernel import clock, queue
from kernel.queue import Duty
from kernel.transaction import again, transaction
from vouchers.service.earning import days_of, earn, find_earning, lots_earning

_LOTS, _WALLETS = 20_000, 1_000  # looked at once, and locked at once

DUTY = Duty("vouchers.earning_jobs.earn_days", "nightly", lots_earning, days_of)


def earn_days() -> None:
    """Earn the days that have passed, however late. Safe to run many times at once. The RQ job."""
    queue.begun(DUTY.job)
    while _earn_some():
        pass


def _earn_some() -> int:
    """Work off what one look finds; answer 0 when nothing is left, or others hold all of it."""
    now = clock.now()
    return sum(again(partial(_earn, members, now)) for members in again(partial(_find, now)))


def _find(now: datetime) -> list[str]:
    with transaction():
        return find_earning(lots=_LOTS, wallets=_WALLETS, now=now, whose=clock.whose())


def _earn(members: str, now: datetime) -> int:
    with transaction():
        return earn(members, now=now)
