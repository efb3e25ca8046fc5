"""Periods that somebody has paid for before, and who can go on without a card."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

import vouchers
from kernel.db import db
from subs.models import Subscription
from subs.service.rows import Plan
from vouchers.models import Lot, OrderItem
from vouchers.slices import Prepaid


class Prepayments:
    """What members of a set hold of prepaid periods: looked up at once, taken one by one."""

    def __init__(self, found: Sequence[Subscription]) -> None:
        members = [one.member_id for one in found]
        self._held = _held(members)
        if self._held:  # in the order of their ids, before any is taken from
            vouchers.change_wallets(members)
        self._gifts = _gifts([one.order_item_id for one in found if one.card_id is None])

    def take(self, subscription: Subscription, plan: Plan) -> Prepaid | None:
        """Take a period of this plan out of the member's wallet, under its lock."""
        offer_id = plan.version.offer_id
        if (subscription.member_id, offer_id) not in self._held:
            return None
        return vouchers.take_prepaid(member_id=subscription.member_id, offer_id=offer_id)

    def ends_because(self, subscription: Subscription) -> str | None:
        """Why a subscription without a card does not even ask for one; None where it does."""
        if subscription.status == "trialing":
            return "trial_not_continued"
        is_gift = subscription.status == "active" and subscription.order_item_id in self._gifts
        return "gift_used_up" if is_gift else None


def _held(member_ids: Sequence[UUID]) -> set[tuple[UUID, UUID]]:
    prepaid = select(Lot.member_id, Lot.offer_id).where(
        Lot.member_id.in_(member_ids), Lot.is_open, Lot.prepays_plan, Lot.frozen_at.is_(None)
    )
    return {(member_id, offer_id) for member_id, offer_id in db.session.execute(prepaid)}


def _gifts(order_item_ids: Sequence[UUID]) -> set[UUID]:
    if not order_item_ids:
        return set()
    given = select(OrderItem.id).where(
        OrderItem.id.in_(order_item_ids), OrderItem.gift_periods.is_not(None)
    )
    return set(db.session.scalars(given))
