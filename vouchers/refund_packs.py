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
    back = _given_back(lot_ids)
    sums: dict[PackKey, Counter[str]] = defaultdict(Counter)
    for lot in family:
        so_far = sums[key_of[lot.id]]
        if lot.source != "gift":
            so_far["paid"] += lot.net + lot.vat
        so_far["collected"] += lot.used - gone[lot.id] - back[lot.id]["cups"]
        for name in ("given_back", "kept", "kept_vat"):
            so_far[name] += back[lot.id][name]
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


def _given_back(lots: Iterable[tuple[UUID, UUID]]) -> Mapping[UUID, Counter[str]]:
    """What came back of each lot before the fee, what was kept of it, and how many cups came back.

    Cups of gifts are left out: they have left the lot as given ones.
    """
    line = RefundLine
    kept = line.kept_net + line.kept_vat
    rows = db.session.execute(
        select(
            line.lot_id, line.net + line.vat - kept, kept, line.kept_vat, line.cups, line.gift_id
        ).where(tuple_(line.member_id, line.lot_id).in_(list(lots)))
    )
    back: dict[UUID, Counter[str]] = defaultdict(Counter)
    for lot_id, gross, kept_gross, kept_vat, cups, gift_id in rows:
        so_far = back[lot_id]
        so_far["given_back"] += gross
        so_far["kept"] += kept_gross
        so_far["kept_vat"] += kept_vat
        so_far["cups"] += 0 if gift_id is not None else cups
    return back


def _all(counted: Counter[str]) -> dict[str, int]:
    return {name: counted[name] for name in _COUNTED}


_COUNTED = ("paid", "collected", "given_back", "kept", "kept_vat", "unused")
