"""A store's day sheet: all of it, on the right business day, and the same as in the books."""

from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

import redemption
from chain.models import Store, WrongCode
from kernel.db import db
from kernel.errors import Refusal
from kernel.transaction import snapshot, transaction
from redemption.day import day_sheet
from redemption.errors import InsufficientCups, TokenExpired
from redemption.offline import resolve
from tests.service.redemption.offline.field import Branch, bring, fill
from tests.service.redemption.tills import change, undo

pytestmark = pytest.mark.usefixtures("books_hold")

TAIPEI = ZoneInfo("Asia/Taipei")
TODAY = date(2026, 1, 14)


def at(hour, minute=0, day=14):
    return datetime(2026, 1, day, hour, minute, tzinfo=TAIPEI)


def sheet(world, store, on=TODAY):
    with snapshot():
        return day_sheet(store_id=world.stores[store], on=on)


@pytest.fixture
def alice(world):
    alice = world.add_member()
    world.add_lot(alice, "eleven", store="A")
    return alice


def named(world, sums):
    codes = {one: code for kind in (world.stores, world.products) for code, one in kind.items()}
    return {codes.get(one.of, one.of): (one.cups, one.cups_voided, one.amount) for one in sums}


def test_cups_stand_by_drink_hour_clerk_and_selling_store(world, alice):
    till = world.add_till("B")
    world.take(till, alice, 2, now=at(9, 59))
    world.take(till, alice, 1, now=at(10))
    told = sheet(world, "B")
    assert (told.cups, told.cups_voided, told.cups_offline) == (3, 0, 0)
    assert named(world, told.by_product) == {"latte": (3, 0, 130)}
    assert named(world, told.by_hour) == {9: (2, 0, 87), 10: (1, 0, 43)}
    assert named(world, told.by_clerk) == {till.staff_id: (3, 0, 130)}
    assert named(world, told.by_seller) == {"A": (3, 0, 130)}
    assert sheet(world, "A").cups == 0


def test_the_night_belongs_to_the_business_day_before(world, alice):
    till = world.add_till("B")
    world.take(till, alice, 1, now=at(3, 59, day=15))
    world.take(till, alice, 1, now=at(4, 0, day=15))
    assert sheet(world, "B").cups == 1
    assert sheet(world, "B", on=date(2026, 1, 15)).cups == 1


def test_hours_stand_in_the_order_of_the_business_day(world, alice):
    till = world.add_till("B")
    for moment in (at(1, 30, day=15), at(23), at(9), at(0, 5, day=15)):
        world.take(till, alice, 1, now=moment)
    assert list(named(world, sheet(world, "B").by_hour)) == [9, 23, 0, 1]


def test_a_store_elsewhere_has_days_and_hours_of_its_own(world, alice):
    """Honolulu is a calendar day behind Taipei, and this store's day ends at half past two."""
    till = world.add_till("B")
    change(Store, till.store_id, time_zone="Pacific/Honolulu", day_ends_at=time(2, 30))
    honolulu = ZoneInfo("Pacific/Honolulu")
    for minute in (29, 30):
        world.take(till, alice, 1, now=datetime(2026, 1, 14, 2, minute, tzinfo=honolulu))
    assert named(world, sheet(world, "B", on=date(2026, 1, 13)).by_hour) == {2: (1, 0, 43)}
    assert named(world, sheet(world, "B").by_hour) == {2: (1, 0, 44)}


def test_an_undone_cup_stands_as_undone_and_the_void_on_its_own_day(world, alice):
    till = world.add_till("B", role="manager")
    redeemed = world.take(till, alice, 3, now=at(23))
    with transaction():
        redemption.void(
            redemption_id=UUID(redeemed.id),
            store_id=till.store_id,
            staff_id=till.staff_id,
            role="manager",
            items={world.products["latte"]: 1},
            reason="spilt",
            now=at(9, day=15),
        )
    told, next_one = sheet(world, "B"), sheet(world, "B", on=date(2026, 1, 15))
    assert named(world, told.by_product) == {"latte": (3, 1, 87)}
    assert told.day.voids == []
    (void,) = next_one.day.voids
    assert (void.cups, void.reason, void.staff_id) == (1, "spilt", till.staff_id)
    assert [flag.rule for flag in next_one.flags] == ["late_voids"]


def test_refusals_stand_by_reason_and_clerk(world, alice):
    till = world.add_till("B")
    for _ in range(2):
        with pytest.raises(InsufficientCups):
            world.take(till, alice, 12, now=at(9))
    (no,) = sheet(world, "B").day.noes
    assert (no.reason, no.times, no.cups, no.staff_id) == (
        "insufficient-cups",
        2,
        24,
        till.staff_id,
    )


def test_a_code_that_was_over_stands_among_the_refusals(world, alice):
    till = world.add_till("B")
    code = world.code(world.add_credential(alice), at=at(9), step=-4)
    with pytest.raises(TokenExpired):
        redemption.redeem(scan=world.scan(till, code), now=at(9))
    (no,) = sheet(world, "B").day.noes
    assert (no.reason, no.times, no.cups, no.staff_id) == ("token-expired", 1, 1, till.staff_id)


def test_who_tries_their_own_wallet_is_flagged(world, alice):
    till = world.add_till("B", own=alice)
    with pytest.raises(Refusal):
        world.take(till, alice, 1, now=at(9))
    (flag,) = sheet(world, "B").flags
    assert (flag.rule, flag.times, flag.staff_id) == ("own_wallet", 1, till.staff_id)


def test_a_wallet_that_one_clerk_serves_again_and_again_is_flagged(world, alice):
    till = world.add_till("B")
    ids = [UUID(world.take(till, alice, 1, now=at(9, minute)).id) for minute in range(3)]
    (flag,) = sheet(world, "B").flags
    assert (flag.rule, flag.times, list(flag.redemption_ids)) == ("same_wallet", 3, ids)


def test_a_clerk_who_undoes_much_of_what_they_made_is_flagged(world, alice):
    till = world.add_till("B")
    for minute in range(3):
        redeemed = world.take(till, alice, 1, now=at(9, minute))
        undo(till, redeemed, now=at(9, minute))
    assert {flag.rule for flag in sheet(world, "B").flags} == {"many_voids", "same_wallet"}


def test_a_clerk_who_is_told_no_again_and_again_is_flagged(world, alice):
    till, other = world.add_till("B"), world.add_till("B")
    for minute in range(6):
        with pytest.raises(InsufficientCups):
            world.take(till, alice, 12, now=at(9, minute))
    world.take(other, alice, 1, now=at(9))
    (flag,) = sheet(world, "B").flags
    assert (flag.rule, flag.times, flag.staff_id) == ("many_refusals", 6, till.staff_id)


def test_a_few_refusals_among_many_cups_are_nothing(world, alice):
    till = world.add_till("B")
    for minute in range(5):
        with pytest.raises(InsufficientCups):
            world.take(till, alice, 12, now=at(9, minute))
    assert sheet(world, "B").flags == []


def test_a_few_voids_among_many_cups_are_nothing(world, alice):
    till = world.add_till("B")
    world.add_lot(alice, "eleven", units=60, net=2580)
    for minute in range(15):
        world.take(till, alice, 4, now=at(9, minute))
    for minute in range(3):
        undo(till, world.take(till, alice, 1, now=at(10, minute)), now=at(10, minute))
    assert {flag.rule for flag in sheet(world, "B").flags} == {"same_wallet"}


def test_codes_that_are_none_are_counted_by_business_day_and_flagged_from_twenty_an_hour(world):
    guessing, misreading = world.add_till("B").device_id, world.add_till("B").device_id
    hours = ((at(3), 7), (at(4), 19), (at(3, day=15), 20), (at(4, day=15), 5))
    with transaction():
        for hour_at, times in hours:
            db.session.add(WrongCode(device_id=guessing, hour_at=hour_at, times=times))
        db.session.add(WrongCode(device_id=misreading, hour_at=at(9), times=19))
    told = sheet(world, "B")
    assert [(one.device_id, one.most_in_an_hour, one.times) for one in told.day.guessed] == [
        (guessing, 20, 39),
        (misreading, 19, 19),
    ]
    assert [(flag.rule, flag.times, flag.device_id) for flag in told.flags] == [
        ("guessed_codes", 39, guessing)
    ]


def test_what_a_member_says_was_not_them_is_flagged(world, alice):
    till = world.add_till("B")
    redeemed = world.take(till, alice, 1, now=at(9))
    world.take(till, alice, 1, now=at(10))
    with transaction():
        redemption.disown(member_id=alice, redemption_id=UUID(redeemed.id), now=at(11))
    (flag,) = sheet(world, "B").flags
    assert (flag.rule, flag.staff_id, flag.redemption_ids) == (
        "disowned",
        till.staff_id,
        (UUID(redeemed.id),),
    )


def test_who_decides_about_cups_of_their_own_wallet_is_flagged(world):
    alice = world.add_member()
    manager, branch = world.add_till("B", role="manager", own=alice), Branch(world, "B")
    bring(world, branch.serve(fill(world, alice, cups=2), cups=2))
    with transaction():
        resolve(
            device_id=branch.till.device_id,
            number=1,
            item_hash=None,
            remedy="borne",
            note=None,
            staff_id=manager.staff_id,
            role="manager",
            now=at(14),
        )
    flags = {flag.rule: flag.staff_id for flag in sheet(world, "B").flags}
    assert flags == {"borne": None, "own_wallet": manager.staff_id}


def test_what_is_settled_anew_was_handed_over_once_and_is_nobody_s_void(world, alice):
    """Another till's log comes in later, and was first: its cups are taken, and these anew."""
    first, second = Branch(world, "A"), Branch(world, "B")
    capsule = fill(world, alice, cups=2)
    earlier, later = first.serve(capsule, 1), second.serve(capsule, 2, after=5)
    bring(world, later)
    bring(world, earlier, after=120)
    told = sheet(world, "B")
    assert (told.cups, told.cups_voided, told.cups_offline, told.cups_borne) == (1, 0, 1, 1)
    assert [flag.rule for flag in told.flags] == ["borne"]
    assert sheet(world, "A").cups == 1


def test_what_a_manager_charges_after_all_is_nobody_s_void(world):
    """Two were served, and one was taken; the member has bought more since, and both are taken."""
    alice, branch = world.add_member(), Branch(world, "B")
    manager = world.add_till("B", role="manager")
    world.add_lot(alice, "eleven", units=1, net=43)
    bring(world, branch.serve(fill(world, alice, cups=2), cups=2))
    world.add_lot(alice, "eleven", units=2, net=86, sold_at=at(13, 30))
    with transaction():
        resolve(
            device_id=branch.till.device_id,
            number=1,
            item_hash=None,
            remedy="charged",
            note=None,
            staff_id=manager.staff_id,
            role="manager",
            now=at(14),
        )
    told = sheet(world, "B")
    assert (told.cups, told.cups_voided, told.cups_borne, told.flags) == (2, 0, 0, [])
    assert [(void.staff_id, void.reason) for void in told.day.voids] == [(None, "charged")]


def test_the_number_of_statements_does_not_grow_with_the_day(world, alice):
    till = world.add_till("B")
    few = _statements(world)
    for minute in range(6):
        world.take(till, alice, 1, now=at(9, minute))
    assert _statements(world) == few == 8


def _statements(world):
    ran = []

    def ran_one(_connection, _cursor, statement, *_):
        ran.append(statement)

    event.listen(db.engine, "before_cursor_execute", ran_one)
    try:
        with snapshot():
            ran.clear()
            day_sheet(store_id=world.stores["B"], on=TODAY)
            return len(ran)
    finally:
        event.remove(db.engine, "before_cursor_execute", ran_one)
