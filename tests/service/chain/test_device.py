import os
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

import chain
from chain import Enrolled, NewDevice, StoreScope
from chain.models import Device, FormerKey
from kernel import secrets
from kernel.db import db
from kernel.errors import NotFound, RateLimited
from kernel.ids import new_id
from kernel.transaction import transaction
from tests.service.chain.staffing import add_staff
from tests.together import together
from tests.world import World


def _made(world: World, *, role: str = "admin", store: str = "A") -> NewDevice:
    with transaction():
        return chain.create_device(
            store_id=world.stores[store],
            name="Till 1",
            staff_id=new_id(),
            role=role,
            now=world.now,
        )


def _enrol(code: str, now: datetime, *, address: str = "192.0.2.1") -> object:
    with transaction():
        return _traded(code, now, address=address)


def _traded(code: str, now: datetime, *, address: str = "192.0.2.1") -> object:
    """Within an open transaction, with a key that nobody else has."""
    return chain.enrol_device(code=code, public_key=os.urandom(32), address=address, now=now)


def test_a_device_is_enrolled_by_its_code(world: World):
    made = _made(world)

    enrolled = _enrol(made.code.lower(), world.now + timedelta(minutes=59))

    assert isinstance(enrolled, Enrolled)
    assert enrolled.device.id == made.device.id
    assert enrolled.token.startswith("dev_")
    row = db.session.get_one(Device, made.device.id)
    assert row.token_digest == secrets.digest(enrolled.token)
    assert row.enrolled_at == world.now + timedelta(minutes=59)


def test_the_code_is_kept_as_a_keyed_digest(world: World):
    made = _made(world)

    kept = db.session.scalars(select(Device.code_digest)).one()

    assert kept != secrets.digest(made.code)
    assert made.code.encode() not in kept


def test_a_code_enrols_once(world: World):
    made = _made(world)
    _enrol(made.code, world.now)

    assert isinstance(_enrol(made.code, world.now), NotFound)


def test_a_code_ends_after_an_hour(world: World):
    made = _made(world)

    assert isinstance(_enrol(made.code, world.now + timedelta(hours=1)), NotFound)


def test_the_code_of_a_revoked_device_enrols_nothing(world: World):
    made = _made(world)
    admin = add_staff("4001", "admin")
    with transaction():
        chain.revoke_device(device_id=made.device.id, staff_id=admin, role="admin", now=world.now)

    assert isinstance(_enrol(made.code, world.now), NotFound)


def test_a_key_that_another_replaced_is_kept(world: World):
    """What it signed offline may come in yet."""
    keys = [os.urandom(32) for _ in range(2)]
    made = _made(world)
    for hours, key in ((0, keys[0]), (1, keys[0]), (2, keys[1]), (3, keys[0]), (4, keys[1])):
        now = world.now + timedelta(hours=hours)
        if hours:
            made = _made_again(made.device.id, now)
        with transaction():
            chain.enrol_device(code=made.code, public_key=key, address="192.0.2.1", now=now)

    row = db.session.get_one(Device, made.device.id)
    former = db.session.scalars(select(FormerKey).order_by(FormerKey.ended_at)).all()
    assert row.public_key == keys[1]
    assert [(one.public_key, one.ended_at) for one in former] == [
        (keys[0], world.now + timedelta(hours=2)),
        (keys[1], world.now + timedelta(hours=3)),
    ]


def test_a_code_that_is_good_for_nothing_replaces_no_key(world: World):
    made = _made(world)
    _enrol(made.code, world.now)

    _enrol(made.code, world.now)

    assert db.session.scalars(select(FormerKey)).all() == []


def _made_again(device_id: UUID, now: datetime) -> NewDevice:
    with transaction():
        return chain.re_enrol_device(device_id=device_id, staff_id=new_id(), role="admin", now=now)


def test_one_code_used_at_many_places_at_once_enrols_one_device(app: Flask, world: World):
    code = _made(world).code

    answers = together(
        app, [lambda at=f"192.0.2.{n}": _traded(code, world.now, address=at) for n in range(10)]
    )

    assert sum(isinstance(answer, Enrolled) for answer in answers) == 1
    assert sum(isinstance(answer, NotFound) for answer in answers) == 9


def test_guessing_codes_is_stopped_at_the_address(world: World):
    made = _made(world)

    answers = [_enrol("AAAAAAAA", world.now) for _ in range(20)]

    assert [type(answer) for answer in answers] == [NotFound] * 19 + [RateLimited]
    assert isinstance(_enrol(made.code, world.now), RateLimited)
    assert isinstance(_enrol(made.code, world.now, address="192.0.2.2"), Enrolled)


def test_guessing_at_once_is_counted_one_by_one(app: Flask, world: World):
    guess = [lambda: _traded("AAAAAAAA", world.now)]

    together(app, guess * 15)
    answers = together(app, guess * 15)

    assert sum(isinstance(answer, NotFound) for answer in answers) == 4
    assert sum(isinstance(answer, RateLimited) for answer in answers) == 11


def test_a_manager_makes_and_revokes_devices_of_their_own_stores_only(world: World):
    manager = add_staff("2001", "manager", stores=[world.stores["A"]])
    own, foreign = world.stores["A"], world.stores["B"]
    with transaction():
        made = chain.create_device(
            store_id=own, name="Till", staff_id=manager, role="manager", now=world.now
        )
    elsewhere = _made(world, store="B")

    with transaction(), pytest.raises(StoreScope):
        chain.create_device(
            store_id=foreign, name="Till", staff_id=manager, role="manager", now=world.now
        )
    with transaction(), pytest.raises(StoreScope):
        chain.revoke_device(
            device_id=elsewhere.device.id, staff_id=manager, role="manager", now=world.now
        )
    with transaction():
        revoked = chain.revoke_device(
            device_id=made.device.id, staff_id=manager, role="manager", now=world.now
        )
    assert revoked.revoked_at == world.now


def test_a_manager_sees_devices_of_their_own_stores_only(world: World):
    manager = add_staff("2001", "manager", stores=[world.stores["A"], world.stores["C"]])
    made = [_made(world, store=store).device.id for store in ("A", "B", "C")]

    seen = chain.list_devices(staff_id=manager, role="manager", after=None, limit=10)
    everything = chain.list_devices(staff_id=new_id(), role="admin", after=None, limit=10)
    rest = chain.list_devices(staff_id=new_id(), role="admin", after=made[0], limit=1)

    assert [device.id for device in seen] == [made[0], made[2]]
    assert [device.id for device in everything] == made
    assert [device.id for device in rest] == [made[1]]


def test_revoking_again_keeps_the_first_time(world: World):
    made = _made(world)
    for hours in (1, 2):
        with transaction():
            revoked = chain.revoke_device(
                device_id=made.device.id,
                staff_id=new_id(),
                role="admin",
                now=world.now + timedelta(hours=hours),
            )

    assert revoked.revoked_at == world.now + timedelta(hours=1)


def test_there_is_no_device_for_a_store_that_is_none(world: World):
    with transaction(), pytest.raises(NotFound):
        chain.create_device(
            store_id=new_id(), name="Till", staff_id=new_id(), role="admin", now=world.now
        )
    with transaction(), pytest.raises(NotFound):
        chain.revoke_device(device_id=new_id(), staff_id=new_id(), role="admin", now=world.now)
