"""A request hands over its cups once, whatever happens between it and its repetition."""

import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from kernel import hot
from kernel.db import db
from kernel.errors import Unavailable
from kernel.idempotency import IdempotencyKey, KeyReused
from kernel.transaction import transaction
from redemption.errors import LotFrozen, TokenExpired, TokenUsed, WalletBlocked
from redemption.models import Credential, Redemption
from redemption.service.redeem import redeem
from tests.service.redemption.tills import undo
from tests.world import only
from vouchers.models import Lot, Wallet


@pytest.fixture
def alice(world):
    world.till, member_id = world.add_till("A"), world.add_member()
    world.add_lot(member_id, "eleven")
    world.phone = world.add_credential(member_id)
    return member_id


def scan(world, cups=1, *, step=0, **other):
    return world.scan(world.till, world.code(world.phone, step=step), cups, **other)


def change(model, **values):
    with transaction():
        db.session.execute(update(model).values(**values))


def used() -> list[int]:
    with transaction():
        return list(db.session.scalars(select(Lot.used).order_by(Lot.used)))


def test_after_a_void_it_hears_the_first_answer_and_the_code_stays_used(world, alice):
    """Where others gave a second drink: a used code was free again once its use was annulled."""
    first = scan(world, 2)
    redeemed = redeem(scan=first, now=world.now)
    undo(world.till, redeemed, now=world.now)
    again = redeem(scan=first, now=world.now)
    assert (again.is_replayed, again.id) == (True, redeemed.id)
    with pytest.raises(TokenUsed):
        redeem(scan=scan(world), now=world.now)
    assert used() == [0]


@pytest.mark.parametrize(
    ("model", "values", "refusal"),
    [
        (Wallet, {"blocked_at"}, WalletBlocked),
        (Lot, {"frozen_at"}, LotFrozen),
        (Credential, {"revoked_at"}, None),
    ],
)
def test_what_was_closed_meanwhile_does_not_change_the_answer(world, alice, model, values, refusal):
    first = scan(world)
    redeemed = redeem(scan=first, now=world.now)
    change(model, **dict.fromkeys(values, world.now))
    assert redeem(scan=first, now=world.now + timedelta(hours=1)).id == redeemed.id
    if refusal is not None:
        with pytest.raises(refusal):
            redeem(scan=scan(world, step=1), now=world.now)
    assert used() == [1]


def test_a_refusal_stays_one_though_the_reason_is_gone(world, alice):
    """A till that gave up on a key must be able to rely on it."""
    change(Wallet, blocked_at=world.now)
    first = scan(world)
    with pytest.raises(WalletBlocked):
        redeem(scan=first, now=world.now)
    change(Wallet, blocked_at=None)
    with pytest.raises(WalletBlocked) as refusal:
        redeem(scan=first, now=world.now)
    assert refusal.value.is_replayed
    assert redeem(scan=scan(world), now=world.now).cups == 1


def test_one_key_takes_from_one_wallet(world, alice):
    """Where others served the second: a key that was reused for another ticket was accepted."""
    bob = world.add_member()
    world.add_lot(bob, "eleven")
    theirs = world.code(world.add_credential(bob))
    redeem(scan=scan(world, key="k" * 20), now=world.now)
    with pytest.raises(KeyReused):
        redeem(scan=world.scan(world.till, theirs, key="k" * 20), now=world.now)
    assert used() == [0, 1]
    assert redeem(scan=world.scan(world.till, theirs), now=world.now).cups == 1


def test_the_same_key_of_another_till_is_another_key(world, alice):
    redeem(scan=scan(world, key="k" * 20), now=world.now)
    other = world.add_till("B")
    second = world.scan(other, world.code(world.phone, step=1), key="k" * 20)
    assert not redeem(scan=second, now=world.now).is_replayed
    assert used() == [2]


def test_a_key_is_free_again_when_its_request_died_half_way(world, alice):
    """The connection is killed while the write waits for the wallet: nothing of it remains."""
    first, died = scan(world), []
    with hot.pool().connection() as holding, holding.transaction():
        holding.execute("SELECT FROM wallet FOR UPDATE")
        dying = threading.Thread(target=lambda: died.append(_refused(first, world.now)))
        dying.start()
        _kill_who_waits()
        dying.join(timeout=10)
    assert died == [Unavailable]
    with transaction():
        assert db.session.scalar(select(func.count()).select_from(IdempotencyKey)) == 0
    assert not redeem(scan=first, now=world.now).is_replayed
    assert redeem(scan=first, now=world.now).is_replayed
    assert used() == [1]


def _refused(asked, now) -> type[Exception]:
    try:
        redeem(scan=asked, now=now)
    except Unavailable as problem:
        return type(problem)
    raise AssertionError


def _kill_who_waits() -> None:
    kill = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND pid <> pg_backend_pid() AND query LIKE '%%bumped%%'
    """
    until = time.monotonic() + 5
    while not hot.rows(kill, {}):
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("later", "refusal"),
    [(timedelta(seconds=5), TokenUsed), (timedelta(days=400), TokenExpired)],
)
def test_it_is_safe_also_when_its_key_is_forgotten(world, alice, later, refusal):
    """The code of a redemption stays used for ever, and whoever repeats shows the same code."""
    first = scan(world)
    redeem(scan=first, now=world.now)
    hot.rows("DELETE FROM idempotency_key RETURNING 1", {})
    with pytest.raises(refusal):
        redeem(scan=first, now=world.now + later)
    assert only(Redemption).cups == 1
