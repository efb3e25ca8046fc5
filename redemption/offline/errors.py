"""What an upload, or who looks at what it left, may be told instead."""

from kernel.errors import Conflict, Invalid


class ItemInvalid(Invalid):
    """Of what was uploaded, the item at `index` is none of ours; nothing of it all was done.

    Facts: `index` (from 0) and `problem`: `form`, `device` or `signature`.
    """

    code = "offline-item-invalid"


class AlreadyResolved(Conflict):
    """Somebody has decided about the item before. Facts: `remedy`."""

    code = "already-resolved"


class RemedyNotAllowed(Conflict):
    """What was asked for does not go with the reason. Facts: `remedy` and the `allowed` ones."""

    code = "remedy-not-allowed"


class NothingToCharge(Conflict):
    """The wallet has nothing that the item could be charged to, or its capsule is used up."""

    code = "nothing-to-charge"
