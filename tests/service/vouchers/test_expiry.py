from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text

from kernel import clock
from kernel.db import db
from kernel.due import is_due
from kernel.transaction import transaction
from ledger.models import Entry
from redemption.errors import InsufficientCups
from tests.service.vouchers.conftest import booked, lots_of
from tests.together import together
from tests.world import World
from vouchers import jobs
from vouchers.models import Wallet
from vouchers.service.expiry import lapse_some

PassTime = Callable[[timedelta], datetime]


def month(world: World, member_id: UUID, **held: Any) -> UUID:
    """A period's ten cups, which ended an hour ago."""
    terms: dict[str, Any] = {
        "account": "2132",
        "units": 10,
        "net": 475,
        "ends_at": clock.now() - timedelta(hours=1),
    }
    return world.add_lot(member_id, "monthly", **(terms | held))


def entries(member_id: UUID) -> list[Entry]:
    with transaction():
        mine = select(Entry).where(Entry.member_id == member_id, Entry.kind == "lapse")
        return list(db.session.scalars(mine))


def test_what_is_left_of_a_period_becomes_breakage(world: World) -> None:
    member_id = world.add_member()
    lot_id = month(world, member_id, used=7, net_recognised=333)
    jobs.expire_due()
    (lot,) = lots_of(member_id)
    assert (lot.used, lot.net_recognised, lot.is_open) == (10, 475, False)
    assert booked(member_id, "lapse") == [("2132", "4113", 142, 3)]
    assert [entry.source_id for entry in entries(member_id)] == [lot_id]


def test_a_lapse_is_dated_with_its_end_however_late_it_is_found(world: World) -> None:
    member_id = world.add_member()
    ends_at = datetime(2026, 2, 28, 17, tzinfo=UTC)  # one o'clock at night in Taipei
    month(world, member_id, ends_at=ends_at)
    jobs.expire_due()
    (entry,) = entries(member_id)
    assert (entry.event_at, entry.book_date.isoformat()) == (ends_at, "2026-03-01")


def test_a_lapse_changes_the_wallet(world: World) -> None:
    member_id = world.add_member()
    month(world, member_id)
    jobs.expire_due()
    with transaction():
        assert db.session.get_one(Wallet, member_id).version == 1


def test_what_has_not_ended_stays(world: World) -> None:
    member_id = world.add_member()
    month(world, member_id, ends_at=clock.now() + timedelta(hours=1))
    month(world, member_id, ends_at=None)
    jobs.expire_due()
    assert [lot.is_open for lot in lots_of(member_id)] == [True, True]


def test_paid_cups_never_lapse_whatever_their_end(world: World) -> None:
    member_id = world.add_member()
    world.add_lot(member_id, "eleven", ends_at=clock.now() - timedelta(days=1))
    jobs.expire_due()
    assert [lot.is_open for lot in lots_of(member_id)] == [True]


def test_a_frozen_lot_waits_for_what_froze_it(world: World) -> None:
    member_id = world.add_member()
    month(world, member_id, frozen_at=clock.now())
    jobs.expire_due()
    assert [lot.is_open for lot in lots_of(member_id)] == [True]


def test_a_lot_lapses_at_its_very_end(world: World, pass_time: PassTime) -> None:
    member_id = world.add_member()
    month(world, member_id, ends_at=clock.now() + timedelta(minutes=10))
    jobs.expire_due()
    assert entries(member_id) == []
    pass_time(timedelta(minutes=10))
    jobs.expire_due()
    assert len(entries(member_id)) == 1


def test_lapsing_twice_books_once(world: World) -> None:
    member_id = world.add_member()
    month(world, member_id)
    jobs.expire_due()
    jobs.expire_due()
    assert len(entries(member_id)) == 1


def test_two_lots_of_one_wallet_are_an_entry_each(world: World) -> None:
    member_id = world.add_member()
    month(world, member_id)
    month(world, member_id, ends_at=clock.now() - timedelta(days=31))
    jobs.expire_due()
    assert len(entries(member_id)) == 2
    assert not any(lot.is_open for lot in lots_of(member_id))


def test_many_wallets_are_caught_up_in_batches(world: World) -> None:
    members = [world.add_member() for _ in range(7)]
    for member_id in members:
        month(world, member_id)
    taken = []
    with transaction():
        taken.append(lapse_some(limit=3, now=clock.now()))
    for _ in range(3):
        with transaction():
            taken.append(lapse_some(limit=3, now=clock.now()))
    assert taken == [3, 3, 1, 0]
    assert [len(entries(member_id)) for member_id in members] == [1] * 7


def test_workers_side_by_side_lapse_each_lot_once(app: Flask, world: World) -> None:
    members = [world.add_member() for _ in range(40)]
    for member_id in members:
        month(world, member_id)

    def work() -> None:
        some = 1
        while some:
            with transaction():
                some = lapse_some(limit=5, now=clock.now())

    together(app, [work] * 4, in_transactions=False)
    jobs.expire_due()  # what a worker left since another held it
    assert [len(entries(member_id)) for member_id in members] == [1] * 40
    with transaction():
        versions = db.session.scalars(select(Wallet.version)).all()
    assert versions == [1] * 40  # changed once each


def test_a_wallet_that_somebody_holds_is_left_for_later(app: Flask, world: World) -> None:
    held, free = world.add_member(), world.add_member()
    month(world, held)
    month(world, free)
    with app.app_context(), db.engine.begin() as elsewhere:
        elsewhere.execute(
            text("SELECT 1 FROM wallet WHERE member_id = :held FOR UPDATE"), {"held": held}
        )
        jobs.expire_due()
        assert [len(entries(held)), len(entries(free))] == [0, 1]
    jobs.expire_due()
    assert len(entries(held)) == 1


def test_lapsed_cups_cannot_be_collected(world: World) -> None:
    member_id = world.add_member()
    month(world, member_id)
    jobs.expire_due()
    till = world.add_till("A")
    with pytest.raises(InsufficientCups):
        world.take(till, member_id, now=clock.now())


def test_the_duty_calls_only_for_what_is_due(world: World) -> None:
    member_id = world.add_member()
    with transaction():
        assert not is_due(jobs.EXPIRY, clock.now())
    month(world, member_id)
    with transaction():
        assert is_due(jobs.EXPIRY, clock.now())
    jobs.expire_due()
    with transaction():
        assert not is_due(jobs.EXPIRY, clock.now())


def test_what_is_due_is_found_by_its_index(world: World) -> None:
    month(world, world.add_member())
    with transaction():
        db.session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = db.session.scalars(
            text(
                "EXPLAIN SELECT member_id FROM lot WHERE is_open AND ends_at <= now()"
                " ORDER BY ends_at LIMIT 10"
            )
        ).all()
    assert any("ix_lot_due" in line for line in plan)
