"""After the store's time: finance asks for a void, and a second person decides."""

from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

import redemption
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.transaction import again, transaction
from ledger.errors import TwoPeople
from redemption.errors import (
    AlreadyVoided,
    LateVoidDecided,
    LateVoidWaits,
    NotSoManyTaken,
    OwnWallet,
)
from redemption.models import LateVoid, Void
from tests.service.redemption.tills import undo
from tests.together import together
from tests.world import only
from vouchers.models import Lot

pytestmark = pytest.mark.usefixtures("books_hold")

ALICE, BOB = UUID(int=1), UUID(int=2)
MONTHS = timedelta(days=60)


@pytest.fixture
def taken(world):
    till, member = world.add_till("B"), world.add_member()
    world.add_lot(member, "eleven", store="A")
    return till, world.take(till, member, 3)


def ask(redeemed, *, now, items=None):
    def asked():
        with transaction():
            return redemption.ask_late_void(
                redemption_id=UUID(redeemed.id),
                items=items,
                reason="wrong wallet",
                asked_by_id=ALICE,
                now=now,
            ).id

    return again(asked)


def approve(late_void_id, *, now, by=BOB):
    with transaction():
        redemption.approve_late_void(late_void_id=late_void_id, approved_by_id=by, now=now)


def reject(late_void_id, *, now, by=BOB):
    with transaction():
        redemption.reject_late_void(late_void_id=late_void_id, rejected_by_id=by, now=now)


def test_nothing_moves_until_a_second_person_agrees(taken, now):
    asked = ask(taken[1], now=now + MONTHS)
    assert only(Lot).used == 3
    approve(asked, now=now + MONTHS)
    assert only(Lot).used == 0
    noted = only(Void)
    assert (noted.staff_id, noted.approved_by_id, noted.reason) == (ALICE, BOB, "wrong wallet")


def test_who_asked_cannot_approve_but_can_take_it_back(taken, now):
    asked = ask(taken[1], now=now)
    with pytest.raises(TwoPeople):
        approve(asked, now=now, by=ALICE)
    reject(asked, now=now, by=ALICE)
    assert only(LateVoid).is_approved is False
    assert only(Lot).used == 3


def test_only_the_cups_that_were_named_go_back(taken, world, now):
    approve(ask(taken[1], now=now, items={world.products["latte"]: 1}), now=now)
    assert only(Lot).used == 2


def test_one_request_at_a_time_waits_for_a_redemption(taken, now):
    asked = ask(taken[1], now=now)
    with pytest.raises(LateVoidWaits):
        ask(taken[1], now=now)
    reject(asked, now=now)
    assert ask(taken[1], now=now) != asked


def test_it_is_decided_once(taken, now):
    asked = ask(taken[1], now=now)
    approve(asked, now=now)
    for decide in (approve, reject):
        with pytest.raises(LateVoidDecided):
            decide(asked, now=now)


def test_what_the_store_undid_meanwhile_is_not_undone_again(taken, now):
    till, redeemed = taken
    asked = ask(redeemed, now=now)
    undo(till, redeemed, now=now)
    with pytest.raises(AlreadyVoided):
        approve(asked, now=now)
    with pytest.raises(AlreadyVoided):
        ask(redeemed, now=now)
    assert only(Lot).used == 0


def test_more_cups_than_are_left_by_then_are_refused(taken, world, now):
    till, redeemed = taken
    latte = world.products["latte"]
    asked = ask(redeemed, now=now, items={latte: 3})
    with transaction():
        redemption.void(
            redemption_id=UUID(redeemed.id),
            store_id=till.store_id,
            staff_id=till.staff_id,
            role="clerk",
            items={latte: 1},
            now=now,
        )
    with pytest.raises(NotSoManyTaken):
        approve(asked, now=now)


def test_an_unknown_one_is_not_found(taken, now):
    with pytest.raises(NotFound):
        approve(new_id(), now=now)
    with pytest.raises(NotFound), transaction():
        redemption.ask_late_void(
            redemption_id=new_id(), items=None, reason="?", asked_by_id=ALICE, now=now
        )


def test_of_eight_who_decide_at_once_one_does(app, taken, now):
    asked = ask(taken[1], now=now)
    decided = together(
        app,
        [partial(approve if number % 2 else reject, asked, now=now) for number in range(8)],
        in_transactions=False,
    )
    assert [type(one) for one in decided].count(LateVoidDecided) == 7
    assert only(Lot).used == (0 if only(LateVoid).is_approved else 3)


def test_what_could_never_be_approved_cannot_be_asked_for(taken, world, now):
    till, redeemed = taken
    with pytest.raises(NotSoManyTaken) as refusal:
        ask(redeemed, now=now, items={world.products["latte"]: 4})
    assert refusal.value.facts == {"taken": 3, "wanted": 4}
    with pytest.raises(NotSoManyTaken):
        ask(redeemed, now=now, items={world.products["mocha"]: 1})
    undo(till, redeemed, now=now)
    with pytest.raises(AlreadyVoided):
        ask(redeemed, now=now)


def test_nobody_asks_for_nor_approves_a_void_of_their_own_cups(world, now):
    bob = world.add_member()
    world.add_lot(bob, "eleven")
    redeemed = world.take(world.add_till("A"), bob)
    own = world.add_till("A", role="manager", own=bob).staff_id
    with pytest.raises(OwnWallet), transaction():
        redemption.ask_late_void(
            redemption_id=UUID(redeemed.id), items=None, reason="x", asked_by_id=own, now=now
        )
    asked = ask(redeemed, now=now)
    with pytest.raises(OwnWallet):
        approve(asked, now=now, by=own)
    assert only(Lot).used == 1
