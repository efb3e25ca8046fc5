"""Cups bought on 1 January 2026, and time that passes until they end."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from kernel import clock
from kernel.db import db
from kernel.outbox import Outbox
from kernel.transaction import transaction
from tests.world import World, small_world
from vouchers import expiry_policy, jobs
from vouchers.models import Lot

TAIPEI = "Asia/Taipei"


@dataclass
class Ends:
    """Short ways to have cups end, and to see what came of it."""

    world: World
    at: Callable[..., None]

    def add_lot(self, member_id: UUID, mode: str, last_on: date, **held: Any) -> UUID:
        """Cups that can be collected until a day; `time_zone` is that of their store."""
        zone, sold_at = held.pop("time_zone", TAIPEI), held.pop("sold_at", clock.now())
        ends_at = expiry_policy.ends_at(
            sold_at=datetime(last_on.year, last_on.month, last_on.day, 12, tzinfo=ZoneInfo(zone)),
            count=0,
            unit="day",
            time_zone=zone,
        )
        due_at = expiry_policy.first_due_at(sold_at=sold_at, ends_at=ends_at, time_zone=zone)
        return self.world.add_lot(
            member_id,
            held.pop("offer", "eleven"),
            expiry_mode=mode,
            sold_at=sold_at,
            due_at=due_at,
            ends_at=ends_at,
            **held,
        )

    def work(self, *moment: int) -> None:
        """The worker looks at a moment, in Taipei."""
        self.at(*moment)
        jobs.expire_due()

    def lot(self, lot_id: UUID) -> Lot:
        with transaction():
            return db.session.scalars(select(Lot).where(Lot.id == lot_id)).one()

    def change(self, lot_id: UUID, **to: Any) -> None:
        with transaction():
            lot = db.session.scalars(select(Lot).where(Lot.id == lot_id)).one()
            for name, value in to.items():
                setattr(lot, name, value)

    def told(self, member_id: UUID) -> list[tuple[str, dict[str, Any]]]:
        """What a member was told, the first first."""
        with transaction():
            rows = select(Outbox).where(Outbox.member_id == member_id, Outbox.is_notice)
            return [
                (row.facts["notice"], row.facts["facts"])
                for row in db.session.scalars(rows.order_by(Outbox.created_at, Outbox.id))
            ]

    def told_on(self, member_id: UUID) -> list[date]:
        """On which days in Taipei a member was told something."""
        with transaction():
            rows = select(Outbox.created_at).where(Outbox.member_id == member_id)
            days = [at + timedelta(hours=8) for at in db.session.scalars(rows)]
            return sorted(at.date() for at in days)


@pytest.fixture
def ends(app, at) -> Ends:
    at(2026, 1, 1, 12)
    return Ends(small_world(clock.now()), at)


@pytest.fixture
def alice(ends) -> UUID:
    return ends.world.add_member()


@pytest.fixture
def bob(ends) -> UUID:
    return ends.world.add_member()
