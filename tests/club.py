"""Subscriptions to a monthly plan, on a clock that the test moves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

import payments
from kernel import clock, outbox, secrets
from kernel.db import db
from kernel.ids import new_id
from kernel.outbox import Outbox
from kernel.transaction import transaction
from members import keys
from members.models import Member, MemberSession
from members.notices import TOPIC
from payments.models import Card, Customer, Payment, Repayment
from subs import cancel, change_card, jobs, pause
from subs.models import Period, PlanSchedule, Subscription, SubscriptionEvent
from subs.service.renewal import PURPOSE
from subs.service.start import start
from tests.fakes import GOOD, FakeGateway, fake_provider
from tests.rows import write
from tests.world import World
from vouchers.models import Lot, Order, OrderItem

MONTHLY = {"price": 499, "cups": 10, "bonus_cups": 0, "expiry_mode": "lapse", "kind": "plan"}
SCHEDULE = {"every_count": 1, "grace_days": 28, "dunning_days": [2, 5, 7, 7]}
PHONE = "+886912345678"
SAVED = "pm_saved_"
"""The fake provider's mark of a saved card, which behaves as the one it was made from."""
_OF_SCHEDULE = frozenset(PlanSchedule.__table__.columns.keys())


@dataclass
class Club:
    """A chain with a monthly plan of ten cups for 499, and who subscribes to it."""

    world: World
    bank: FakeGateway
    member_id: UUID

    @property
    def now(self) -> datetime:
        return clock.now()

    def add_plan(self, code: str = "monthly", *, every: str = "month", **terms: Any) -> UUID:
        """A plan of the chain, with terms of its version and of its schedule; the version's id."""
        return add_plan(self.world, code, every=every, **terms)

    def buy(
        self, code: str = "monthly", *, quantity: int = 1, card: str | None = GOOD, price: int = 499
    ) -> OrderItem:
        """A paid order of a plan, as the rooms below leave it behind. A trial costs 0."""
        _, version_id = self.world.offers[code]
        gross, net = price * quantity, round(price / 1.05) * quantity
        now = self.now
        order = {
            "id": new_id(),
            "member_id": self.member_id,
            "store_id": self.world.stores["W"],
            "status": "fulfilled",
            "total": gross,
            "currency": "TWD",
            "ordered_at": now,
            "ends_at": now + timedelta(minutes=30),
            "paid_at": now,
            "fulfilled_at": now,
        }
        item = {
            "id": new_id(),
            "order_id": order["id"],
            "position": 1,
            "offer_version_id": version_id,
            "quantity": quantity,
            "gross": gross,
            "net": net,
            "vat": gross - net,
        }
        with transaction():
            card_id = None if card is None else self.keep_card(card)
            if gross == 0:
                order["card_id"] = card_id
            paid = [(Payment, self._paid(order, card_id))] if gross else []
            write((Order, order), (OrderItem, item), *paid)
        return OrderItem(**item)

    def subscribe(self, code: str = "monthly", **how: Any) -> UUID:
        """A subscription that has just begun; answers its id."""
        item = self.buy(code, **how)
        with transaction():
            (begun,) = start(order_item_id=item.id, paid_at=self.now)
            return begun.id

    def keep_card(self, behaviour: str) -> UUID:
        """A card of the member that may be charged off session and behaves in this way."""
        ref = SAVED + behaviour
        if db.session.get(Customer, self.member_id) is None:
            db.session.add(
                Customer(member_id=self.member_id, provider_ref=f"cus_{self.member_id.hex}")
            )
        kept = db.session.scalar(
            select(Card).where(Card.member_id == self.member_id, Card.provider_ref == ref)
        )
        if kept is None:
            kept = Card(
                id=new_id(),
                member_id=self.member_id,
                provider_ref=ref,
                brand="visa",
                last4="4242",
                saved_at=self.now,
            )
            db.session.add(kept)
            db.session.flush()
        return kept.id

    def mend_cards(self, behaviour: str = GOOD) -> None:
        """From now on every card behaves in this way: it pays, if not told otherwise."""
        with transaction():
            db.session.execute(update(Card).values(provider_ref=SAVED + behaviour))

    def give_phone(self, phone: str) -> None:
        """Let text messages reach the member."""
        with transaction():
            row, key = keys.make(self.member_id)
            db.session.add(row)
            member = db.session.get_one(Member, self.member_id)
            member.phone_sealed = secrets.seal(key, phone.encode())

    def sign_in(self) -> str:
        """The token of a session of the member, which outlives the test."""
        token, now = secrets.new_token("mem_"), self.now
        session = {
            "id": new_id(),
            "member_id": self.member_id,
            "token_digest": secrets.digest(token),
            "started_at": now,
            "ends_at": now + timedelta(days=400),
        }
        with transaction():
            write((MemberSession, session))
        return token

    def renew(self) -> None:
        """What the tick has done: renewals, then whatever rooms tell each other."""
        jobs.renew_due()
        outbox.drain()

    def cancel(self, subscription_id: UUID, **how: Any) -> None:
        with transaction():
            cancel(member_id=self.member_id, subscription_id=subscription_id, now=self.now, **how)

    def leave_under_way(self, subscription_id: UUID) -> None:
        """Charge for the next period; the bank takes the money and falls silent about it."""
        self.go_to(self.periods(subscription_id)[-1].ends_at)
        self.bank.fail("charge", "after")
        jobs.renew_due()

    def returned(self) -> list[int]:
        """What goes back of money that nobody had to pay."""
        surplus = select(Repayment.amount).where(Repayment.purpose == "surplus")
        with transaction():
            return list(db.session.scalars(surplus))

    def pause(self, subscription_id: UUID, *, until: date) -> None:
        with transaction():
            pause(
                member_id=self.member_id,
                subscription_id=subscription_id,
                until=until,
                now=self.now,
            )

    def causes(self, subscription_id: UUID) -> list[str]:
        """Why what happened to a subscription happened, in order."""
        theirs = select(SubscriptionEvent.cause).where(
            SubscriptionEvent.subscription_id == subscription_id
        )
        with transaction():
            return list(db.session.scalars(theirs.order_by(SubscriptionEvent.id)))

    def notices(self) -> list[str]:
        """Which notices were promised, in order."""
        promised = select(Outbox.facts["notice"].astext).where(Outbox.topic == TOPIC)
        with transaction():
            return list(db.session.scalars(promised.order_by(Outbox.id)))

    def change_card(self, subscription_id: UUID, behaviour: str) -> None:
        change_card(
            member_id=self.member_id,
            subscription_id=subscription_id,
            payment_method=behaviour,
            now=self.now,
        )

    def authenticate(self, payment: Payment) -> None:
        """The member authenticates a payment, and the provider's news of it is read."""
        assert payment.provider_ref is not None
        self.bank.authenticate(payment.provider_ref)
        payments.charge(payment_id=payment.id)
        outbox.drain()

    @property
    def charges(self) -> int:
        """How often the bank was asked for money."""
        return self.bank.calls.count("charge")

    def pass_time(self, **by: float) -> None:
        """Move the clock."""
        clock.advance(timedelta(**by))

    def go_to(self, at: datetime) -> None:
        """Move the clock to a moment, and a second past it."""
        clock.advance(at - self.now + timedelta(seconds=1))

    def subscription(self, subscription_id: UUID) -> Subscription:
        with transaction():
            return db.session.get_one(Subscription, subscription_id)

    def periods(self, subscription_id: UUID) -> list[Period]:
        theirs = select(Period).where(Period.subscription_id == subscription_id)
        with transaction():
            return list(db.session.scalars(theirs.order_by(Period.number)))

    def asked(self) -> list[Payment]:
        """What was asked for renewals, in order."""
        asked = select(Payment).where(Payment.purpose == PURPOSE)
        with transaction():
            return list(db.session.scalars(asked.order_by(Payment.id)))

    def lots(self) -> list[Lot]:
        mine = select(Lot).where(Lot.member_id == self.member_id)
        with transaction():
            return list(db.session.scalars(mine.order_by(Lot.ends_at, Lot.id)))

    def _paid(self, order: dict[str, Any], card_id: UUID | None) -> dict[str, Any]:
        at = order["paid_at"]
        return {
            "id": new_id(),
            "member_id": order["member_id"],
            "purpose": "voucher_order",
            "purpose_id": order["id"],
            "attempt": 1,
            "amount": order["total"],
            "currency": order["currency"],
            "card_id": card_id,
            "method_ref": GOOD,
            "asked_at": at,
            "provider_ref": f"pi_{order['id'].hex}",
            "status": "succeeded",
            "created_at": at,
            "settled_at": at,
        }


def add_plan(world: World, code: str, *, every: str = "month", **terms: Any) -> UUID:
    """A plan of a chain, with terms of its version and of its schedule; the version's id."""
    schedule = {**SCHEDULE, "every_unit": every}
    schedule |= {name: terms.pop(name) for name in [*terms] if name in _OF_SCHEDULE}
    version_id = world.add_offer(code, **{**MONTHLY, **terms})
    with transaction():
        write((PlanSchedule, {"offer_version_id": version_id, **schedule}))
    return version_id


@contextmanager
def club_of(world: World, *, offset: Path, environment: pytest.MonkeyPatch) -> Iterator[Club]:
    """The plan, and Alice with a card that pays, on a clock that starts at the world's `now`."""
    ahead = world.now - datetime.now(UTC)
    offset.write_text(f"{ahead.total_seconds()}\n", encoding="ascii")
    environment.setenv("CLOCK_FILE", str(offset))
    with fake_provider() as bank:
        made = Club(world, bank, world.add_member())
        made.give_phone(PHONE)
        made.add_plan()
        yield made
