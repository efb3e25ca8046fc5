"""Alice buys periods of a plan to give, Bob gets them; the clock is the test's."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

import vouchers
from kernel import outbox
from kernel.db import db
from kernel.transaction import transaction
from ledger.models import Entry, Line
from subs import start_prepaid
from subs.models import Period, Subscription
from tests.club import Club
from tests.service.vouchers.conftest import pay
from vouchers import gift_token
from vouchers.models import Gift, Lot, Order
from vouchers.service.order import Wanted

THREE_MONTHS = (1425, 72)
"""Net and VAT of three periods of 499: VAT is taken out of each single one, 24 of 499."""


@dataclass
class Giving:
    """Short ways to act, each a committed transaction at the clock's now."""

    club: Club
    bob: UUID

    @property
    def alice(self) -> UUID:
        return self.club.member_id

    def order(self, periods: int = 3, *, quantity: int = 1, code: str = "monthly") -> Order:
        """A paid order of periods to be given; they are in Alice's wallet."""
        offer_id = self.club.world.offers[code][0]
        items = [Wanted(offer_id=offer_id, quantity=quantity, gift_periods=periods)]
        with transaction():
            order = vouchers.place_order(member_id=self.alice, items=items, now=self.club.now).order
        pay(order).outcome()
        outbox.drain()
        return order

    def give(self, lot: Lot, periods: int) -> Gift:
        with transaction():
            return vouchers.give(
                giver_id=self.alice, lot_id=lot.id, cups=periods, now=self.club.now
            )

    def claim(self, gift: Gift, *, by: UUID) -> None:
        with transaction():
            vouchers.claim(member_id=by, token=gift_token.make(gift.id), now=self.club.now)

    def hand_over(self, periods: int = 3) -> Lot:
        """Alice buys so many periods, and Bob has them; answers his lot."""
        self.order(periods)
        self.claim(self.give(self.lots(self.alice)[-1], periods), by=self.bob)
        return self.lots(self.bob)[-1]

    def begin(self, *, by: UUID | None = None, card_id: UUID | None = None) -> Subscription:
        """Begin the plan with a prepaid period, Bob's if not told otherwise."""
        offer_id = self.club.world.offers["monthly"][0]
        with transaction():
            return start_prepaid(
                member_id=by or self.bob, offer_id=offer_id, card_id=card_id, now=self.club.now
            ).subscription

    def lots(self, member_id: UUID) -> list[Lot]:
        mine = select(Lot).where(Lot.member_id == member_id)
        with transaction():
            return list(db.session.scalars(mine.order_by(Lot.id)))

    def end_of(self, subscription: Subscription) -> Period:
        """Go to the end of what is paid, and renew."""
        newest = self.club.periods(subscription.id)[-1]
        self.club.go_to(newest.ends_at)
        self.club.renew()
        return self.club.periods(subscription.id)[-1]

    def booked(self, kind: str) -> list[tuple[str, str, int, int]]:
        """Debit, credit, amount and quantity of all entries of a kind."""
        rows = (
            select(Line.debit, Line.credit, Line.amount, Line.qty)
            .join(Entry, (Entry.member_id == Line.member_id) & (Entry.id == Line.entry_id))
            .where(Entry.kind == kind)
            .order_by(Entry.id, Line.ordinal)
        )
        with transaction():
            return [tuple(row) for row in db.session.execute(rows)]
