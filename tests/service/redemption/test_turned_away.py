"""Who is turned away at a till is noted for the store's day: why, for what, and nothing of whom."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from kernel import hot
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from redemption import statements
from redemption.errors import InsufficientCups, OwnWallet, TokenExpired, TokenInvalid
from redemption.models import TurnedAway
from redemption.service.redeem import redeem, validate
from tests.world import only


def count() -> int:
    with transaction():
        return db.session.scalars(select(func.count()).select_from(TurnedAway)).one()


def test_a_refusal_is_noted_once_however_often_it_is_heard(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    scan = world.scan(till, world.code(world.add_credential(alice)), 12)
    for _ in range(3):
        with pytest.raises(InsufficientCups):
            redeem(scan=scan, now=world.now)
    noted = only(TurnedAway)
    assert (noted.reason, noted.cups) == ("insufficient-cups", 12)
    assert noted.product_id == world.products["latte"]
    assert (noted.store_id, noted.device_id, noted.staff_id) == (
        till.store_id,
        till.device_id,
        till.staff_id,
    )
    assert (noted.turned_away_at, noted.business_day) == (world.now, date(2026, 1, 14))


def test_own_wallets_are_noted_each_time_and_nothing_is_kept_for_a_retry(world):
    alice = world.add_member()
    world.add_lot(alice, "eleven")
    till = world.add_till("A", own=alice)
    scan = world.scan(till, world.code(world.add_credential(alice)))
    for _ in range(2):
        with pytest.raises(OwnWallet) as refusal:
            redeem(scan=scan, now=world.now)
        assert not refusal.value.is_replayed
    assert count() == 2


def test_a_code_that_is_over_is_noted_and_nothing_is_kept_for_a_retry(world):
    """The key is as good for the code that the phone shows next."""
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    code = world.code(world.add_credential(alice), step=-4)
    scan = world.scan(till, code)
    with pytest.raises(TokenExpired) as refusal:
        redeem(scan=scan, now=world.now)
    assert not refusal.value.is_replayed
    noted = only(TurnedAway)
    assert (noted.reason, noted.cups, noted.product_id) == (
        "token-expired",
        1,
        world.products["latte"],
    )
    redeem(scan=scan, now=world.now - timedelta(seconds=15))
    assert count() == 1


def test_a_code_that_is_over_is_noted_for_a_drink_that_nobody_sells(world):
    till, alice = world.add_till("A"), world.add_member()
    code = world.code(world.add_credential(alice), step=-4)
    with pytest.raises(TokenExpired):
        redeem(scan=world.scan(till, code, product_id=new_id()), now=world.now)
    assert only(TurnedAway).product_id is None


def test_a_code_that_is_none_is_nobody_s_refusal(world):
    """It is counted against the device."""
    till, alice = world.add_till("A"), world.add_member()
    code = world.code(world.add_credential(alice), step=2)
    with pytest.raises(TokenInvalid):
        redeem(scan=world.scan(till, code), now=world.now)
    assert count() == 0


def test_a_dry_run_turns_nobody_away(world):
    till, alice = world.add_till("A"), world.add_member()
    with pytest.raises(InsufficientCups):
        validate(scan=world.scan(till, world.code(world.add_credential(alice))), now=world.now)
    assert count() == 0


def test_who_was_served_meanwhile_is_not_noted(world, monkeypatch):
    till, alice = world.add_till("A"), world.add_member()
    scan = world.scan(till, world.code(world.add_credential(alice)))
    run, first = hot.rows, []

    def with_a_faster_twin(sql, params):
        if sql == statements.REFUSE and not first:
            first.append(None)
            world.add_lot(alice, "eleven")
            redeem(scan=scan, now=world.now)
        return run(sql, params)

    monkeypatch.setattr(hot, "rows", with_a_faster_twin)
    assert redeem(scan=scan, now=world.now).is_replayed
    assert count() == 0
