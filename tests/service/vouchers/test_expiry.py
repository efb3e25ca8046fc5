from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text

from kernel import clock
from kernel.db import db
from kernel.due import is_due
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger import Pair, policy
from ledger.content import content_hash
from ledger.models import Entry, Line
from redemption.errors import InsufficientCups
from tests.service.vouchers.conftest import booked, lots_of
from tests.together import together
from tests.world import World
from vouchers import expiry_statements, jobs
from vouchers.models import Wallet
from vouchers.service.expiry import expire_some

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


def collect(world: World, member_id: UUID, cups: int) -> None:
    """While they were good."""
    world.take(world.add_till("A"), member_id, cups, now=clock.now() - timedelta(hours=2))


def entries(member_id: UUID) -> list[Entry]:
    with transaction():
        mine = select(Entry).where(Entry.member_id == member_id, Entry.kind == "lapse")
        return list(db.session.scalars(mine))


def test_what_is_left_of_a_period_becomes_breakage(world: World) -> None:
    member_id = world.add_member()
    lot_id = month(world, member_id)
    collect(world, member_id, 7)
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


def test_a_lot_ends_by_its_own_terms_whatever_its_offer_says(world: World) -> None:
    member_id = world.add_member()
    ended = {"ends_at": clock.now() - timedelta(days=1)}
    world.add_lot(member_id, "eleven", **ended)  # a bonus that lapses, of a pack that never ends
    world.add_lot(member_id, "monthly", **ended, expiry_mode="top_up")
    jobs.expire_due()
    assert [lot.is_open for lot in lots_of(member_id)] == [False, True]


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
        taken.append(expire_some(limit=3, now=clock.now()))
    for _ in range(3):
        with transaction():
            taken.append(expire_some(limit=3, now=clock.now()))
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
                some = expire_some(limit=5, now=clock.now())

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
    for _ in range(20):
        month(world, world.add_member())
    asked = {"now": clock.now(), "lots": 10, "wallets": 5}
    with transaction():
        db.session.execute(text(expiry_statements.KEEP_TO_KEYS))
        plan = "\n".join(db.session.scalars(text(f"EXPLAIN {expiry_statements.FIND}"), asked))
    assert "ix_lot_due" in plan


def test_lots_are_read_wallet_by_wallet_whatever_the_plan_was_made_for(world: World) -> None:
    """Read in any other order, a part of some wallets would read everybody's lots."""
    members = [world.add_member() for _ in range(20)]
    for member_id in members:
        month(world, member_id)
    asked = {
        "held": "{" + ",".join(map(str, members)) + "}",
        "now": clock.now(),
        "notice": "lot.top_up",
        "batch": "0",
    }
    with transaction():
        db.session.execute(text(expiry_statements.KEEP_TO_KEYS))
        plan = "\n".join(db.session.scalars(text(f"EXPLAIN {expiry_statements.TOP_UP}"), asked))
    reading = plan[plan.index("Function Scan on unnest held") :]
    assert "Index Cond: (member_id = held.member_id)" in reading
    assert "Seq Scan" not in plan


def test_what_sql_hashes_is_what_the_entry_says(world: World) -> None:
    member_id = world.add_member()
    month(world, member_id)
    collect(world, member_id, 7)
    jobs.expire_due()
    (entry,) = entries(member_id)
    with transaction():
        (line,) = db.session.scalars(select(Line).where(Line.entry_id == entry.id))
    pair = Pair(**{one.name: getattr(line, one.name) for one in fields(Pair)})
    assert entry.content_hash == content_hash(
        member_id=member_id,
        entry_id=entry.id,
        kind=entry.kind,
        source_id=entry.source_id,
        event_at=entry.event_at,
        occurred_on=entry.occurred_on,
        book_date=entry.book_date,
        currency=entry.currency,
        reverses_id=None,
        pairs=[pair],
    )
    rule = policy.lapse(
        store_id=line.store_id,
        account="2132",
        amount=142,
        cups=3,
        offer_id=line.offer_id,
        lot_id=line.lot_id,
    )
    assert rule == [pair]


def test_entries_sort_by_the_time_they_were_made(world: World) -> None:
    member_id = world.add_member()
    month(world, member_id)
    before = new_id()
    jobs.expire_due()
    (entry,) = entries(member_id)
    assert before.int >> 80 <= entry.id.int >> 80 <= new_id().int >> 80
    assert (entry.id.version, entry.id.variant) == (7, before.variant)
