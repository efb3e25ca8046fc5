"""Where the faults strike a call: before it, so that nothing happens, or after it, too late."""

import time

from sandbox import faults
from sandbox.store import Store


def fails_before(store: Store) -> bool:
    """Whether this call is to fail with nothing done."""
    with store.transaction() as session:
        return faults.use_up(session, "fail_before")


def is_lost_after(store: Store, *, has_changed: bool) -> bool:
    """Wait as long as answers are late; answers whether this one, of a change, is lost.

    The change itself is committed by now.
    """
    with store.transaction() as session:
        latency_ms = faults.amount(session, "latency_ms")
        is_lost = has_changed and faults.use_up(session, "fail_after_success")
    if latency_ms:
        time.sleep(latency_ms / 1000)
    return is_lost
