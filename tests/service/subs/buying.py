"""Plans bought as a member buys them: ordered, paid or had for nothing, and begun."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

import vouchers
from kernel import outbox
from kernel.db import db
from kernel.transaction import transaction
from subs.models import Subscription
from tests.club import Club
from tests.fakes import GOOD
from tests.service.vouchers.conftest import pay
from vouchers import Ordered
from vouchers.service.order import Wanted


def place(club: Club, *codes: str, member_id: UUID | None = None, **how: Any) -> Ordered:
    """An order of one of each, or of `quantity` of them."""
    quantity = how.pop("quantity", 1)
    periods = how.pop("gift_periods", None)
    items = [
        Wanted(offer_id=club.world.offers[code][0], quantity=quantity, gift_periods=periods)
        for code in codes
    ]
    buyer_id = member_id or club.member_id
    with transaction():
        return vouchers.place_order(member_id=buyer_id, items=items, now=club.now, **how)


def get(club: Club, *codes: str, card: str | None = GOOD, **how: Any) -> list[Subscription]:
    """Order and pay; answer the subscriptions that have begun, the first of them first."""
    placed = place(club, *codes, **how)
    pay(placed.order, card).outcome()
    outbox.drain()
    return begun(placed)


def begun(placed: Ordered) -> list[Subscription]:
    """The subscriptions that an order began."""
    items = [line.item.id for line in placed.items]
    theirs = select(Subscription).where(Subscription.order_item_id.in_(items))
    with transaction():
        return list(db.session.scalars(theirs.order_by(Subscription.id)))
