"""Gifts crossing in both directions, while both collect: no cup is lost, and nobody waits."""

from functools import partial

import pytest
from sqlalchemy import func, select

import vouchers
from kernel.db import db
from kernel.transaction import transaction
from redemption.models import Redemption
from redemption.service.redeem import redeem
from tests.service.redemption.races.rush import committed, rush
from vouchers import gift_token
from vouchers.models import Gift, Lot

pytestmark = pytest.mark.usefixtures("hesitant")

OPEN, MORE, SCANS = 3, 3, 2
ROUNDS = 2
"""In one the works come as they are listed, in the other from behind."""
MANY = 5
"""So many cups a scan that there may be too few for the second one."""
CUPS = 22
_REFUSALS = {"insufficient-cups", "gift-claimed", "gift-ended", "offer-not-named"}


def race(app, friends, world, round_, *, cups=1):
    """Each has given the other three cups; now both claim and take back those, give and collect."""
    both = (friends.alice, friends.bob)
    given = {giver: [friends.give(1, by=giver) for _ in range(OPEN)] for giver in both}
    till, works = world.add_till("A"), []
    for giver, other in (both, both[::-1]):
        works += [("claim", claiming(friends, gift_id, other)) for gift_id in given[giver]]
        works += [("withdraw", withdrawing(friends, gift_id, giver)) for gift_id in given[giver]]
        works += [("give", giving(friends, world, giver))] * MORE
        works += [("scan", collecting(friends, world, till, giver, cups)) for _ in range(SCANS)]
    return rush(app, works[::-1] if round_ % 2 else works)


def claiming(friends, gift_id, member_id):
    token = gift_token.make(gift_id)
    return committed(partial(vouchers.claim, member_id=member_id, token=token, now=friends.now))


def withdrawing(friends, gift_id, giver_id):
    return committed(
        partial(vouchers.withdraw, giver_id=giver_id, gift_id=gift_id, now=friends.now)
    )


def giving(friends, world, giver_id):
    offer_id, _ = world.offers["eleven"]
    return committed(
        partial(vouchers.give, giver_id=giver_id, offer_id=offer_id, cups=1, now=friends.now)
    )


def collecting(friends, world, till, member_id, cups):
    scan = world.scan(till, world.code(world.add_credential(member_id)), cups)
    return partial(redeem, scan=scan, now=friends.now)


def cups_there_are():
    """In wallets, on their way, and drunk."""
    with transaction():
        held = db.session.scalar(select(func.sum(Lot.units - Lot.used)))
        under_way = db.session.scalar(select(func.sum(Gift.cups)).where(Gift.status == "open"))
        drunk = db.session.scalar(select(func.sum(Redemption.cups)))
        return int(held or 0) + int(under_way or 0) + int(drunk or 0)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_every_cup_is_somewhere(app, friends, world, round_):
    world.add_lot(friends.bob, "eleven")
    ends = race(app, friends, world, round_)
    assert {end for _, end in ends} <= {"done", *_REFUSALS}
    assert ends["claim", "done"] + ends["withdraw", "done"] == 2 * OPEN
    assert ends["give", "done"] == 2 * MORE
    assert ends["scan", "done"] == 2 * SCANS
    assert cups_there_are() == CUPS


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_too_few_cups_for_all_of_them_make_refusals_and_nothing_else(app, friends, world, round_):
    world.add_lot(friends.bob, "eleven")
    assert is_sound(race(app, friends, world, round_, cups=MANY))
    assert cups_there_are() == CUPS


def is_sound(ends):
    """Nobody met anything but a refusal."""
    return {end for _, end in ends} <= {"done", *_REFUSALS}


@pytest.mark.breaks_books
@pytest.mark.usefixtures("unversioned")
def test_without_the_version_check_tills_meet_what_they_must_not(app, friends, world):
    def is_as_it_should(races: int) -> bool:
        for member_id in (friends.alice, friends.bob):
            world.add_lot(member_id, "eleven")
        ends = race(app, friends, world, races, cups=MANY)
        return is_sound(ends) and cups_there_are() == friends_had + CUPS * races

    friends_had = cups_there_are()
    assert not all(is_as_it_should(races) for races in range(1, 10 * ROUNDS))


@pytest.mark.breaks_books
@pytest.mark.usefixtures("unlocked")
def test_without_the_lock_cups_are_lost_or_doubled(app, friends, world):
    def are_all_there(races: int) -> bool:
        for member_id in (friends.alice, friends.bob):
            world.add_lot(member_id, "eleven")
        race(app, friends, world, races)
        return cups_there_are() == friends_had + CUPS * races

    friends_had = cups_there_are()
    assert not all(are_all_there(races) for races in range(1, 10 * ROUNDS))
