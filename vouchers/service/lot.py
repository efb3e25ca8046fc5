"""Cups that were paid for get into a wallet."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

import chain
import ledger
import payments
from chain.models import Store
from chain.policy import local_day
from kernel.db import db
from kernel.ids import new_id
from vouchers.expiry_policy import first_due_at
from vouchers.models import Lot, OfferVersion, OrderItem
from vouchers.policy import PURPOSE
from vouchers.wallet import change_wallet


def issue_lot(
    *,
    member_id: UUID,
    offer_version_id: UUID,
    store_id: UUID,
    source: str,
    source_id: UUID,
    ordinal: int = 1,
    order_item_id: UUID | None = None,
    account: str,
    net: int,
    vat: int,
    sold_at: datetime,
    ends_at: datetime | None,
) -> Lot:
    """Put the cups of one plan period into a wallet, and their sale into the books.

    In the caller's transaction, under the wallet's lock. Once for each source and ordinal: a
    second time answers the lot of the first. `net` and `vat` are what was paid for it, in minor
    units; `account` is the liability that the sale creates (`ledger.policy`). `order_item_id` names
    the line of the order that paid for it, as one does for the first period of a plan; its cups
    are frozen if that payment is disputed already.
    """
    change_wallet(member_id)
    issued = _find(member_id, source, source_id, ordinal)
    if issued is not None:
        return issued
    version = db.session.get_one(OfferVersion, offer_version_id)
    store = chain.get_store(store_id)
    paid_by = source_id if source == "order_item" else order_item_id
    lot = Lot(
        member_id=member_id,
        id=new_id(),
        offer_version_id=version.id,
        offer_id=version.offer_id,
        store_id=store_id,
        source=source,
        source_id=source_id,
        ordinal=ordinal,
        buyer_id=member_id,
        order_item_id=paid_by,
        account=account,
        currency=version.currency,
        units=version.cups,
        net=net,
        vat=vat,
        sold_at=sold_at,
        expiry_mode="never" if ends_at is None else version.expiry_mode,
        ends_at=ends_at,
        due_at=ends_at
        and first_due_at(sold_at=sold_at, ends_at=ends_at, time_zone=store.time_zone),
        frozen_at=sold_at if _is_disputed(paid_by) else None,
    )
    put_into_wallets([lot], stores={store.id: store})
    return lot


def put_into_wallets(lots: Sequence[Lot], *, stores: Mapping[UUID, Store]) -> None:
    """Write lots, and their sales into the books, under the locks of their wallets.

    As many statements for one as for a thousand. `stores` are those where they were sold, by
    their ids: a sale is of the day that it was there.
    """
    db.session.add_all(lots)
    db.session.flush()
    zones = {store_id: store.time_zone for store_id, store in stores.items()}
    ledger.post_all(
        [_sale(lot, local_day(lot.sold_at, time_zone=zones[lot.store_id])) for lot in lots]
    )


def _is_disputed(order_item_id: UUID | None) -> bool:
    if order_item_id is None:
        return False
    item = db.session.get(OrderItem, order_item_id)
    if item is None:
        return False
    return bool(payments.find_disputed(purpose=PURPOSE, purpose_ids=[item.order_id]))


def _find(member_id: UUID, source: str, source_id: UUID, ordinal: int) -> Lot | None:
    return db.session.scalar(
        select(Lot).where(
            Lot.member_id == member_id,
            Lot.source == source,
            Lot.source_id == source_id,
            Lot.ordinal == ordinal,
        )
    )


def sale_pairs(lot: Lot) -> list[ledger.Pair]:
    """What the sale of a lot moves: nothing, where it costs nothing and holds nothing counted."""
    return ledger.policy.sale(
        store_id=lot.store_id,
        account=lot.account,
        net=lot.net,
        vat=lot.vat,
        cups=lot.units,
        offer_id=lot.offer_id,
        lot_id=lot.id,
    )


def _sale(lot: Lot, sold_on: date) -> ledger.Event:
    return ledger.Event(
        member_id=lot.member_id,
        kind="sale",
        source_id=lot.id,
        pairs=sale_pairs(lot),
        event_at=lot.sold_at,
        occurred_on=sold_on,
        currency=lot.currency,
    )
