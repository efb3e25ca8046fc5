"""News that cups were taken out of members' hands: they went back for money, or are held back."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from kernel import outbox

CUPS_WITHDRAWN = "cups.withdrawn"


def tell_withdrawn(holder_ids: Collection[UUID], *, now: datetime) -> None:
    """Tell who may have promised those cups elsewhere, if and when the transaction commits."""
    for holder_id in sorted(set(holder_ids)):
        outbox.emit(CUPS_WITHDRAWN, now=now, member_id=holder_id, holder_id=holder_id)
