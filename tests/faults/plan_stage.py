"""A chain that sells plans through the real gateways, and everything their subscribers may do."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

import subs
import vouchers
import worker  # its duties
from kernel import clock
from kernel.db import db
from kernel.queue import Duty
from kernel.transaction import again, transaction
from payments.models import Card
from subs.change_queries import When
from subs.models import Subscription
from subs.service.change import change_plan
from tests.club import add_plan
from tests.faults.dying import Death
from tests.faults.stage import CARDS, DUTIES, Stage
from vouchers.models import Lot, Order
from vouchers.service.order import Wanted

PLANS: dict[str, dict[str, Any]] = {
    "monthly": {"most_pause_days": 60},
    "larger": {"price": 899, "cups": 20, "most_pause_days": 60, "cancel_refund": "prorated"},
    "unlimited": {
        "price": 1050, "cups": 0, "is_unlimited": True, "cups_per_day": 3,
        "most_pause_days": 60, "cancel_refund": "prorated",
    },
    "membership": {"price": 150, "cups": 0},
    "weekly": {
        "every": "week", "price": 120, "cups": 3, "back_dates": False, "grace_days": 5,
        "dunning_days": [1, 2], "most_pause_days": 14,
    },
    "daily": {"every": "day", "price": 45, "cups": 1, "grace_days": 3, "dunning_days": [1]},
    "trial": {
        "price": 300, "cups": 6, "first_price": 0, "needs_card": True, "trial_days": 7,
        "trial_cups": 2,
    },
    "open trial": {
        "price": 320, "cups": 6, "first_price": 0, "trial_days": 5, "trial_needs_card": False,
    },
    "introduced": {
        "price": 399, "cups": 8, "first_price": 99, "intro_price": 99, "intro_periods": 2,
        "cancel_refund": "prorated",
    },
    "carrying": {
        "price": 420, "cups": 7, "carry_over": "capped", "carry_over_cap": 5,
        "benefits_in_grace": True,
    },
    "free": {"price": 0, "cups": 1, "grant_count": 1, "grant_unit": "week"},
    "family": {"price": 799, "cups": 15, "sharers": 2, "most_pause_days": 60},
}  # fmt: skip
"""The plans that are sold: one of each kind of terms that another road leads to."""

TURNS = {
    "good": "pm_card_visa",
    "no funds": "pm_card_chargeDeclinedInsufficientFunds",
    "lost": "pm_card_chargeDeclinedLostCard",
    "wants holder": "pm_card_authenticationRequired",
}
"""How a saved card may come to behave."""

_AHEAD = timedelta(days=70)


class PlanStage(Stage):
    """Who subscribes to what, and what becomes of it."""

    @property
    def duties(self) -> Mapping[str, Duty]:
        """All about plans too, but for counting them."""
        return PLAN_DUTIES

    def furnish(self) -> None:
        super().furnish()
        for code, terms in PLANS.items():
            add_plan(self.world, code, **terms)

    def pass_time(self, by: timedelta) -> None:
        super().pass_time(by)
        self.give_numbers(until=self.world.now + _AHEAD)

    # What members do.

    def subscribe(
        self, member: UUID, code: str, card: str | None, death: Death | None, *, again: bool
    ) -> object:
        """Order a plan, and pay it with a card, or (None) with nothing."""
        placed = self.order(member, {code: 1}, None, again=False)
        if not isinstance(placed, dict):
            return placed
        (order,) = self.all(Order, Order.id == UUID(placed["id"]))
        return self.pay(order, card, death, again=again)

    def provide(self, member: UUID, code: str, periods: int, death: Death | None) -> object:
        """Pay for so many periods of a plan at once, to be given away or kept."""
        key = self.key(member)
        wanted = Wanted(offer_id=self.offer(code), quantity=1, gift_periods=periods)

        def place() -> dict[str, Any]:
            placed = vouchers.place_order(member_id=member, items=[wanted], now=clock.now())
            return {"id": str(placed.order.id)}

        placed = self.insist(lambda: self.once(key, place), None, again=False)
        if not isinstance(placed, dict):
            return placed
        (order,) = self.all(Order, Order.id == UUID(placed["id"]))
        return self.pay(order, "good", death, again=False)

    def start_prepaid(
        self, lot: Lot, card_id: UUID | None, death: Death | None, *, again: bool
    ) -> object:
        """Begin a plan with a period that is paid for already."""
        key = self.key(lot.member_id)

        def begin() -> dict[str, Any]:
            begun = subs.start_prepaid(
                member_id=lot.member_id, offer_id=lot.offer_id, card_id=card_id, now=clock.now()
            )
            return {"id": str(begun.subscription.id)}

        begun = self.insist(lambda: self.once(key, begin), death, again=again)
        if isinstance(begun, dict):
            self.promised.append((Subscription, UUID(begun["id"])))
        return begun

    def ask(
        self, verb: Callable[..., object], one: Subscription, death: Death | None, **how: Any
    ) -> object:
        """A member cancels, keeps, pauses or resumes a plan, or withdraws what was asked for."""

        def ask() -> str:
            with transaction():
                verb(member_id=one.member_id, subscription_id=one.id, now=clock.now(), **how)
            return "done"

        return self.insist(lambda: again(ask), death, again=False)

    def change(
        self, one: Subscription, code: str, at: When, death: Death | None, *, again: bool
    ) -> object:
        """Change to another plan, in transactions of the verb's own."""

        def ask() -> str:
            change_plan(
                member_id=one.member_id, subscription_id=one.id, offer_id=self.offer(code), at=at,
                now=clock.now(),
            )  # fmt: skip
            return "done"

        return self.insist(ask, death, again=again)

    def use_card(self, one: Subscription, card: str, death: Death | None, *, again: bool) -> object:
        """Have another card charged, in transactions of the verb's own."""

        def use() -> str:
            subs.change_card(
                member_id=one.member_id, subscription_id=one.id, payment_method=CARDS[card],
                now=clock.now(),
            )  # fmt: skip
            return "done"

        return self.insist(use, death, again=again)

    # What happens to them.

    def turn(self, card: Card, into: str) -> None:
        """A saved card is lost, or has no money, or is good again."""
        self.sandbox.turn(card.provider_ref, TURNS[into])

    def offer(self, code: str) -> UUID:
        return self.world.offers[code][0]

    def next_due_at(self) -> datetime | None:
        """The next moment at which something is due about a plan."""
        with transaction():
            return db.session.scalar(select(func.min(Subscription.due_at)))

    def live(self) -> list[Subscription]:
        """The plans that have not ended; where there is none, all."""
        return self.all(Subscription, Subscription.ended_at.is_(None)) or self.all(Subscription)


PLAN_DUTIES = DUTIES | {
    duty.job: duty
    for duty in worker.DUTIES
    if duty.job.startswith("subs.") and not duty.job.startswith("subs.statistics.")
}
"""What the background does about plans as well."""
