"""A redemption is undone: by whom, until when, and that everything goes back exactly."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

import redemption
from chain import StoreScope
from kernel.db import db
from kernel.errors import NotFound
from kernel.transaction import transaction
from ledger.models import Line
from redemption.errors import AlreadyVoided, VoidTooLate
from tests.world import only
from vouchers.models import Lot, Wallet


def undo(till, redeemed, *, now, role="clerk"):
    with transaction():
        return redemption.void(
            redemption_id=UUID(redeemed.id),
            store_id=till.store_id,
            staff_id=till.staff_id,
            role=role,
            now=now,
        )


@pytest.fixture
def taken(world):
    """Three cups of Alice's eleven, sold at A, taken at B."""
    till, alice = world.add_till("B"), world.add_member()
    world.add_lot(alice, "eleven", store="A")
    return till, alice, world.take(till, alice, 3)


def sums():
    """Each account's balance over all books, debits less credits."""
    rows = db.session.execute(
        text(
            "SELECT account, sum(amount)::bigint FROM ("
            "SELECT debit AS account, amount FROM line"
            " UNION ALL SELECT credit, -amount FROM line) AS leg GROUP BY account"
        )
    )
    found = {account: amount for account, amount in rows if amount}
    db.session.rollback()
    return found


def test_a_void_gives_back_exactly_the_cups_and_the_money(taken, now):
    till, _, redeemed = taken
    before = only(Lot)
    undo(till, redeemed, now=now)
    after = only(Lot)
    assert (before.used, before.net_recognised) == (3, 130)
    assert (after.used, after.net_recognised, after.is_open) == (0, 0, True)
    assert sums() == {"1111": 500, "2131": -476, "2194": -24}


def test_a_void_books_the_lines_of_e8_turned_around(taken, now):
    till, _, redeemed = taken
    undo(till, redeemed, now=now)
    found = db.session.scalars(select(Line).order_by(Line.entry_id, Line.ordinal)).all()
    assert [(line.debit, line.credit, line.amount) for line in found[-2:]] == [
        ("2171", "2131", 130),
        ("4111", "1171", 130),
    ]


def test_a_void_of_the_last_cup_opens_the_lot_again(world, now):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    redeemed = world.take(till, alice, 11)
    assert not only(Lot).is_open
    undo(till, redeemed, now=now)
    assert only(Lot).is_open


def test_a_second_void_is_refused(taken, now):
    till, _, redeemed = taken
    undo(till, redeemed, now=now)
    with pytest.raises(AlreadyVoided):
        undo(till, redeemed, now=now)
    assert only(Lot).used == 0


def test_another_store_cannot_void(taken, world, now):
    with pytest.raises(StoreScope):
        undo(world.add_till("A"), taken[2], now=now)


def test_an_unknown_redemption_is_not_found(taken, now):
    till, _, _ = taken
    with pytest.raises(NotFound), transaction():
        redemption.void(
            redemption_id=uuid4(),
            store_id=till.store_id,
            staff_id=till.staff_id,
            role="clerk",
            now=now,
        )


@pytest.mark.parametrize(
    ("role", "within"), [("clerk", timedelta(minutes=30)), ("manager", timedelta(hours=24))]
)
def test_each_role_may_void_for_its_time_and_not_a_second_longer(taken, now, role, within):
    till, _, redeemed = taken
    with pytest.raises(VoidTooLate):
        undo(till, redeemed, now=now + within + timedelta(seconds=1), role=role)
    assert undo(till, redeemed, now=now + within, role=role).voided_at == now + within


def test_sixteen_voids_at_once_give_back_once(app, taken, now):
    till, _, redeemed = taken

    def one(_number):
        with app.app_context():
            try:
                undo(till, redeemed, now=now)
            except AlreadyVoided:
                return "refused"
            return "voided"

    with ThreadPoolExecutor(16) as clerks:
        outcomes = list(clerks.map(one, range(16)))
    assert sorted(outcomes) == ["refused"] * 15 + ["voided"]
    assert only(Lot).used == 0


def test_a_redemption_that_was_decided_before_a_void_is_decided_anew(taken, world, now):
    """The void bumps the wallet's version, so nothing is written on what it changed."""
    till, alice, redeemed = taken
    before = db.session.get_one(Wallet, alice).version
    db.session.rollback()
    undo(till, redeemed, now=now)
    db.session.expire_all()
    assert db.session.get_one(Wallet, alice).version == before + 1
