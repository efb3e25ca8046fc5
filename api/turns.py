"""Work that only one thread of a process does at a time, since it serves tills as well."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from kernel.errors import Refusal

_MOMENT_S = 0.1


class Turns:
    """One turn at a time. At most `waiting` wait: whoever does keeps a thread from serving tills.

    Others hear `busy`.
    """

    def __init__(self, busy: type[Refusal], *, waiting: int) -> None:
        self._busy = busy
        self._in_line = BoundedSemaphore(waiting)
        self._at_work = Lock()

    @contextmanager
    def one(self, *, patience_s: float) -> Iterator[None]:
        """Wait a little until no other thread has its turn.

        Raises:
            Refusal: `busy`; it took longer, or as many were waiting already.
        """
        if not self._in_line.acquire(timeout=_MOMENT_S):
            raise self._busy
        try:
            is_mine = self._at_work.acquire(timeout=patience_s)
        finally:
            self._in_line.release()
        if not is_mine:
            raise self._busy
        try:
            yield
        finally:
            self._at_work.release()
