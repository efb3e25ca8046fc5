"""The story of a wallet, with names: where, what for, which drink."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

import ledger
import vouchers
from chain.models import Product, Store
from kernel.db import db
from ledger.history import Happening
from redemption.models import Redemption
from vouchers.balances import Drink
from vouchers.naming import LotName

Place = tuple[UUID, int]
"""Where a listing stands: the last event, and what was in the wallet before it."""

_HANDED_OVER = frozenset({"redemption", "void"})


@dataclass(frozen=True, slots=True)
class Part:
    """What an event did to one lot: `cups` and the net `amount` that they carry."""

    lot_id: UUID
    offer_id: UUID
    offer: str
    name: str
    cups: int
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Story:
    """One event of a wallet: what `ledger.history` tells of it, with the names of everything.

    `left` counts the cups in the wallet after it. `drink` is what was handed over.
    """

    id: UUID
    kind: str
    at: datetime
    source_id: UUID
    store_id: UUID
    store: str
    cups: int
    left: int
    amount: int
    paid: int | None
    currency: str
    undoes_id: UUID | None
    drink: Drink | None
    parts: Sequence[Part]

    @property
    def place(self) -> Place:
        return self.id, self.left - self.cups


def list_history(*, member_id: UUID, limit: int, after: Place | None) -> Sequence[Story]:
    """Tell what happened in a wallet, the newest first; `after` continues a listing.

    In a snapshot: what is left after each event is counted back from what is left now. The number
    of statements does not grow with events or lots.
    """
    before_id, left = after or (None, vouchers.count_cups(member_id))
    happened = ledger.list_happenings(member_id=member_id, limit=limit, before_id=before_id)
    stores = _stores(happened)
    lots = vouchers.names_of_lots(
        member_id=member_id, lot_ids={part.lot_id for one in happened for part in one.moved}
    )
    drinks = _drinks(member_id, happened)
    told = []
    for one in happened:
        told.append(_story(one, left, stores[one.store_id], lots, drinks.get(one.source_id)))
        left -= one.cups
    return told


def _stores(happened: Iterable[Happening]) -> dict[UUID, str]:
    named = select(Store.id, Store.name).where(Store.id.in_({one.store_id for one in happened}))
    return {store_id: name for store_id, name in db.session.execute(named).all()}  # noqa: C416


def _drinks(member_id: UUID, happened: Iterable[Happening]) -> dict[UUID, Drink]:
    """What was handed over, by redemption. A void has the source of what it undid."""
    ids = {one.source_id for one in happened if one.kind in _HANDED_OVER}
    if not ids:
        return {}
    named = (
        select(Redemption.id, Product.id, Product.code, Product.name, Product.size)
        .join(Product, Product.id == Redemption.product_id)
        .where(Redemption.member_id == member_id, Redemption.id.in_(ids))
    )
    return {row[0]: Drink(*row[1:]) for row in db.session.execute(named)}


def _story(
    one: Happening, left: int, store: str, lots: dict[UUID, LotName], drink: Drink | None
) -> Story:
    return Story(
        id=one.id,
        kind=one.kind,
        at=one.at,
        source_id=one.source_id,
        store_id=one.store_id,
        store=store,
        cups=one.cups,
        left=left,
        amount=one.amount,
        paid=one.paid,
        currency=one.currency,
        undoes_id=one.undoes_id,
        drink=drink,
        parts=[
            Part(part.lot_id, *lots[part.lot_id], part.cups, part.amount, one.currency)
            for part in one.moved
            if part.lot_id in lots
        ],
    )
