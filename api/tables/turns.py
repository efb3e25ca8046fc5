"""One workbook at a time: making one is a minute of work, in a process that serves tills."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from api.tables.refusals import WorkbookBusy

_PATIENCE_S = 3.0
_MOMENT_S = 0.1

_making = Lock()
_next_in_line = Lock()


@contextmanager
def workbook_turn(patience_s: float = _PATIENCE_S) -> Iterator[None]:
    """Wait a little until no other thread of this process makes a workbook.

    Only one waits: whoever waits keeps a thread from serving tills.

    Raises:
        WorkbookBusy: another workbook took longer, or somebody was waiting already.
    """
    if not _next_in_line.acquire(timeout=_MOMENT_S):
        raise WorkbookBusy
    try:
        is_mine = _making.acquire(timeout=patience_s)
    finally:
        _next_in_line.release()
    if not is_mine:
        raise WorkbookBusy
    try:
        yield
    finally:
        _making.release()
