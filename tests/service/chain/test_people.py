"""PINs that the desk gives and people choose, at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

import chain
from chain import SignInRefused
from chain.models import Staff
from chain.service import people
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from tests.service.chain.staffing import PIN, add_staff
from tests.world import World


def _reset(app: Flask, staff_id: object, world: World) -> str:
    with app.app_context(), transaction():
        return chain.reset_pin(
            staff_id=staff_id, by_id=new_id(), by_role="admin", now=world.now
        ).pin


def test_a_pin_that_the_desk_reset_meanwhile_is_not_replaced(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
):
    """Who knows a stolen PIN chooses another, while the desk takes it away."""
    till, clerk = world.add_till("A"), add_staff("1001", "clerk", stores=[world.stores["A"]])
    slow_hash = people.secrets.slow_hash

    def after_a_reset(pin: str) -> str:
        monkeypatch.undo()
        with ThreadPoolExecutor(1) as desk:
            desk.submit(_reset, app, clerk, world).result()
        return slow_hash(pin)

    monkeypatch.setattr(people.secrets, "slow_hash", after_a_reset)
    with transaction():
        chosen = chain.choose_pin(
            device_id=till.device_id,
            store_id=till.store_id,
            staff_number="1001",
            pin=PIN,
            new_pin="271828",
            now=world.now,
        )

    assert isinstance(chosen, SignInRefused)
    with transaction():
        staff = db.session.get_one(Staff, clerk, populate_existing=True)
        assert staff.pin_ends_at is not None
