"""What somebody wants to give back: which cups of which lots, and whether they are there."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select

from kernel.db import db
from kernel.errors import NotFound
from vouchers.day_use import days_gone, unearned
from vouchers.models import Lot, Order, OrderItem
from vouchers.refund_errors import CupsFrozen, NothingToRefund, NotRefundable, TooFewLeft
from vouchers.slices import left_in

_BONUS = 100


class AskedLot(TypedDict):
    """So many cups of a lot; one stands for all that is left of days that nobody counts cups in."""

    lot_id: UUID
    cups: int


@dataclass(frozen=True, slots=True)
class Wish:
    """Whose cups shall come back: what is unused of an order, or cups of the named lots.

    `member_id` holds them, and asks. None for finance, which names an order whoever holds its
    cups, and gives them back out of goodwill.
    """

    member_id: UUID | None
    order_id: UUID | None = None
    lots: Sequence[AskedLot] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Cups of a lot that come back; or with `gift_id`, those that an unclaimed gift took of it."""

    lot: Lot
    cups: int
    gift_id: UUID | None = None


def find_lots(wish: Wish) -> Sequence[Lot]:
    """The lots that a wish is about, and the others of their packs, as they are now.

    Raises:
        NotFound: the order, or one of the lots, is not there or somebody else's.
    """
    lots = db.session.scalars(
        _meant(wish).order_by(Lot.member_id, Lot.id).execution_options(populate_existing=True)
    ).all()
    if not {one["lot_id"] for one in wish.lots or ()} <= {lot.id for lot in lots}:
        raise NotFound
    return lots


def find_holders(wish: Wish) -> set[UUID]:
    """Whose wallets hold what a wish is about.

    Raises:
        NotFound: there is no such order.
    """
    if wish.member_id is not None:
        return {wish.member_id}
    meant = _meant(wish).with_only_columns(Lot.member_id).distinct()
    named = [one["lot_id"] for one in wish.lots or ()]
    return set(db.session.scalars(meant.where(Lot.id.in_(named)) if named else meant))


def parts_of(wish: Wish, lots: Sequence[Lot], *, now: datetime) -> list[Part]:
    """The cups that shall come back.

    Bonus cups of their own come back when all paid cups of their pack do, and only then: their
    money is a part of its price.

    Raises:
        NothingToRefund: nothing is left of what was named.
        TooFewLeft: fewer cups are left of a lot than were named.
        NotRefundable: bonus cups were named without their pack.
        CupsFrozen: their payment is disputed.
    """
    gone = days_gone(lots, now=now)
    left = {lot.id: _left(lot, gone.get(lot.id), now) for lot in lots}
    wanted = _wanted(wish, left)
    parts = [
        *(Part(lot, wanted[lot.id]) for lot in lots if not lot.is_bonus and wanted[lot.id]),
        *(Part(lot, left[lot.id]) for lot in _bonus_lots(wish, lots, wanted, left)),
    ]
    if not parts:
        raise NothingToRefund
    if any(part.lot.frozen_at is not None for part in parts):
        raise CupsFrozen
    return parts


def _meant(wish: Wish) -> Select[Lot]:
    found = select(Lot)
    if wish.member_id is not None:
        found = found.where(Lot.member_id == wish.member_id)
    if wish.order_id is None:
        return found.where(_is_of_packs(wish))
    order = db.session.get(Order, wish.order_id)
    if order is None or wish.member_id not in (None, order.member_id):
        raise NotFound
    items = select(OrderItem.id).where(OrderItem.order_id == order.id)
    found = found.where(Lot.order_item_id.in_(items))
    return found if wish.lots else found.where(Lot.member_id == order.member_id)


def _is_of_packs(wish: Wish) -> ColumnElement[bool]:
    """Whether a lot came with a named one: a pack and its bonus cups have one source."""
    if wish.member_id is None or not wish.lots:
        raise NotFound
    named = Lot.id.in_([one["lot_id"] for one in wish.lots])
    return Lot.source_id.in_(select(Lot.source_id).where(Lot.member_id == wish.member_id, named))


def _wanted(wish: Wish, left: Mapping[UUID, int]) -> Mapping[UUID, int]:
    if not wish.lots:
        return left
    wanted = dict.fromkeys(left, 0)
    for one in wish.lots:
        wanted[one["lot_id"]] += one["cups"]
    for lot_id, cups in wanted.items():
        if cups > left[lot_id]:
            raise TooFewLeft(lot_id=str(lot_id), left=left[lot_id], wanted=cups)
    return wanted


def _left(lot: Lot, gone: int | None, now: datetime) -> int:
    """What is there: what is past its end lapses, or comes back by itself.

    Of a lot that earns by the day so many days are `gone`.
    """
    is_over = lot.ends_at is not None and lot.ends_at <= now
    if is_over and lot.expiry_mode in ("lapse", "refund"):
        return 0
    if gone is not None and not unearned(lot, gone).gross:
        return 0
    return left_in(lot)


def _bonus_lots(
    wish: Wish, lots: Sequence[Lot], wanted: Mapping[UUID, int], left: Mapping[UUID, int]
) -> list[Lot]:
    whole: dict[tuple[UUID, UUID, int], bool] = defaultdict(bool)
    for lot in lots:
        if not lot.is_bonus:
            is_whole = 0 < wanted[lot.id] == left[lot.id]
            whole[lot.member_id, lot.source_id, lot.ordinal + _BONUS] = is_whole
    bonus = [lot for lot in lots if lot.is_bonus and left[lot.id]]
    coming = [lot for lot in bonus if whole[lot.member_id, lot.source_id, lot.ordinal]]
    if wish.lots and any(wanted[lot.id] for lot in bonus if lot not in coming):
        raise NotRefundable(why="bonus")
    return coming
