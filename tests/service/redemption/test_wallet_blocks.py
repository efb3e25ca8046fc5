"""A wallet that is blocked hands over nothing, until whoever blocked it lifts that."""

from uuid import UUID

import pytest
from sqlalchemy import select

import redemption
from chain import StoreScope
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.outbox import Outbox
from kernel.transaction import transaction
from redemption.errors import OwnWallet, WalletBlocked
from redemption.models import WalletBlock
from tests.service.redemption.tills import rows
from tests.together import together
from tests.world import only
from vouchers.models import Lot, Wallet


@pytest.fixture
def alice(world):
    world.till, member_id = world.add_till("A"), world.add_member()
    world.add_lot(member_id, "eleven")
    return member_id


def block_own(alice, *, now):
    with transaction():
        return redemption.block_own_wallet(member_id=alice, now=now).id


def lift_own(alice, *, now):
    with transaction():
        redemption.lift_own_block(member_id=alice, now=now)


def block(redeemed, by, *, now, role="manager"):
    with transaction():
        return redemption.block_wallet(
            redemption_id=UUID(redeemed.id),
            reason="nine cups in a day",
            staff_id=by.staff_id,
            role=role,
            now=now,
        ).id


def lift(block_id, by, *, now, role="manager"):
    with transaction():
        redemption.lift_wallet_block(
            wallet_block_id=block_id, staff_id=by.staff_id, role=role, now=now
        )


def test_a_member_blocks_their_wallet_and_lifts_it(world, alice, now):
    block_own(alice, now=now)
    assert only(Wallet).blocked_at == now
    with pytest.raises(WalletBlocked):
        world.take(world.till, alice)
    lift_own(alice, now=now)
    assert world.take(world.till, alice).cups == 1


def test_again_changes_nothing(world, alice, now):
    assert block_own(alice, now=now) == block_own(alice, now=now)
    for _ in range(2):
        lift_own(alice, now=now)
    assert [one.lifted_at for one in rows(WalletBlock)] == [now]


def test_a_manager_blocks_by_a_redemption_and_the_member_cannot_lift_that(world, alice, now):
    redeemed = world.take(world.till, alice)
    made = block(redeemed, world.till, now=now)
    lift_own(alice, now=now)
    with pytest.raises(WalletBlocked):
        world.take(world.till, alice)
    lift(made, world.till, now=now)
    assert world.take(world.till, alice).cups == 1


def test_two_blocks_are_lifted_each_by_who_made_it(world, alice, now):
    redeemed = world.take(world.till, alice)
    made = block(redeemed, world.till, now=now)
    block_own(alice, now=now)
    lift(made, world.till, now=now)
    with pytest.raises(WalletBlocked):
        world.take(world.till, alice)
    lift_own(alice, now=now)
    assert only(Wallet).blocked_at is None
    assert only(Lot).used == 1


def test_managers_block_for_their_own_stores_and_finance_for_all(world, alice, now):
    redeemed, elsewhere = world.take(world.till, alice), world.add_till("B")
    with pytest.raises(StoreScope):
        block(redeemed, elsewhere, now=now)
    made = block(redeemed, elsewhere, now=now, role="finance")
    with pytest.raises(StoreScope):
        lift(made, elsewhere, now=now)
    assert block(redeemed, world.till, now=now) == made


def test_the_member_is_told_once_when_the_chain_blocks_and_when_it_frees(world, alice, now):
    redeemed = world.take(world.till, alice)
    block_own(alice, now=now)
    for _ in range(2):
        made = block(redeemed, world.till, now=now)
    for _ in range(2):
        lift(made, world.till, now=now)
    with transaction():
        notices = select(Outbox.facts["notice"].astext).where(Outbox.topic == "member.notice")
        told = list(db.session.scalars(notices.order_by(Outbox.id)))
    assert told == ["wallet.blocked", "wallet.freed"]


def test_nobody_lifts_the_block_of_their_own_wallet(world, now):
    bob = world.add_member()
    world.add_lot(bob, "eleven")
    redeemed = world.take(world.add_till("A"), bob)
    own = world.add_till("A", own=bob)
    made = block(redeemed, own, now=now)
    with pytest.raises(OwnWallet):
        lift(made, own, now=now)


def test_what_is_not_the_chains_is_not_found(world, alice, now):
    mine = block_own(alice, now=now)
    for unknown in (mine, new_id()):
        with pytest.raises(NotFound):
            lift(unknown, world.till, now=now)


def test_eight_at_once_make_one_block(app, world, alice, now):
    made = together(app, [lambda: block_own(alice, now=now)] * 8, in_transactions=False)
    assert len(set(made)) == 1
    assert only(WalletBlock).is_own
