"""How many of an offer a member may buy."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, or_, select

from kernel.db import db
from payments.models import Payment
from payments.policy import OPEN
from vouchers.models import OfferVersion, Order, OrderItem
from vouchers.order_errors import MemberLimit
from vouchers.policy import PURPOSE
from vouchers.wallet import change_wallet

Over = Callable[[UUID, Collection[UUID]], Mapping[UUID, int]]
"""How many of each offer a member bought, and has no more."""

_over: list[Over] = []

_STILL_PAID = ("succeeded", *sorted(OPEN))


def knows_what_is_over(over: Over) -> Over:
    """Let a room above say what is over: a plan that has ended may be bought once more."""
    _over.append(over)
    return over


def refuse_too_many(
    *,
    member_id: UUID,
    terms: Mapping[UUID, OfferVersion],
    wanted: Sequence[tuple[UUID, int]],
    now: datetime,
) -> None:
    """Keep a member within the limits of the offers, under their wallet's lock.

    The lock makes orders at the same moment come one after the other; offers without a limit take
    none. What was given back counts as bought; a plan, as long as it has not ended.

    Raises:
        MemberLimit: it would be more than one member may buy.
    """
    limits = _limits(terms, wanted)
    if limits:
        change_wallet(member_id)
        _refuse(member_id, limits, wanted, now)


def foresee_too_many(
    *,
    member_id: UUID,
    terms: Mapping[UUID, OfferVersion],
    wanted: Sequence[tuple[UUID, int]],
    now: datetime,
) -> None:
    """The same without a lock, for who asks what would be refused.

    Raises:
        MemberLimit: it would be more than one member may buy.
    """
    if limits := _limits(terms, wanted):
        _refuse(member_id, limits, wanted, now)


def _limits(
    terms: Mapping[UUID, OfferVersion], wanted: Sequence[tuple[UUID, int]]
) -> Mapping[UUID, int]:
    limits = {offer_id: terms[offer_id].member_limit for offer_id, _ in wanted}
    return {offer_id: limit for offer_id, limit in limits.items() if limit is not None}


def _refuse(
    member_id: UUID,
    limits: Mapping[UUID, int],
    wanted: Sequence[tuple[UUID, int]],
    now: datetime,
) -> None:
    asked: Counter[UUID] = Counter()
    for offer_id, quantity in wanted:
        asked[offer_id] += quantity
    held = _held(member_id, list(limits), now)
    for over in _over:
        held.subtract(over(member_id, limits))
    for offer_id, limit in limits.items():
        if held[offer_id] + asked[offer_id] > limit:
            raise MemberLimit(
                offer_id=str(offer_id), limit=limit, held=held[offer_id], wanted=asked[offer_id]
            )


def _held(member_id: UUID, offer_ids: Sequence[UUID], now: datetime) -> Counter[UUID]:
    """What was bought of each offer, at whatever terms, or may be paid yet.

    An order whose time is over counts as long as money may come for it that was asked before.
    """
    is_under_way = exists().where(
        Payment.purpose == PURPOSE,
        Payment.purpose_id == Order.id,
        Payment.status.in_(_STILL_PAID),
    )
    is_payable = (Order.status == "pending") & or_(Order.ends_at > now, is_under_way)
    sums = (
        select(OfferVersion.offer_id, func.sum(OrderItem.quantity))
        .join(Order, Order.id == OrderItem.order_id)
        .join(OfferVersion, OfferVersion.id == OrderItem.offer_version_id)
        .where(
            Order.member_id == member_id,
            OfferVersion.offer_id.in_(offer_ids),
            or_(Order.status == "fulfilled", is_payable),
        )
        .group_by(OfferVersion.offer_id)
    )
    return Counter({offer_id: int(bought) for offer_id, bought in db.session.execute(sums)})
