"""What happens to gifts without anybody asking."""

from kernel import clock, queue
from kernel.queue import Duty
from kernel.transaction import again, transaction
from vouchers.service.gift_ending import end_some, gifts_due

_WALLETS = 200

DUTY = Duty("vouchers.gift_jobs.end_due", "nightly", gifts_due)


def end_due() -> None:
    """Remind the givers of unclaimed gifts, and end those whose time is over. The RQ job."""
    queue.begun(DUTY.job)
    while again(_end_some):
        pass


def _end_some() -> int:
    with transaction():
        return end_some(limit=_WALLETS, now=clock.now())
