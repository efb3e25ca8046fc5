"""A store undoes what it handed over, while it may."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import chain
from chain import StoreScope
from kernel.errors import NotFound
from redemption.errors import VoidTooLate
from redemption.models import Redemption
from redemption.queries import find_by_id
from redemption.service.undoing import By, check_not_own, undo
from redemption.void_policy import WITHIN


def void(
    *,
    redemption_id: UUID,
    store_id: UUID,
    staff_id: UUID,
    role: str,
    now: datetime,
    items: Mapping[UUID, int] | None = None,
    reason: str | None = None,
) -> Redemption:
    """Undo a redemption of one's own store, or cups of it: `items` are cups by product.

    Clerks for 30 minutes, managers for 24 hours; later finance asks for it
    (`redemption.service.late_void`). The clerk gives back what was paid besides.

    Raises:
        NotFound: there is no such redemption.
        StoreScope: it happened at another store.
        AlreadyVoided: it was undone before.
        NotSoManyTaken: of a drink fewer cups are left.
        VoidTooLate: the role's time is over.
        OwnWallet: the cups had been collected with one's own codes.
    """
    redemption = find_by_id(redemption_id)
    if redemption is None:
        raise NotFound
    if redemption.store_id != store_id:
        raise StoreScope
    ended_at = redemption.redeemed_at + WITHIN[role]
    if now > ended_at and redemption.voided_at is None:
        here = ended_at.astimezone(ZoneInfo(chain.get_store(store_id).time_zone))
        raise VoidTooLate(ended_at=here.isoformat())
    check_not_own(redemption, staff_id)
    undo(redemption, items=items, by=By(store_id, staff_id, reason), now=now)
    return redemption
