"""The story of a wallet, with names: where, what for, which drink."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

import ledger
import vouchers
from chain.models import Product, Store
from kernel.db import db
from kernel.wording import Unit
from ledger.history import Happening
from redemption.models import RedemptionLine
from redemption.uncounted import count_uncounted, list_unbooked
from vouchers.balances import Drink
from vouchers.naming import LotName

Place = tuple[UUID, int]
"""Where a listing stands: the last event, and what was in the wallet before it."""

_PERIOD: Final = "period"
_HANDED_OVER = frozenset({"redemption", "void"})


@dataclass(frozen=True, slots=True)
class Part:
    """What an event did to one lot: `cups`, of its `unit`, and the net `amount` they carry."""

    lot_id: UUID
    offer_id: UUID
    offer: str
    name: str
    unit: Unit
    cups: int
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Story:
    """One event of a wallet: what `ledger.history` tells of it, with the names of everything.

    `cups` counts no prepaid periods of plans, which are `periods`: one is not added to the other.
    `left` counts the cups in the wallet after it. `drinks` are what was handed over, and `drink`
    the first of them; `uncounted` says how many cups of an unlimited plan, which `cups` and the
    books know nothing of.
    """

    id: UUID
    kind: str
    at: datetime
    source_id: UUID
    store_id: UUID
    store: str
    cups: int
    periods: int
    left: int
    amount: int
    paid: int | None
    currency: str
    undoes_id: UUID | None
    drinks: Sequence[Drink]
    uncounted: int
    parts: Sequence[Part]

    @property
    def drink(self) -> Drink | None:
        return next(iter(self.drinks), None)

    @property
    def place(self) -> Place:
        return self.id, self.left - self.cups


def list_history(*, member_id: UUID, limit: int, after: Place | None) -> Sequence[Story]:
    """Tell what happened in a wallet, the newest first; `after` continues a listing.

    In a snapshot: what is left after each event is counted back from what is left now. What moved
    nothing in the books, since nobody counts it, is told by its redemption, unless it was undone.
    The number of statements does not grow with events or lots.
    """
    before_id, left = after or (None, vouchers.count_cups(member_id))
    booked = ledger.list_happenings(member_id=member_id, limit=limit, before_id=before_id)
    unbooked = list_unbooked(member_id=member_id, limit=limit, before_id=before_id)
    happened = sorted([*booked, *unbooked], key=lambda one: one.id, reverse=True)[:limit]
    stores = _stores(happened)
    lots = vouchers.names_of_lots(
        member_id=member_id, lot_ids={part.lot_id for one in happened for part in one.moved}
    )
    handed = {one.source_id for one in happened if one.kind in _HANDED_OVER}
    drinks = _drinks(member_id, handed)
    uncounted = count_uncounted(member_id, handed)
    told = []
    for one in happened:
        told.append(
            _story(
                one,
                left=left,
                store=stores[one.store_id],
                lots=lots,
                drinks=drinks.get(one.source_id, ()),
                uncounted=uncounted.get(one.source_id, 0) if one.kind == "redemption" else 0,
            )
        )
        left -= told[-1].cups
    return told


def _stores(happened: Iterable[Happening]) -> dict[UUID, str]:
    named = select(Store.id, Store.name).where(Store.id.in_({one.store_id for one in happened}))
    return {store_id: name for store_id, name in db.session.execute(named).all()}  # noqa: C416


def _drinks(member_id: UUID, ids: Collection[UUID]) -> dict[UUID, list[Drink]]:
    """What was handed over, by redemption. A void has the source of what it undid."""
    if not ids:
        return {}
    named = (
        select(RedemptionLine.redemption_id, Product.id, Product.code, Product.name, Product.size)
        .join(Product, Product.id == RedemptionLine.product_id)
        .where(RedemptionLine.member_id == member_id, RedemptionLine.redemption_id.in_(ids))
        .group_by(RedemptionLine.redemption_id, Product.id)
        .order_by(Product.code)
    )
    drinks: dict[UUID, list[Drink]] = {}
    for row in db.session.execute(named):
        drinks.setdefault(row[0], []).append(Drink(*row[1:]))
    return drinks


def _story(
    one: Happening,
    *,
    left: int,
    store: str,
    lots: dict[UUID, LotName],
    drinks: Sequence[Drink],
    uncounted: int,
) -> Story:
    parts = [
        Part(part.lot_id, *lots[part.lot_id], part.cups, part.amount, one.currency)
        for part in one.moved
        if part.lot_id in lots
    ]
    periods = sum(part.cups for part in parts if part.unit == _PERIOD)
    return Story(
        id=one.id,
        kind=one.kind,
        at=one.at,
        source_id=one.source_id,
        store_id=one.store_id,
        store=store,
        cups=one.cups - periods,
        periods=periods,
        left=left,
        amount=one.amount,
        paid=one.paid,
        currency=one.currency,
        undoes_id=one.undoes_id,
        drinks=drinks,
        uncounted=uncounted,
        parts=parts,
    )
