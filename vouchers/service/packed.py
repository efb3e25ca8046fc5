"""The lots of what was sold: cups, bonus cups that end by themselves, periods to be given."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import ledger
from chain.models import Store
from kernel.ids import new_id
from vouchers import expiry_policy
from vouchers.models import Lot, OfferVersion, Order, OrderItem
from vouchers.policy import Share, with_own_bonus

_FIRST_BONUS = 100
"""Ordinals of bonus lots begin behind this: an item has at most 99 packs."""


@dataclass(frozen=True, slots=True)
class Sold:
    """An order as it is being fulfilled. Its cups are frozen if its payment is disputed already."""

    order: Order
    sold_at: datetime
    store: Store
    frozen_at: datetime | None


def lots_of_item(sold: Sold, item: OrderItem, version: OfferVersion) -> Iterator[Lot]:
    """The lots of so many packs: each carries the same money, and ends by the version's terms.

    Of periods of a plan that are to be given, so many lots of all of them: they have no end.
    """
    if item.gift_periods is not None:
        yield from _prepaid(sold, item, version, item.gift_periods)
        return
    whole = Share(version.cups, item.net // item.quantity, item.vat // item.quantity)
    for ordinal in range(1, item.quantity + 1):
        if version.bonus_after_count is None:
            yield _paid(sold, item, version, ordinal, whole)
            continue
        assert version.bonus_use_bp is not None  # held by the database: they come together
        paid, bonus = with_own_bonus(
            whole, bonus_cups=version.bonus_cups, use_bp=version.bonus_use_bp
        )
        yield _paid(sold, item, version, ordinal, paid)
        yield _bonus(sold, item, version, ordinal, bonus)


def _prepaid(sold: Sold, item: OrderItem, version: OfferVersion, periods: int) -> Iterator[Lot]:
    share = Share(periods, item.net // item.quantity, item.vat // item.quantity)
    for ordinal in range(1, item.quantity + 1):
        lot = _lot(sold, item, version, share, ordinal=ordinal, mode="never", ends_at=None)
        lot.account, lot.prepays_plan = ledger.policy.PLANS, True
        yield lot


def _paid(sold: Sold, item: OrderItem, version: OfferVersion, ordinal: int, share: Share) -> Lot:
    ends_at = _ends_at(sold, version.expires_after_count, version.expires_after_unit)
    mode = "never" if ends_at is None else version.expiry_mode
    return _lot(sold, item, version, share, ordinal=ordinal, mode=mode, ends_at=ends_at)


def _bonus(sold: Sold, item: OrderItem, version: OfferVersion, ordinal: int, share: Share) -> Lot:
    ends_at = _ends_at(sold, version.bonus_after_count, version.bonus_after_unit)
    lot = _lot(
        sold, item, version, share, ordinal=_FIRST_BONUS + ordinal, mode="lapse", ends_at=ends_at
    )
    lot.is_bonus = True
    return lot


def _ends_at(sold: Sold, count: int | None, unit: str | None) -> datetime | None:
    if count is None or unit is None:
        return None
    return expiry_policy.ends_at(
        sold_at=sold.sold_at, count=count, unit=unit, time_zone=sold.store.time_zone
    )


def _lot(
    sold: Sold,
    item: OrderItem,
    version: OfferVersion,
    share: Share,
    *,
    ordinal: int,
    mode: str,
    ends_at: datetime | None,
) -> Lot:
    member_id: UUID = sold.order.member_id
    return Lot(
        member_id=member_id,
        id=new_id(),
        offer_version_id=version.id,
        offer_id=version.offer_id,
        store_id=sold.store.id,
        source="order_item",
        source_id=item.id,
        ordinal=ordinal,
        buyer_id=member_id,
        order_item_id=item.id,
        account=ledger.policy.VOUCHERS,
        currency=version.currency,
        units=share.cups,
        net=share.net,
        vat=share.vat,
        sold_at=sold.sold_at,
        expiry_mode=mode,
        ends_at=ends_at,
        due_at=ends_at
        and expiry_policy.first_due_at(
            sold_at=sold.sold_at, ends_at=ends_at, time_zone=sold.store.time_zone
        ),
        frozen_at=sold.frozen_at,
    )
