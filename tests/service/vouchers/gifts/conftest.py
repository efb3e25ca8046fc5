"""Alice with eleven cups, Bob with none, and short ways to give and take."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import select

import vouchers
from kernel import secrets
from kernel.db import db
from kernel.outbox import Outbox
from kernel.transaction import transaction
from ledger.models import Entry, Line
from members import keys
from members.models import Member
from tests.world import World, small_world
from vouchers import Claimed, gift_token
from vouchers.models import Gift, GiftBlock, GiftItem, Lot
from vouchers.service.gift_ending import end_some

T = TypeVar("T")

GIVEN, TAKEN, BACK = "gift", "claim", "gift_return"


@dataclass
class Friends:
    """Who gives to whom. Every verb is one committed transaction, at the world's `now`."""

    world: World
    alice: UUID
    bob: UUID
    lot: UUID

    @property
    def now(self) -> datetime:
        return self.world.now

    def pass_time(self, **by: float) -> None:
        self.world.now += timedelta(**by)

    def give(self, cups: int = 3, *, by: UUID | None = None, **wish: Any) -> UUID:
        """Give cups; answers the gift's id."""
        with transaction():
            made = vouchers.give(giver_id=by or self.alice, cups=cups, now=self.now, **wish)
            return made.id

    def claim(self, gift_id: UUID, *, by: UUID | None = None) -> Claimed:
        with transaction():
            return vouchers.claim(
                member_id=by or self.bob, token=gift_token.make(gift_id), now=self.now
            )

    def pass_on(self, cups: int, *, by: UUID, to: UUID, **wish: Any) -> Lot:
        """Give and claim at once; answers the one lot that came of it."""
        (lot,) = self.claim(self.give(cups, by=by, **wish), by=to).lots
        return lot

    def withdraw(self, gift_id: UUID, *, by: UUID | None = None) -> Gift:
        with transaction():
            return vouchers.withdraw(giver_id=by or self.alice, gift_id=gift_id, now=self.now)

    def decline(self, gift_id: UUID, *, by: UUID | None = None, block: bool = False) -> None:
        with transaction():
            token = gift_token.make(gift_id)
            vouchers.decline(member_id=by or self.bob, token=token, block=block, now=self.now)

    def end_due(self, *, limit: int = 100) -> int:
        """Do what is due about gifts, as the job does; answers how many wallets it took."""
        with transaction():
            return end_some(limit=limit, now=self.now)

    def gift(self, gift_id: UUID) -> Gift:
        with transaction():
            return db.session.get_one(Gift, gift_id)

    def read_lot(self, lot_id: UUID | None = None, *, of: UUID | None = None) -> Lot:
        with transaction():
            return db.session.get_one(Lot, (of or self.alice, lot_id or self.lot))

    def lots(self, member_id: UUID) -> list[Lot]:
        with transaction():
            mine = select(Lot).where(Lot.member_id == member_id).order_by(Lot.id)
            return list(db.session.scalars(mine))

    def change(self, work: Callable[[], T]) -> T:
        with transaction():
            return work()

    def freeze(self, gift_id: UUID) -> None:
        """What a dispute does to an open gift and to the lots that it came from."""
        with transaction():
            db.session.get_one(Gift, gift_id).frozen_at = self.now
            items = select(GiftItem).where(GiftItem.gift_id == gift_id)
            for item in db.session.scalars(items):
                lot = db.session.get_one(Lot, (item.member_id, item.lot_id))
                lot.frozen_at = self.now

    def booked(self, kind: str) -> list[tuple[str, str, int, int]]:
        """Debit, credit, amount and cups of all entries of a kind."""
        with transaction():
            rows = (
                select(Line)
                .join(Entry, (Entry.member_id == Line.member_id) & (Entry.id == Line.entry_id))
                .where(Entry.kind == kind)
                .order_by(Entry.id, Line.ordinal)
            )
            return [
                (line.debit, line.credit, line.amount, line.qty)
                for line in db.session.scalars(rows)
            ]

    def told(self, member_id: UUID) -> list[str]:
        """Which notices a member was promised, in order."""
        with transaction():
            rows = select(Outbox).where(Outbox.topic == "member.notice").order_by(Outbox.id)
            return [
                row.facts["notice"]
                for row in db.session.scalars(rows)
                if row.facts["to"] == str(member_id)
            ]

    def blocks(self) -> list[tuple[UUID, UUID]]:
        with transaction():
            rows = db.session.scalars(select(GiftBlock))
            return [(row.member_id, row.blocked_id) for row in rows]

    def give_key(self, member_id: UUID) -> None:
        """Let a member write: their words are sealed under their key."""
        with transaction():
            row, key = keys.make(member_id)
            db.session.add(row)
            member = db.session.get_one(Member, member_id)
            member.phone_sealed = secrets.seal(key, b"+886912345678")


@pytest.fixture
def world(app, now) -> World:
    return small_world(now)


@pytest.fixture
def friends(world) -> Friends:
    """Alice has bought 10 + 1 for 500 at store A."""
    alice, bob = world.add_member(), world.add_member()
    return Friends(world, alice, bob, world.add_lot(alice, "eleven"))
