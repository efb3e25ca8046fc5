"""What a plan asks for at first: a trial, or an introductory price. Once for each member."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import exists, or_, select, union

from kernel.db import db
from payments.models import Payment
from payments.policy import OPEN
from vouchers.models import Lot, OfferVersion, Order, OrderItem
from vouchers.order_errors import IntroductionUsed
from vouchers.policy import PURPOSE
from vouchers.queries import Ordered
from vouchers.wallet import change_wallet

_STILL_PAID = ("succeeded", *sorted(OPEN))


def is_introduced(item: OrderItem, version: OfferVersion) -> bool:
    """Whether a line of an order is at the first price of its plan: what it costs says so.

    A first price is always below the price (`ck_offer_version_first_price_is_less`).
    """
    if version.first_price is None or item.gift_periods is not None:
        return False
    return item.gross == version.first_price * item.quantity


def had_before(
    *, member_id: UUID, offer_ids: Collection[UUID], but: UUID | None = None
) -> set[UUID]:
    """Which of these plans a member has had, or is about to pay: those have no introduction.

    Bought, given to them, or changed to. The order `but` is not looked at. What is ordered and
    nobody has begun to pay does not count, so that an order that was left alone costs nothing.
    """
    is_under_way = exists().where(
        Payment.purpose == PURPOSE,
        Payment.purpose_id == Order.id,
        Payment.status.in_(_STILL_PAID),
    )
    bought = (
        select(OfferVersion.offer_id)
        .join(OrderItem, OrderItem.offer_version_id == OfferVersion.id)
        .join(Order, Order.id == OrderItem.order_id)
        .where(
            Order.member_id == member_id,
            OfferVersion.offer_id.in_(offer_ids),
            OrderItem.gift_periods.is_(None),
            or_(Order.status == "fulfilled", is_under_way),
        )
    )
    if but is not None:
        bought = bought.where(Order.id != but)
    granted = select(Lot.offer_id).where(
        Lot.member_id == member_id,
        Lot.offer_id.in_(offer_ids),
        Lot.subscription_id.is_not(None),
    )
    return set(db.session.scalars(union(bought, granted)))


def refuse_second(ordered: Ordered) -> None:
    """Keep a member from a second introduction, under their wallet's lock.

    Two orders may have been placed before either was paid: the lock makes their paying come one
    after the other. Orders without an introduction take no lock.

    Raises:
        IntroductionUsed: the plan was had by another order meanwhile.
    """
    introduced = {line.offer.id for line in ordered.items if is_introduced(line.item, line.version)}
    if not introduced:
        return
    order = ordered.order
    change_wallet(order.member_id)
    used = had_before(member_id=order.member_id, offer_ids=introduced, but=order.id)
    if used:
        raise IntroductionUsed(offer_id=str(min(used)))
