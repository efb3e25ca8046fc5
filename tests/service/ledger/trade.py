"""A little trade whose books have everything that checks look at, and ways to break them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import psycopg

import invoicing.proof
import redemption.offline.proof
import redemption.proof
import vouchers.proof
from kernel import clock
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger import proof
from ledger.month import Month
from ledger.proof import Found
from ledger.service import closing
from ledger.service.fold import fold_some
from redemption.service.void import void
from tests.world import Till, World

REGISTERED = (invoicing.proof, redemption.offline.proof, redemption.proof, vouchers.proof)
DECEMBER = Month(date(2025, 12, 1))


@dataclass
class Trade:
    """Who has traded, and with what."""

    world: World
    till: Till
    alice: UUID
    bob: UUID
    lot: UUID
    voided: UUID


def trade(world: World) -> Trade:
    """Packs sold in December and January, cups at two stores, one of them undone; all folded."""
    till, elsewhere = world.add_till("A", role="manager"), world.add_till("B")
    alice, bob = world.add_member(), world.add_member()
    before = world.now - timedelta(days=30)
    lot = world.add_lot(alice, "eleven", sold_at=before)
    world.take(till, alice, 2, now=before)
    world.take(elsewhere, alice, 3, now=before + timedelta(days=1))
    world.add_lot(bob, "eleven", store="B")
    world.take(till, bob, 1)
    undone = world.take(till, bob, 4)
    with transaction():
        void(
            redemption_id=UUID(undone.id),
            store_id=till.store_id,
            staff_id=till.staff_id,
            role="manager",
            now=world.now,
        )
    fold_all()
    return Trade(world, till, alice, bob, lot, UUID(undone.id))


def fold_all() -> None:
    with transaction():
        fold_some()


def close_december(world: World) -> None:
    """Close the month in which the first pack was sold."""
    by_id = new_id()
    with transaction():
        closing.soft_close(month=DECEMBER, by_id=by_id, now=world.now)
    with transaction():
        closing.ask_to_close(month=DECEMBER, by_id=by_id, now=world.now)
    closing.close_asked(now=world.now)


def check_everything() -> list[Found]:
    """All findings of a whole run."""
    with transaction():
        check_id = proof.begin(now=clock.now())
    return [found for step in proof.go_on(check_id) for found in step.found]


def names(found: list[Found]) -> set[str]:
    return {one.invariant for one in found}


Tamper = Callable[..., None]


def tampering(url: str) -> Tamper:
    """A way to run statements as somebody whom neither rights nor triggers nor keys stop."""

    def tamper(*statements: str) -> None:
        with psycopg.connect(url) as connection:
            connection.execute("SET session_replication_role = replica")
            for statement in statements:
                assert connection.execute(statement).rowcount != 0, statement

    return tamper
