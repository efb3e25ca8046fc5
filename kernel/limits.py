"""Asking too often: how long to wait."""

from datetime import datetime, timedelta

from kernel.errors import RateLimited

_SECOND = timedelta(seconds=1)


def wait_until(free_at: datetime, *, now: datetime) -> RateLimited:
    """The refusal that says to come back at a moment, in whole seconds, rounded up, at least 1."""
    return RateLimited(retry_after=max(1, -((now - free_at) // _SECOND)))
