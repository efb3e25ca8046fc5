"""Packs whose collected cups count at list price: how they stand, in whosesoever wallets."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select, tuple_

from kernel.db import db
from vouchers.models import Gift, GiftItem, Lot, RefundLine
from vouchers.refund_origin import roots_of
from vouchers.refund_policy import Pack
from vouchers.slices import slice_of

PackKey = tuple[UUID, int]
"""What was bought (an order's item, or a period), and which one of its quantity."""

_BONUS = 100
"""The bonus lot of pack n is issued as number 100 + n."""

_CAME_BACK = ("withdrawn", "returned")


def packs_of(
    lots: Sequence[Lot], *, ending: Collection[UUID]
) -> tuple[Mapping[UUID, PackKey], Mapping[PackKey, Pack]]:
    """Which pack each lot is of, by lot id, and how these packs stand now.

    Cups of the same pack in other wallets are counted as they are at this moment, without a lock;
    those of the gifts that are `ending`, and of open ones, as unused.
    """
    family = _family_of(lots)
    roots = roots_of(family)
    key_of = {lot.id: _key(roots[lot.id]) for lot in family}
    lot_ids = [(lot.member_id, lot.id) for lot in family]
    gone, open_gross = _given(lot_ids, ending)
    back, back_cups = _given_back(lot_ids)
    sums: dict[PackKey, Counter[str]] = defaultdict(Counter)
    for lot in family:
        so_far = sums[key_of[lot.id]]
        if lot.source != "gift":
            so_far["paid"] += lot.net + lot.vat
        so_far["collected"] += lot.used - gone[lot.id] - back_cups[lot.id]
        so_far["given_back"] += back[lot.id]
        so_far["unused"] += slice_of(lot, lot.units - lot.used).gross + open_gross[lot.id]
    return key_of, {key: Pack(**_all(counted)) for key, counted in sums.items()}


def _family_of(lots: Sequence[Lot]) -> list[Lot]:
    """These lots, and all others that came of the same items of orders."""
    item_ids = {lot.order_item_id for lot in lots if lot.order_item_id is not None}
    others = db.session.scalars(select(Lot).where(Lot.order_item_id.in_(item_ids)))
    return list({lot.id: lot for lot in (*others, *lots)}.values())


def _key(root: Lot) -> PackKey:
    return root.source_id, root.ordinal % _BONUS


def _given(
    lots: Iterable[tuple[UUID, UUID]], ending: Collection[UUID]
) -> tuple[Counter[UUID], Counter[UUID]]:
    """How many cups left each lot as a gift and did not come back; what those under way carry."""
    rows = db.session.execute(
        select(GiftItem.lot_id, GiftItem.cups, GiftItem.net + GiftItem.vat, Gift.status, Gift.id)
        .join(Gift, Gift.id == GiftItem.gift_id)
        .where(
            tuple_(GiftItem.member_id, GiftItem.lot_id).in_(list(lots)),
            Gift.status.not_in(_CAME_BACK),
        )
    )
    gone: Counter[UUID] = Counter()
    under_way: Counter[UUID] = Counter()
    for lot_id, cups, gross, status, gift_id in rows:
        gone[lot_id] += cups
        if status == "open" or gift_id in ending:
            under_way[lot_id] += gross
    return gone, under_way


def _given_back(lots: Iterable[tuple[UUID, UUID]]) -> tuple[Counter[UUID], Counter[UUID]]:
    """What came back of each lot before the fee, and how many cups, those of gifts left out."""
    kept = RefundLine.kept_net + RefundLine.kept_vat
    rows = db.session.execute(
        select(
            RefundLine.lot_id,
            RefundLine.net + RefundLine.vat - kept,
            RefundLine.cups,
            RefundLine.gift_id,
        ).where(tuple_(RefundLine.member_id, RefundLine.lot_id).in_(list(lots)))
    )
    back: Counter[UUID] = Counter()
    cups_back: Counter[UUID] = Counter()
    for lot_id, gross, cups, gift_id in rows:
        back[lot_id] += gross
        if gift_id is None:  # those of gifts have left the lot as given ones
            cups_back[lot_id] += cups
    return back, cups_back


def _all(counted: Counter[str]) -> dict[str, int]:
    return {name: counted[name] for name in ("paid", "collected", "given_back", "unused")}
