"""Many tills at once: nothing lost, nothing doubled, and it is the version check that does it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from kernel.db import db
from kernel.errors import Refusal
from ledger.models import Line
from redemption import statements
from redemption.models import Redemption
from redemption.service.redeem import redeem
from vouchers.models import Lot

AT_ONCE = 16
RACES = 5
"""Without its guard one race may end well by chance, so many do not."""


def race(world, scans):
    """Send all scans, sixteen at any moment; answer how often each outcome came."""
    start = Barrier(AT_ONCE)

    def one(number_and_scan):
        number, scan = number_and_scan
        if number < AT_ONCE:
            start.wait(timeout=10)
        try:
            return "handed over" if not redeem(scan=scan, now=world.now).is_replayed else "again"
        except Refusal as refusal:
            return refusal.code
        except Exception as problem:  # noqa: BLE001  a racer must report whatever happened
            return type(problem).__name__

    with ThreadPoolExecutor(AT_ONCE) as tills:
        return Counter(tills.map(one, enumerate(scans)))


def own_codes(world, member_id, *, racers, cups=1):
    at = [world.add_till("A") for _ in range(4)]
    return [
        world.scan(at[number % 4], world.code(world.add_credential(member_id)), cups)
        for number in range(racers)
    ]


def books():
    recognised = db.session.scalar(
        select(func.sum(Line.amount)).where(Line.debit == "2131", Line.credit == "4111")
    )
    handed = db.session.scalar(select(func.sum(Redemption.cups)))
    lot = db.session.scalars(select(Lot)).one()
    db.session.rollback()
    return int(recognised or 0), int(handed or 0), lot


def unguarded(monkeypatch):
    """Take the version check out, as a careless change would."""
    without = statements.WRITE.replace("AND version = %(version)s", "")
    assert without != statements.WRITE
    monkeypatch.setattr(statements, "WRITE", without)


def test_two_hundred_racers_for_one_cup_make_one_redemption(world):
    alice = world.add_member()
    world.add_lot(alice, "eleven", units=1, net=43)
    outcomes = race(world, own_codes(world, alice, racers=200))
    assert outcomes == {"handed over": 1, "insufficient-cups": 199}
    assert books()[:2] == (43, 1)


def test_without_the_version_check_that_race_is_no_longer_clean(world, monkeypatch):
    unguarded(monkeypatch)

    def is_clean() -> bool:
        bob = world.add_member()
        world.add_lot(bob, "eleven", units=1, net=43)
        outcomes = race(world, own_codes(world, bob, racers=200))
        return outcomes == {"handed over": 1, "insufficient-cups": 199}

    assert not all(is_clean() for _ in range(RACES))


def test_forty_clerks_on_ten_cups_hand_over_ten_with_all_their_money(world):
    alice = world.add_member()
    world.add_lot(alice, "eleven", units=10, net=475)
    outcomes = race(world, own_codes(world, alice, racers=40))
    assert outcomes == {"handed over": 10, "insufficient-cups": 30}
    recognised, handed, lot = books()
    assert (recognised, handed, lot.used, lot.net_recognised) == (475, 10, 10, 475)


@pytest.mark.breaks_books
def test_without_the_version_check_those_clerks_meet_what_they_must_not(world, monkeypatch):
    unguarded(monkeypatch)

    def is_clean() -> bool:
        bob = world.add_member()
        world.add_lot(bob, "eleven", units=10, net=475)
        outcomes = race(world, own_codes(world, bob, racers=40))
        return outcomes == {"handed over": 10, "insufficient-cups": 30}

    assert not all(is_clean() for _ in range(RACES))


def test_without_the_version_check_a_daily_limit_is_overrun(world, monkeypatch):
    """The limit of three that was redeemed five times: no constraint of a row can hold it."""
    unguarded(monkeypatch)
    alice = world.add_member()
    world.add_offer("club", cups_per_day=3)
    world.add_lot(alice, "club", units=1000, net=9000)
    overrun = 0
    for _ in range(20):
        race(world, own_codes(world, alice, racers=16))
        overrun = books()[1]
        if overrun > 3:
            break
    assert overrun > 3


def test_a_daily_limit_holds_against_sixteen_tills(world):
    alice = world.add_member()
    world.add_offer("club", cups_per_day=3)
    world.add_lot(alice, "club", units=1000, net=9000)
    outcomes = race(world, own_codes(world, alice, racers=64))
    assert outcomes == {"handed over": 3, "limit-reached": 61}


def test_one_code_at_sixteen_tills_is_good_once(world):
    alice = world.add_member()
    world.add_lot(alice, "eleven")
    code = world.code(world.add_credential(alice))
    outcomes = race(world, [world.scan(world.add_till("A"), code) for _ in range(AT_ONCE)])
    assert outcomes == {"handed over": 1, "token-used": AT_ONCE - 1}


def test_one_key_sent_sixteen_times_at_once_is_one_redemption(world):
    alice = world.add_member()
    world.add_lot(alice, "eleven")
    scan = world.scan(world.add_till("A"), world.code(world.add_credential(alice)))
    outcomes = race(world, [scan] * AT_ONCE)
    assert outcomes == {"handed over": 1, "again": AT_ONCE - 1}


def test_one_key_for_two_wallets_serves_one_and_refuses_the_other(world):
    till, key = world.add_till("A"), "k" * 20
    scans_of_both = []
    for _ in range(2):
        member_id = world.add_member()
        world.add_lot(member_id, "eleven")
        code = world.code(world.add_credential(member_id))
        scans_of_both += [world.scan(till, code, key=key)] * (AT_ONCE // 2)
    outcomes = race(world, scans_of_both)
    assert outcomes["handed over"] == 1
    assert set(outcomes) == {"handed over", "again", "idempotency-key-reused"}


@pytest.mark.parametrize("cups", [1, 2])
def test_many_wallets_at_many_tills_all_add_up(world, cups):
    members = [world.add_member() for _ in range(8)]
    for member_id in members:
        world.add_lot(member_id, "eleven")
    wanted = [scan for member in members for scan in own_codes(world, member, racers=5, cups=cups)]
    outcomes = race(world, wanted)
    assert outcomes == {"handed over": 40}
