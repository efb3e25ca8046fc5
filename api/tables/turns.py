"""One workbook at a time: making one is a minute of work, in a process that serves tills."""

from contextlib import AbstractContextManager

from api.tables.refusals import WorkbookBusy
from api.turns import Turns

_PATIENCE_S = 3.0

_TURNS = Turns(WorkbookBusy, waiting=1)


def workbook_turn(patience_s: float = _PATIENCE_S) -> AbstractContextManager[None]:
    """Wait a little until no other thread of this process makes a workbook.

    Raises:
        WorkbookBusy: another workbook took longer, or somebody was waiting already.
    """
    return _TURNS.one(patience_s=patience_s)
