"""Cups that were paid for get into a wallet."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

import chain
import ledger
from kernel.db import db
from kernel.ids import new_id
from vouchers.models import Lot, OfferVersion
from vouchers.wallet import change_wallet


def issue_lot(
    *,
    member_id: UUID,
    offer_version_id: UUID,
    store_id: UUID,
    source: str,
    source_id: UUID,
    ordinal: int = 1,
    account: str,
    net: int,
    vat: int,
    sold_at: datetime,
    ends_at: datetime | None,
) -> Lot:
    """Put the cups of one pack or plan period into a wallet, and their sale into the books.

    In the caller's transaction, under the wallet's lock. Once for each source and ordinal: a
    second time answers the lot of the first. `net` and `vat` are what was paid for it, in minor
    units; `account` is the liability that the sale creates (`ledger.policy`).
    """
    change_wallet(member_id)
    issued = _find(member_id, source, source_id, ordinal)
    if issued is not None:
        return issued
    version = db.session.get_one(OfferVersion, offer_version_id)
    lot = Lot(
        member_id=member_id,
        id=new_id(),
        offer_version_id=version.id,
        offer_id=version.offer_id,
        store_id=store_id,
        source=source,
        source_id=source_id,
        ordinal=ordinal,
        account=account,
        currency=version.currency,
        units=version.cups,
        net=net,
        vat=vat,
        sold_at=sold_at,
        ends_at=ends_at,
    )
    db.session.add(lot)
    db.session.flush()
    _book(lot)
    return lot


def _find(member_id: UUID, source: str, source_id: UUID, ordinal: int) -> Lot | None:
    return db.session.scalar(
        select(Lot).where(
            Lot.member_id == member_id,
            Lot.source == source,
            Lot.source_id == source_id,
            Lot.ordinal == ordinal,
        )
    )


def _book(lot: Lot) -> None:
    pairs = ledger.policy.sale(
        store_id=lot.store_id,
        account=lot.account,
        net=lot.net,
        vat=lot.vat,
        cups=lot.units,
        offer_id=lot.offer_id,
        lot_id=lot.id,
    )
    ledger.post(
        ledger.Event(
            member_id=lot.member_id,
            kind="sale",
            source_id=lot.id,
            pairs=pairs,
            event_at=lot.sold_at,
            occurred_on=chain.local_date(lot.store_id, lot.sold_at),
            currency=lot.currency,
        )
    )
