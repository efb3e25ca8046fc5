"""A redemption is undone: the cups and the money go back exactly to where they came from."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update

import chain
import ledger
import vouchers
from chain import StoreScope
from kernel.db import db
from kernel.errors import NotFound
from redemption.errors import AlreadyVoided, VoidTooLate
from redemption.models import Redemption
from redemption.policy import VOID_WITHIN
from redemption.queries import find_by_id, lines_of
from vouchers.models import Lot


def void(
    *, redemption_id: UUID, store_id: UUID, staff_id: UUID, role: str, now: datetime
) -> Redemption:
    """Undo a redemption of one's own store: clerks for 30 minutes, managers for 24 hours.

    1. find it, and the wallet it came from; 2. take the wallet's lock, so that no other verb
    moves the same cups; 3. give back cups and money, lot by lot; 4. reverse the entry, on the day
    on which the cups had been handed over while its month is open.

    Raises:
        NotFound: there is no such redemption.
        StoreScope: it happened at another store.
        AlreadyVoided: it was undone before.
        VoidTooLate: the role's time is over.
    """
    redemption = find_by_id(redemption_id)
    if redemption is None:
        raise NotFound
    if redemption.store_id != store_id:
        raise StoreScope
    vouchers.change_wallet(redemption.member_id)
    db.session.refresh(redemption)
    if redemption.voided_at is not None:
        raise AlreadyVoided
    ended_at = redemption.redeemed_at + VOID_WITHIN[role]
    if now > ended_at:
        raise VoidTooLate(ended_at=ended_at.isoformat())
    _give_back(redemption)
    ledger.reverse(
        member_id=redemption.member_id,
        entry_id=redemption.entry_id,
        event_at=now,
        known_on=chain.local_date(store_id, now),
    )
    redemption.voided_at, redemption.voided_by_id = now, staff_id
    return redemption


def _give_back(redemption: Redemption) -> None:
    for line in lines_of(redemption):
        db.session.execute(
            update(Lot)
            .where(Lot.member_id == line.member_id, Lot.id == line.lot_id)
            .values(
                used=Lot.used - line.cups,
                net_recognised=Lot.net_recognised - line.amount,
                is_open=True,
            )
        )
