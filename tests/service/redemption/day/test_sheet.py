"""A store's day sheet: all of it, on the right business day, and the same as in the books."""

from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

import redemption
from kernel.db import db
from kernel.errors import Refusal
from kernel.transaction import snapshot, transaction
from ledger import policy
from ledger.models import Line
from ledger.month import Month
from ledger.reports import settlement_matrix
from redemption.day import day_sheet
from redemption.errors import InsufficientCups
from tests.service.redemption.tills import undo

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


def test_the_number_of_statements_does_not_grow_with_the_day(world, alice):
    till = world.add_till("B")
    few = _statements(world)
    for minute in range(6):
        world.take(till, alice, 1, now=at(9, minute))
    assert _statements(world) == few == 7


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


MOVES = st.lists(
    st.tuples(st.sampled_from("ABC"), st.integers(1, 3), st.integers(0, 72), st.integers(0, 2)),
    min_size=1,
    max_size=8,
)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(moves=MOVES)
def test_day_sheets_settlement_and_books_say_the_same(world, moves):
    """For any redemptions and voids of any part: what stores made for others, and earned by it."""
    member = world.add_member()
    for store in "AB":
        world.add_lot(member, "eleven", store=store, sold_at=at(8))
    for store, cups, hours, undone in moves:
        till = world.add_till(store, role="manager")
        when = at(9) + timedelta(hours=hours)
        try:
            redeemed = world.take(till, member, cups, now=when)
        except Refusal:
            continue
        if undone:
            with transaction():
                redemption.void(
                    redemption_id=UUID(redeemed.id),
                    store_id=till.store_id,
                    staff_id=till.staff_id,
                    role="manager",
                    items={world.products["latte"]: min(undone, cups)},
                    now=when,
                )
    sheets = _sheets(world)
    assert sheets == _books()
    assert {key: made for key, made in sheets.items() if key[0] != key[1]} == _settlement()


def _sheets(world):
    """Cups and their value by (selling store, making store), from all day sheets."""
    made = {}
    for store in "ABC":
        for day in range(14, 19):
            for one in sheet(world, store, on=date(2026, 1, day)).by_seller:
                _add(made, (one.of, world.stores[store]), one.cups_kept, one.amount)
    return _moved(made)


def _books():
    """The same from every line of revenue from cups."""
    made = {}
    with transaction():
        for line in db.session.scalars(select(Line)):
            key = (line.counterpart_store_id or line.store_id, line.store_id)
            if line.credit == policy.CUPS:
                _add(made, key, line.qty, line.amount)
            if line.debit == policy.CUPS:
                _add(made, key, -line.qty, -line.amount)
    return _moved(made)


def _settlement():
    """The same from what stores owe one another."""
    with snapshot():
        return {
            (owed.sold_at_id, owed.made_at_id): (owed.cups, owed.amount)
            for owed in settlement_matrix(Month.of(TODAY))
            if owed.cups or owed.amount
        }


def _add(made, key, cups, amount):
    before = made.get(key, (0, 0))
    made[key] = (before[0] + cups, before[1] + amount)


def _moved(made):
    return {key: moved for key, moved in made.items() if moved != (0, 0)}
