"""What the periods of plans give gets into wallets, in sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import ledger
from chain.models import Store
from chain.policy import local_day
from kernel.db import db
from vouchers.models import Lot
from vouchers.service.lot import sale_pairs
from vouchers.slices import Prepaid


@dataclass(frozen=True, slots=True)
class Grant:
    """A lot that a paid period gives. `prepaid` is what paid for it, where no money came now."""

    lot: Lot
    prepaid: Prepaid | None = None


def put_granted(grants: Sequence[Grant], *, stores: Mapping[UUID, Store]) -> None:
    """Write lots that were granted, and what they move into the books, under their wallets' locks.

    As many statements for one as for a thousand. What was paid for now is a sale; what was prepaid
    moves from the lot that was sold before. A lot that holds nothing that is counted moves nothing.
    `stores` are those where they were sold, by their ids.
    """
    db.session.add_all([grant.lot for grant in grants])
    db.session.flush()
    events = [_event(grant, stores[grant.lot.store_id]) for grant in grants]
    ledger.post_all([event for event in events if event.pairs])


def _event(grant: Grant, store: Store) -> ledger.Event:
    lot = grant.lot
    return ledger.Event(
        member_id=lot.member_id,
        kind="sale" if grant.prepaid is None else "transfer",
        source_id=lot.id,
        pairs=sale_pairs(lot) if grant.prepaid is None else _transfer(lot, grant.prepaid),
        event_at=lot.sold_at,
        occurred_on=local_day(lot.sold_at, time_zone=store.time_zone),
        currency=lot.currency,
    )


def _transfer(lot: Lot, prepaid: Prepaid) -> list[ledger.Pair]:
    return ledger.policy.begin_prepaid(
        store_id=lot.store_id,
        account=lot.account,
        amount=prepaid.part.net,
        periods=prepaid.part.cups,
        cups=lot.units,
        offer_id=lot.offer_id,
        prepaid_lot_id=prepaid.lot.id,
        lot_id=lot.id,
    )
