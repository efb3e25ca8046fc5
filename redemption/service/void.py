"""A redemption is undone: the cups and the money go back exactly to where they came from."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

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
from redemption.service.invoice import take_back
from vouchers.models import Lot
from vouchers.slices import Slice, put_back


def void(
    *, redemption_id: UUID, store_id: UUID, staff_id: UUID, role: str, now: datetime
) -> Redemption:
    """Undo a redemption of one's own store: clerks for 30 minutes, managers for 24 hours.

    1. find it, and the wallet it came from; 2. take the wallet's lock, so that no other verb
    moves the same cups, and the redemption's, so that no invoice of it is on its way; 3. give back
    cups and money, lot by lot; 4. reverse the entry, on the day on which the cups had been handed
    over while its month is open; 5. take back what was invoiced at the till.

    The clerk gives a top-up back. A lot takes its cups back in whatever state it is: a frozen one
    stays frozen, and one that has ended is found by the expiry job again.

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
    db.session.refresh(redemption, with_for_update=True)
    if redemption.voided_at is not None:
        raise AlreadyVoided
    ended_at = redemption.redeemed_at + VOID_WITHIN[role]
    if now > ended_at:
        raise VoidTooLate(ended_at=ended_at.isoformat())
    _give_back(redemption)
    if redemption.entry_id is not None:
        ledger.reverse(
            member_id=redemption.member_id,
            entry_id=redemption.entry_id,
            event_at=now,
            known_on=chain.local_date(store_id, now),
        )
    redemption.voided_at, redemption.voided_by_id = now, staff_id
    take_back(redemption, now=now)
    return redemption


def _give_back(redemption: Redemption) -> None:
    """Put cups back where they are counted."""
    lines = {line.lot_id: line for line in lines_of(redemption)}
    theirs = select(Lot).where(
        Lot.member_id == redemption.member_id, Lot.id.in_(lines), Lot.units > 0
    )
    for lot in db.session.scalars(theirs, execution_options={"populate_existing": True}):
        line = lines[lot.id]
        put_back(lot, Slice(line.cups, line.amount, line.vat))
