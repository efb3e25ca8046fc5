"""A redemption is undone: by whom, until when, and that everything goes back exactly."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

import redemption
from chain import StoreScope
from kernel.db import db
from kernel.errors import NotFound
from kernel.transaction import transaction
from ledger import Event, policy, post
from ledger.models import Line
from redemption.errors import AlreadyVoided, LotFrozen, OwnWallet, VoidTooLate
from tests.service.redemption.tills import rows, sums, undo
from tests.world import only
from vouchers import jobs
from vouchers.models import Lot, Wallet
from vouchers.slices import Slice, take_out
from vouchers.wallet import change_wallet


@pytest.fixture
def taken(world):
    """Three cups of Alice's eleven, sold at A, taken at B."""
    till, alice = world.add_till("B"), world.add_member()
    world.add_lot(alice, "eleven", store="A")
    return till, alice, world.take(till, alice, 3)


def test_a_void_gives_back_exactly_the_cups_and_the_money(taken, now):
    till, _, redeemed = taken
    before = only(Lot)
    undo(till, redeemed, now=now)
    after = only(Lot)
    assert (before.used, before.net_recognised, before.vat_gone) == (3, 130, 7)
    assert (after.used, after.net_recognised, after.vat_gone, after.is_open) == (0, 0, 0, True)
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


def give_up(lot_id, cups, *, now) -> Slice:
    """Let cups leave a lot in another way than over the counter, and book that."""
    with transaction():
        lot = db.session.scalars(select(Lot).where(Lot.id == lot_id)).one()
        change_wallet(lot.member_id)
        gone = take_out(lot, cups)
        pairs = policy.lapse(
            store_id=lot.store_id,
            account=lot.account,
            amount=gone.net,
            cups=cups,
            offer_id=lot.offer_id,
            lot_id=lot.id,
        )
        post(
            Event(
                member_id=lot.member_id,
                kind="lapse",
                source_id=lot.id,
                pairs=pairs,
                event_at=now,
                occurred_on=now.date(),
                currency=lot.currency,
            )
        )
    return gone


@pytest.mark.parametrize("gone", [1, 5, 8])
def test_a_void_gives_back_what_it_took_whatever_left_the_lot_meanwhile(taken, world, now, gone):
    till, alice, redeemed = taken
    left = give_up(only(Lot).id, gone, now=now)
    undo(till, redeemed, now=now)
    lot = only(Lot)
    assert (lot.used, lot.net_recognised, lot.vat_gone) == (gone, left.net, left.vat)
    world.take(till, alice, 11 - gone)
    lot = only(Lot)
    assert (lot.is_open, lot.net_recognised, lot.vat_gone) == (False, 476, 24)


def test_a_frozen_lot_takes_its_cups_back_and_stays_frozen(taken, world, now):
    till, alice, redeemed = taken
    with transaction():
        db.session.execute(update(Lot).values(frozen_at=now))
    undo(till, redeemed, now=now)
    assert (only(Lot).used, only(Lot).frozen_at) == (0, now)
    with pytest.raises(LotFrozen):
        world.take(till, alice)


def test_a_lot_that_has_ended_takes_its_cups_back_and_lapses_again(world, now):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven", ends_at=now + timedelta(minutes=1))
    redeemed = world.take(till, alice, 3)
    jobs.expire_due()
    assert only(Lot).used == 11
    undo(till, redeemed, now=now + timedelta(minutes=2))
    lot = only(Lot)
    assert (lot.used, lot.net_recognised, lot.vat_gone, lot.is_open) == (8, 346, 17, True)
    jobs.expire_due()
    lot = only(Lot)
    assert (lot.used, lot.net_recognised, lot.vat_gone, lot.is_open) == (11, 476, 24, False)
    assert sums() == {"1111": 500, "2194": -24, "4113": -476}


def test_two_lots_get_back_what_each_of_them_gave(world, now):
    till, alice = world.add_till("B"), world.add_member()
    world.add_lot(alice, "eleven", store="A", sold_at=now - timedelta(days=1))
    world.add_lot(alice, "eleven", store="B", units=3, net=129, vat=6)
    redeemed = world.take(till, alice, 12)
    undo(till, redeemed, now=now)
    assert [(lot.used, lot.net_recognised, lot.vat_gone) for lot in rows(Lot)] == [(0, 0, 0)] * 2
    assert sums() == {"1111": 635, "2131": -605, "2194": -30}


def test_nobody_undoes_what_was_collected_from_their_own_wallet(world, now):
    """A colleague serves them, they drink it, and then it never happened."""
    bob = world.add_member()
    world.add_lot(bob, "eleven")
    redeemed = world.take(world.add_till("A"), bob)
    bobs_till = world.add_till("A", own=bob)
    with pytest.raises(OwnWallet):
        undo(bobs_till, redeemed, now=now)
    assert only(Lot).used == 1
    undo(world.add_till("A"), redeemed, now=now)
    assert only(Lot).used == 0


def test_too_late_is_told_by_the_store_s_clock(world, now):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    redeemed = world.take(till, alice)
    with pytest.raises(VoidTooLate) as refusal:
        undo(till, redeemed, now=now + timedelta(minutes=31))
    ended_at = datetime.fromisoformat(refusal.value.facts["ended_at"])
    assert ended_at == now + timedelta(minutes=30)
    assert ended_at.utcoffset() == timedelta(hours=8)
