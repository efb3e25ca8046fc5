"""Counting, without anybody asking."""

from kernel import clock, queue
from kernel.transaction import again, transaction
from subs.statistics import counting

DUTIES = [counting.ALL, counting.OPEN]


def count_all_months() -> None:
    """Count all months anew, once a week: what came late is found then."""
    queue.begun(counting.ALL.job)
    again(_count_all)


def count_open_months() -> None:
    """Count the months anew that can still change."""
    queue.begun(counting.OPEN.job)
    again(_count_open)


def _count_all() -> None:
    with transaction():
        counting.count_all(now=clock.now())


def _count_open() -> None:
    with transaction():
        counting.count_open(now=clock.now())
