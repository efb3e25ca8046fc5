"""What waits for a person: items that are in doubt, and cups that the chain has borne."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import TupleRow
from sqlalchemy import select, tuple_

import chain
import vouchers
from kernel.db import db
from kernel.errors import Conflict, NotFound, Refusal
from redemption.models import OfflineItem, Redemption
from redemption.offline.errors import AlreadyResolved, NothingToCharge, RemedyNotAllowed
from redemption.offline.given_back import GivenBack
from redemption.offline.handing import hand_over
from redemption.offline.reading import Met, bring_again, meet_again
from redemption.offline.remedies import BORNE, CHARGED, allowed_for
from redemption.offline.settling import take
from redemption.policy import Taken
from redemption.service.undoing import By, undo


class Waiting(NamedTuple):
    """Where an item stands in the queue: the longest waiting first."""

    received_at: datetime
    device_id: UUID
    number: int
    hash: bytes


class Meant(NamedTuple):
    """An item that somebody decides about: `hash` tells which, where a number was used twice."""

    device_id: UUID
    number: int
    hash: bytes | None


def list_reviews(
    *,
    staff_id: UUID,
    role: str,
    store_id: UUID | None,
    reason: str | None,
    after: Waiting | None,
    limit: int,
) -> Sequence[OfflineItem]:
    """List what waits for a person at the stores that somebody may act on.

    Raises:
        StoreScope: a manager asks for a store that is not theirs.
    """
    waiting = select(OfflineItem).where(
        OfflineItem.outcome != "applied", OfflineItem.resolved_at.is_(None)
    )
    if store_id is not None:
        chain.check_scope(store_id, staff_id=staff_id, role=role)
        waiting = waiting.where(OfflineItem.store_id == store_id)
    elif (scope := chain.scope_of(staff_id=staff_id, role=role)) is not None:
        waiting = waiting.where(OfflineItem.store_id.in_(scope))
    if reason is not None:
        waiting = waiting.where(OfflineItem.reason == reason)
    order = (
        OfflineItem.received_at,
        OfflineItem.device_id,
        OfflineItem.number,
        OfflineItem.hash,
    )
    if after is not None:
        waiting = waiting.where(tuple_(*order) > tuple_(*after))
    return db.session.scalars(waiting.order_by(*order).limit(limit)).all()


def resolve_each(
    *,
    meant: Sequence[Meant],
    remedy: str,
    note: str | None,
    staff_id: UUID,
    role: str,
    now: datetime,
) -> list[OfflineItem | Refusal]:
    """Decide the same about many items, each as `resolve` does; answer in their order.

    About which it cannot be, is answered by why, and stays as it is.
    """
    decided: dict[int, OfflineItem | Refusal] = {}
    _lock_wallets(meant)
    # in one order, whoever asks: so that no two wait for each other
    for place in sorted(range(len(meant)), key=lambda place: meant[place][:2]):
        device_id, number, item_hash = meant[place]
        try:
            with db.session.begin_nested():
                decided[place] = resolve(
                    device_id=device_id,
                    number=number,
                    item_hash=item_hash,
                    remedy=remedy,
                    note=note,
                    staff_id=staff_id,
                    role=role,
                    now=now,
                )
        except Refusal as refusal:
            decided[place] = refusal
    return [decided[place] for place in range(len(meant))]


def _lock_wallets(meant: Iterable[Meant]) -> None:
    """All of them before any item, as every decision does with its one."""
    places = [one[:2] for one in meant]
    theirs = select(OfflineItem.member_id).where(
        tuple_(OfflineItem.device_id, OfflineItem.number).in_(places),
        OfflineItem.member_id.is_not(None),
    )
    vouchers.change_wallets([one for one in db.session.scalars(theirs) if one is not None])


def resolve(
    *,
    device_id: UUID,
    number: int,
    item_hash: bytes | None,
    remedy: str,
    note: str | None,
    staff_id: UUID,
    role: str,
    now: datetime,
) -> OfflineItem:
    """Decide about an item, once: charge its cups, let the chain bear them, or dismiss it.

    What is charged is taken from the wallet as it is now, and booked now; never more than the
    capsule was good for. What the wallet does not have the chain bears, and a top-up too. Where a
    number was used twice, `item_hash` says which of the two items is meant.

    Raises:
        NotFound: nothing of this number waits, or several do, and it was not said which.
        StoreScope: a manager acts on a store that is not theirs.
        AlreadyResolved: somebody has decided before.
        RemedyNotAllowed: the remedy does not go with the reason.
        NothingToCharge: neither wallet nor capsule has anything for it.
    """
    row = _found(device_id, number, item_hash)
    chain.check_scope(row.store_id, staff_id=staff_id, role=role)
    if row.member_id is not None:
        vouchers.change_wallet(row.member_id)
    db.session.refresh(row, with_for_update=True)
    if row.resolved_at is not None:
        raise AlreadyResolved(remedy=row.remedy)
    allowed = () if row.reason is None else allowed_for(row.reason)
    if remedy not in allowed:
        raise RemedyNotAllowed(remedy=remedy, allowed=list(allowed))
    if remedy == CHARGED:
        _charge(row, now=now)
    elif remedy == BORNE:
        row.cups_borne = row.cups - _taken(row)
    row.remedy, row.note = remedy, note
    row.resolved_at, row.resolved_by_id = now, staff_id
    return row


def _found(device_id: UUID, number: int, item_hash: bytes | None) -> OfflineItem:
    """The item that is meant: of a number that was used twice the hash says which."""
    wanted = select(OfflineItem).where(
        OfflineItem.device_id == device_id,
        OfflineItem.number == number,
        OfflineItem.outcome != "applied",
    )
    if item_hash is not None:
        wanted = wanted.where(OfflineItem.hash == item_hash)
    found = db.session.scalars(wanted.limit(2)).all()
    if len(found) != 1:
        raise NotFound
    return found[0]


def _taken(row: OfflineItem) -> int:
    """Cups that the item has taken from its wallet. What was undone since nobody has to bear."""
    redemption = _redemption_of(row)
    return 0 if redemption is None else redemption.cups


def _debited(row: OfflineItem) -> int:
    """Those of them that were not undone since."""
    redemption = _redemption_of(row)
    return 0 if redemption is None else redemption.cups - redemption.cups_voided


def _redemption_of(row: OfflineItem) -> Redemption | None:
    if row.redemption_id is None:
        return None
    return db.session.get_one(Redemption, (row.member_id, row.redemption_id))


def _charge(row: OfflineItem, *, now: datetime) -> None:
    """Take the cups from the wallet as it is; what the item had taken before goes back first."""
    before = _debited(row)
    given_back = GivenBack.of(_member_of(row), [row] if before else [])
    met = _as_of_now(row, given_back, now)
    taken = _chosen(met, given_back)
    if sum(pick.cups for pick in taken) <= before:
        raise NothingToCharge
    if before:
        redemption = db.session.get_one(Redemption, (row.member_id, row.redemption_id))
        # By nobody: no drink came back. Who decided, the item says.
        undo(redemption, items=None, by=By(row.store_id, None, CHARGED), now=now)
        db.session.flush()
    row.redemption_id = hand_over(met, taken, is_news=True, now=now)
    row.cups_borne = row.cups - sum(pick.cups for pick in taken)


def _member_of(row: OfflineItem) -> UUID:
    if row.member_id is None:
        raise NothingToCharge
    return row.member_id


def _as_of_now(row: OfflineItem, given_back: GivenBack, now: datetime) -> Met:
    """The item, as if it were served now: it meets the wallet as it is, and is booked today."""
    brought = bring_again(row)
    (met,) = meet_again(
        _read,
        [replace(brought, item=replace(brought.item, at=now))],
        known_at={},
        lot_ids={line.lot_id for line in given_back.lines},
        now=now,
    )
    return replace(met, lots=[given_back.put_into(lot) for lot in met.lots])


def _read(sql: str, params: dict[str, Any]) -> list[TupleRow]:
    """Read within the open transaction: what was charged just before is gone already."""
    db.session.flush()
    return [tuple(row) for row in db.session.connection().exec_driver_sql(sql, params)]


def _chosen(met: Met, given_back: GivenBack) -> Sequence[Taken]:
    """What the item takes, as far as its capsule and the wallet go."""
    if not met.known.is_product:
        raise NothingToCharge
    served = met.served()
    right = given_back.rights_of([met])[served.serial]
    if right == 0:
        return ()
    wanted = replace(served.wanted, cups=min(served.wanted.cups, right))
    try:
        return take(met.lots, wanted, at=served.at, free_only=False)
    except Conflict as unfit:
        raise NothingToCharge from unfit
