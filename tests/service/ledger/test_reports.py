"""What finance reads agrees with the worked examples, to the dollar."""

from datetime import date, timedelta
from uuid import UUID

import pytest

import ledger
import redemption
from kernel.transaction import transaction
from ledger.errors import PeriodInvalid
from ledger.month import Month
from ledger.reports import Movement, Owed

JANUARY = Month(date(2026, 1, 1))
FEBRUARY = Month(date(2026, 2, 1))


@pytest.fixture
def traded(world):
    """E2 with the pack of 500: sold at A, 3 cups there, 2 at B in January, 1 at C in February."""
    alice = world.add_member()
    world.add_lot(alice, "eleven", store="A")
    tills = {store: world.add_till(store) for store in "ABC"}
    world.take(tills["A"], alice, 3)
    world.take(tills["B"], alice, 2)
    world.take(tills["C"], alice, 1, now=world.now + timedelta(days=20))
    return tills


def test_the_roll_forward_opens_where_the_last_one_closed(world, traded):
    offer_id = world.offers["eleven"][0]
    where = (world.stores["A"], offer_id, "2131", "TWD")
    assert ledger.roll_forward(JANUARY) == [
        Movement(*where, 0, 476, 216, 0, 0, 260, 0, 11, 5, 0, 0, 6)
    ]
    assert ledger.roll_forward(FEBRUARY) == [
        Movement(*where, 260, 0, 44, 0, 0, 216, 6, 0, 1, 0, 0, 5)
    ]


def test_the_settlement_names_who_owes_whom_by_month(world, traded):
    a, b, c = (world.stores[store] for store in "ABC")
    assert ledger.settlement(JANUARY) == [Owed(a, b, "TWD", 2, 86)]
    assert ledger.settlement(FEBRUARY) == [Owed(a, c, "TWD", 1, 44)]


def test_a_void_stands_in_a_column_of_its_own_and_takes_the_debt_back(world):
    alice, till = world.add_member(), world.add_till("B")
    world.add_lot(alice, "eleven", store="A")
    taken = world.take(till, alice, 2)
    with transaction():
        redemption.void(
            redemption_id=UUID(taken.id),
            store_id=till.store_id,
            staff_id=till.staff_id,
            role="clerk",
            now=world.now,
        )
    (row,) = ledger.roll_forward(JANUARY)
    assert (row.sold, row.redeemed, row.voided, row.closing) == (476, 87, 87, 476)
    assert [owed.amount for owed in ledger.settlement(JANUARY)] == [0]


@pytest.mark.parametrize(
    "period",
    ["", "2026", "2026-13", "2026-1", "2026-02", "26-01", "２０２６-01", "2026-01-01"],
)
def test_what_is_no_month_or_has_not_begun_is_refused(period):
    with pytest.raises(PeriodInvalid):
        Month.parse(period, today_on=date(2026, 1, 14))


def test_the_present_month_is_a_period():
    assert Month.parse("2026-01", today_on=date(2026, 1, 14)) == JANUARY
