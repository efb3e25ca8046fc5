"""A gift that cannot be ended, as a bug would leave one, stands in nobody else's way."""

from datetime import timedelta

import pytest

from kernel import clock
from kernel.db import db
from kernel.due import is_due
from kernel.transaction import transaction
from tests.service.vouchers.gifts.conftest import Friends
from vouchers import gift_jobs
from vouchers.models import Lot


def break_lot(friends: Friends) -> None:
    """Let a lot hold all its cups already, so that none can come back into it."""
    with transaction():
        lot = db.session.get_one(Lot, (friends.alice, friends.lot))
        lot.used = lot.net_recognised = lot.vat_gone = 0


@pytest.fixture
def eight_days_later(at, world):
    """Let it be a week and a day after the gifts were made."""
    world.now = clock.now()

    def eight_days_later() -> None:
        then = world.now + timedelta(days=8)
        at(then.year, then.month, then.day, 12)

    return eight_days_later


@pytest.mark.breaks_books
def test_one_bad_gift_does_not_keep_those_of_others(friends, eight_days_later):
    carol = friends.world.add_member()
    lot_id = friends.world.add_lot(carol, "eleven")
    bad, good = friends.give(), friends.give(by=carol)
    break_lot(friends)
    eight_days_later()
    gift_jobs.end_due()
    assert (friends.gift(bad).status, friends.gift(good).status) == ("open", "returned")
    assert friends.read_lot(lot_id, of=carol).used == 0


@pytest.mark.breaks_books
def test_a_bad_gift_rests_for_an_hour(friends, eight_days_later):
    bad = friends.give()
    break_lot(friends)
    eight_days_later()
    gift_jobs.end_due()
    assert timedelta(minutes=59) < friends.gift(bad).due_at - clock.now() <= timedelta(hours=1)
    with transaction():
        assert not is_due(gift_jobs.DUTY, clock.now())
