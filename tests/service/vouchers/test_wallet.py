from flask import Flask

from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from tests.together import together
from tests.world import World
from vouchers import change_wallet
from vouchers.models import Wallet


def test_every_change_counts_the_version_up(world: World) -> None:
    member_id = world.add_member()
    for expected in (1, 2, 3):
        with transaction():
            assert change_wallet(member_id).version == expected


def test_a_wallet_that_is_not_there_is_made(world: World) -> None:
    del world
    member_id = new_id()
    with transaction():
        assert change_wallet(member_id).member_id == member_id


def test_the_version_is_read_anew_even_when_the_wallet_was_read_before(world: World) -> None:
    member_id = world.add_member()
    with transaction():
        db.session.get_one(Wallet, member_id)
        assert change_wallet(member_id).version == 1
        assert change_wallet(member_id).version == 2


def test_racing_changes_come_one_after_the_other(app: Flask, world: World) -> None:
    member_id = world.add_member()
    versions = together(app, [lambda: change_wallet(member_id).version] * 12)
    assert sorted(map(int, map(str, versions))) == list(range(1, 13))
