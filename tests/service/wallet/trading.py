"""Random trade through the verbs: what two friends do with packs, and what time does to them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

import redemption
import vouchers
from kernel.db import db
from kernel.errors import Refusal
from kernel.transaction import transaction
from payments.models import Payment
from tests.service.vouchers.refunds.shop import Shop
from vouchers import gift_jobs, gift_token, jobs

OFFERS = ("pack", "short", "late", "repaid", "value", "again")
_FIRST = date(2026, 1, 5)


@dataclass
class Trading:
    """Alice and Bob. What is refused is not done, as in life; every verb is a transaction."""

    shop: Shop
    members: list[UUID] = field(default_factory=list)
    day: date = _FIRST
    done: list[str] = field(default_factory=list)
    _redeemed: list[Any] = field(default_factory=list)
    gifts: list[UUID] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shop.at(_FIRST.year, _FIRST.month, _FIRST.day, 12)
        self.members = [self.shop.world.add_member() for _ in range(2)]
        self.tills = [self.shop.world.add_till(store, role="manager") for store in ("A", "B")]

    def act(self, verb: str, who: int, number: int) -> None:
        """Do one thing; `number` chooses among what there is."""
        try:
            getattr(self, verb)(self.members[who], who, number)
            self.done.append(verb)
        except Refusal:
            db.session.rollback()

    def buy(self, member_id: UUID, who: int, number: int) -> None:
        self.shop.buy(member_id, store="AB"[who], **{OFFERS[number % len(OFFERS)]: 1})

    def take(self, member_id: UUID, _: int, number: int) -> None:
        till = self.tills[number % 2]
        taken = self.shop.world.take(till, member_id, 1 + number % 4, now=self.shop.now)
        self._redeemed.append((till, taken))

    def undo(self, _: UUID, __: int, number: int) -> None:
        if self._redeemed:
            till, taken = self._redeemed[-1 - number % min(2, len(self._redeemed))]
            self._do(
                lambda: redemption.void(
                    redemption_id=UUID(str(taken.id)),
                    store_id=till.store_id,
                    staff_id=till.staff_id,
                    role="manager",
                    now=self.shop.now,
                )
            )

    def give(self, member_id: UUID, _: int, number: int) -> None:
        lots = [lot for lot in self.shop.lots(member_id) if lot.is_open]
        if lots:
            lot = lots[number % len(lots)]
            self.gifts.append(
                self._do(
                    lambda: (
                        vouchers.give(
                            giver_id=member_id,
                            lot_id=lot.id,
                            cups=1 + number % 3,
                            now=self.shop.now,
                        ).id
                    )
                )
            )

    def claim(self, member_id: UUID, _: int, number: int) -> None:
        if self.gifts:
            token = gift_token.make(self.gifts[number % len(self.gifts)])
            self._do(lambda: vouchers.claim(member_id=member_id, token=token, now=self.shop.now))

    def withdraw(self, member_id: UUID, _: int, number: int) -> None:
        if self.gifts:
            gift_id = self.gifts[number % len(self.gifts)]
            self._do(
                lambda: vouchers.withdraw(giver_id=member_id, gift_id=gift_id, now=self.shop.now)
            )

    def give_back(self, member_id: UUID, _: int, number: int) -> None:
        lots = [lot for lot in self.shop.lots(member_id) if lot.is_open]
        if lots:
            lot = lots[number % len(lots)]
            self.shop.refund(member_id, lots=[{"lot_id": lot.id, "cups": 1 + number % 3}])

    def dispute(self, member_id: UUID, _: int, number: int) -> None:
        """A bank takes a payment back, and keeps it or not."""
        with transaction():
            mine = select(Payment).where(Payment.member_id == member_id).order_by(Payment.id)
            paid = db.session.scalars(mine.where(Payment.status == "succeeded")).all()
        if paid:
            opened = self.shop.dispute(paid[number % len(paid)])
            if number % 3:
                status = "lost" if number % 3 == 1 else "won"
                self.shop.dispute(paid[number % len(paid)], ref=opened.provider_ref, status=status)

    def wait(self, _: UUID, __: int, number: int) -> None:
        """Days pass, and the night's work is done."""
        self.day += timedelta(days=1 + number)
        self.shop.at(self.day.year, self.day.month, self.day.day, 12)
        jobs.expire_due()
        gift_jobs.end_due()
        self.shop.hear()

    def _do(self, work: Callable[[], Any]) -> Any:
        with transaction():
            return work()


VERBS = (
    "buy",
    "take",
    "undo",
    "give",
    "claim",
    "withdraw",
    "give_back",
    "dispute",
    "wait",
)
