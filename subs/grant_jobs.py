"""Free plans grant their cups several times in a period."""

from functools import partial

from kernel import clock, queue
from kernel.transaction import again, transaction
from subs.service.granting_again import DUTY, grant_some

_PERIODS = 500  # locked at once

__all__ = ["DUTY", "grant_again"]


def grant_again() -> None:
    """Grant what is due, however late. Safe to run many times at once. The RQ job."""
    queue.begun(DUTY.job)
    while again(partial(_grant_some, _PERIODS)):
        pass


def _grant_some(limit: int) -> int:
    with transaction():
        return grant_some(limit=limit, now=clock.now(), whose=clock.whose())
