"""What the books refuse."""

from kernel.errors import Conflict, refuse_on


class AlreadyReversed(Conflict):
    """The entry was undone before; a second time would undo it twice."""

    code = "already-reversed"


refuse_on("uq_entry_reversed_once", AlreadyReversed)
