"""A chain on a clock that the test sets: who buys, collects, gives back and disputes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

import payments
import vouchers
from kernel import clock, outbox
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import again, transaction
from payments import Payment, repaying
from payments.models import Dispute, Repayment
from payments.service.record_repayment import record_repayment
from redemption.answer import Redeemed
from tests.fakes import FakeGateway
from tests.service.ledger.plain import balances
from tests.service.vouchers.conftest import pay
from tests.world import World
from vouchers.models import Gift, Lot, Order, OrderItem, Refund, RefundLine
from vouchers.service.order import Wanted
from vouchers.service.refund_preview import Decision
from vouchers.service.refund_wish import AskedLot, Wish


@dataclass
class Shop:
    """Short ways to act, each a committed transaction at the clock's now."""

    world: World
    bank: FakeGateway
    at: Callable[..., None]

    @property
    def now(self) -> datetime:
        return clock.now()

    def place(
        self, member_id: UUID, *, store: str = "A", channel: str = "app", **wanted: int
    ) -> Order:
        """An order of so many of each offer."""
        items = [
            Wanted(offer_id=self.world.offers[code][0], quantity=quantity)
            for code, quantity in wanted.items()
        ]
        with transaction():
            return vouchers.place_order(
                member_id=member_id,
                items=items,
                store_id=self.world.stores[store],
                channel=channel,
                now=self.now,
            ).order

    def buy(self, member_id: UUID, *, store: str = "A", **wanted: int) -> Order:
        """A paid order whose cups are in the wallet."""
        order = self.place(member_id, store=store, **wanted)
        pay(order).outcome()
        self.hear()
        return order

    def take(self, member_id: UUID, cups: int, store: str = "A") -> Redeemed:
        """Collect cups at a store."""
        return self.world.take(self.world.add_till(store), member_id, cups, now=self.now)

    def refund(self, member_id: UUID, order: Order | None = None, **cups: Any) -> list[Refund]:
        """Ask for the money of what is unused of an order, or of `lots`."""
        wish = Wish(member_id, order and order.id, cups.get("lots"))
        with transaction():
            return vouchers.refund(wish, asked_by_id=member_id, now=self.now)

    def goodwill(self, order: Order, lots: Sequence[AskedLot] | None = None) -> list[Refund]:
        """Finance gives back."""
        with transaction():
            return vouchers.refund(Wish(None, order.id, lots), asked_by_id=new_id(), now=self.now)

    def preview(self, member_id: UUID, order: Order | None = None, **cups: Any) -> list[Decision]:
        wish = Wish(member_id, order and order.id, cups.get("lots"))
        with transaction():
            return vouchers.preview(wish, now=self.now)

    def hear(self) -> None:
        """Let rooms hear of what the others have done."""
        outbox.drain()

    def send_money(self) -> None:
        """The provider is asked for all repayments, and the news of them is heard."""
        repaying.repay_due()
        self.hear()

    def bounce(self, refund: Refund, *, hears: bool = True) -> None:
        """The bank of the payer sends the money back, or never takes it."""
        repayment = self.repayments(refund)[-1]
        assert repayment.provider_ref is not None
        self.bank.finish_repayment(repayment.provider_ref, "expired_or_canceled_card")
        with transaction():
            record_repayment(
                repayment_id=repayment.id,
                seen=self.bank.repayments[repayment.provider_ref],
                now=self.now,
            )
        if hears:
            self.hear()

    def payment_of(self, order: Order) -> Payment:
        with transaction():
            paid = payments.find_paid(purpose="voucher_order", purpose_id=order.id)
            assert paid is not None
            return paid

    def dispute(self, payment: Payment, *, hears: bool = True, **facts: Any) -> Dispute:
        """The holder's bank takes the money of a payment back, or decides (`ref`, `status`)."""
        seen = self.bank.dispute(payment.provider_ref, **facts)

        def record() -> Dispute:
            with transaction():
                made = payments.record_dispute(seen, now=self.now)
                assert made is not None
                return made

        made = again(record)
        if hears:
            self.hear()
        return made

    def lots(self, member_id: UUID) -> list[Lot]:
        with transaction():
            mine = select(Lot).where(Lot.member_id == member_id).order_by(Lot.ordinal, Lot.id)
            return list(db.session.scalars(mine))

    def left(self, member_id: UUID) -> int:
        """How many cups a member can collect."""
        return sum(lot.units - lot.used for lot in self.lots(member_id) if lot.frozen_at is None)

    def named(self, member_id: UUID, cups: int) -> list[AskedLot]:
        """So many cups of each lot that a member holds, as a wish."""
        return [AskedLot(lot_id=lot.id, cups=cups) for lot in self.lots(member_id)]

    def read(self, refund: Refund) -> Refund:
        with transaction():
            return db.session.get_one(Refund, refund.id)

    def lines(self, refund: Refund) -> list[RefundLine]:
        with transaction():
            of = select(RefundLine).where(RefundLine.refund_id == refund.id)
            return list(db.session.scalars(of.order_by(RefundLine.ordinal)))

    def repayments(self, refund: Refund) -> list[Repayment]:
        with transaction():
            of = select(Repayment).where(Repayment.purpose_id == refund.id)
            return list(db.session.scalars(of.order_by(Repayment.attempt)))

    def gift(self, gift_id: UUID) -> Gift:
        with transaction():
            return db.session.get_one(Gift, gift_id)

    def item_of(self, order: Order) -> OrderItem:
        with transaction():
            return db.session.scalars(select(OrderItem).where(OrderItem.order_id == order.id)).one()

    def held(self, *stores: str, **until: Any) -> tuple[dict[str, int], ...]:
        """The accounts of stores, debits less credits."""
        return tuple(balances(self.world.stores[store], **until) for store in stores)
