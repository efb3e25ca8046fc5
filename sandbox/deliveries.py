"""Webhooks sent from the queue, again until somebody says 2xx; and what time brings about."""

import logging
import sqlite3
import threading
from collections.abc import Callable

from sandbox import delivery_queue, postman, refund_outcomes
from sandbox.store import Session, Store

_IDLE_SECONDS = 1.0
"""How often the queue is looked at when nobody rings, since the clock may have been moved."""

_log = logging.getLogger(__name__)


class Courier:
    """The one thread that delivers. At least once: a mark lost in a crash means once more."""

    def __init__(self, store: Store, *, before_each_round: Callable[[Session], None]) -> None:
        self._store = store
        self._before_each_round = before_each_round
        self._bell = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def ring(self) -> None:
        """There may be something to deliver. Where no thread lives, as after a fork, start it."""
        self._bell.set()
        if self._thread is not None and self._thread.is_alive():
            return
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        with self._store.transaction() as session:
            delivery_queue.make_all_due(session)
        while True:
            self._bell.clear()
            try:
                with self._store.transaction() as session:
                    self._before_each_round(session)
                while self._deliver_next():
                    pass
            except sqlite3.Error:  # a full disk, say: the queue waits until there is space
                _log.exception("the delivery queue cannot be read or marked")
            self._bell.wait(self._pause())

    def _pause(self) -> float:
        """Until the next retry or the next thing to happen by itself, at most the idle time."""
        with self._store.transaction() as session:
            waits = (
                delivery_queue.seconds_until_next(session),
                refund_outcomes.seconds_until_next(session),
            )
        soonest = min((wait for wait in waits if wait is not None), default=_IDLE_SECONDS)
        return min(max(soonest, 0.01), _IDLE_SECONDS)

    def _deliver_next(self) -> bool:
        """Send what has waited longest; answers whether there was anything."""
        with self._store.transaction() as session:
            delivery = delivery_queue.find_due(session)
        if delivery is None:
            return False
        delivered = postman.send(delivery.letter, copies=delivery.copies)
        with self._store.transaction() as session:
            delivery_queue.mark(session, delivery, delivered=delivered)
        return True
