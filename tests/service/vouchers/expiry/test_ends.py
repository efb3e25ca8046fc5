from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from chain.models import Store
from kernel import clock
from kernel.db import db
from kernel.due import is_due
from kernel.transaction import transaction
from ledger.models import Entry
from redemption.errors import InsufficientCups
from tests.service.vouchers.conftest import booked
from vouchers import jobs
from vouchers.models import Wallet

LAST_ON = date(2026, 6, 30)


def lapses():
    with transaction():
        return db.session.scalars(select(Entry).where(Entry.kind == "lapse")).all()


def move(store_id, time_zone):
    with transaction():
        db.session.execute(update(Store).where(Store.id == store_id).values(time_zone=time_zone))


def test_whoever_lost_cups_is_told_once_how_many_and_when(ends, alice):
    ends.add_lot(alice, "lapse", LAST_ON)
    ends.add_lot(alice, "lapse", LAST_ON)
    ends.work(2026, 7, 1, 0)
    assert ends.told(alice) == [
        (
            "lot.lapsed",
            {
                "offer": "eleven",
                "cups": {"count": 22, "unit": "cup"},
                "ended_on": "2026-06-30",
            },
        )
    ]
    assert booked(alice, "lapse") == [("2131", "4113", 476, 11)] * 2


def test_cups_can_be_collected_until_the_last_second_of_their_last_day(ends, alice):
    ends.add_lot(alice, "lapse", LAST_ON)
    ends.work(2026, 6, 30, 23, 59, 59)
    assert lapses() == []
    till = ends.world.add_till("A")
    assert ends.world.take(till, alice, now=clock.now()).left == 10
    ends.work(2026, 7, 1, 0)
    assert booked(alice, "lapse") == [("2131", "4113", 433, 10)]
    with pytest.raises(InsufficientCups):
        ends.world.take(till, alice, now=clock.now())


def test_after_its_end_a_cup_costs_the_difference_and_is_told_so_once(ends, alice):
    lot_id = ends.add_lot(alice, "top_up", LAST_ON)
    ends.work(2026, 7, 1, 0)
    ends.work(2026, 7, 2, 0)
    assert [notice for notice, _ in ends.told(alice)] == ["lot.top_up"]
    assert (ends.lot(lot_id).is_open, ends.lot(lot_id).due_at) == (True, None)
    assert lapses() == []


def test_what_never_ends_is_left_alone(ends, alice):
    lot_id = ends.world.add_lot(alice, "eleven")
    ends.work(2036, 1, 1)
    assert ends.lot(lot_id).is_open
    assert ends.told(alice) == []


@pytest.mark.parametrize("mode", ["lapse", "top_up", "refund"])
def test_frozen_cups_wait_with_their_end_and_nobody_is_called_for_them(ends, alice, mode):
    lot_id = ends.add_lot(alice, mode, LAST_ON, frozen_at=clock.now())
    ends.work(2026, 7, 2)
    assert ends.lot(lot_id).is_open
    assert ends.told(alice) == []
    with transaction():
        assert not is_due(jobs.EXPIRY, clock.now())


def test_what_is_unfrozen_after_its_end_ends(ends, alice):
    lot_id = ends.add_lot(alice, "lapse", LAST_ON, frozen_at=clock.now())
    ends.work(2026, 7, 2)
    ends.change(lot_id, frozen_at=None)
    ends.work(2026, 7, 3)
    (entry,) = lapses()
    assert entry.occurred_on == date(2026, 7, 1)  # the midnight after the last day


def test_all_that_is_due_in_a_wallet_is_done_whatever_it_is(ends, alice):
    ends.add_lot(alice, "lapse", LAST_ON)
    ends.add_lot(alice, "top_up", LAST_ON)
    ends.add_lot(alice, "lapse", LAST_ON + timedelta(days=3))
    ends.work(2026, 7, 1, 12)
    assert sorted(notice for notice, _ in ends.told(alice)) == [
        "lot.ending",
        "lot.lapsed",
        "lot.top_up",
    ]
    with transaction():
        assert not is_due(jobs.EXPIRY, clock.now())
        assert db.session.get_one(Wallet, alice).version == 1


def test_an_end_is_the_midnight_of_the_store_that_sold(ends, alice):
    """A chain with a store elsewhere, beyond a change of clocks."""
    move(ends.world.stores["B"], "America/New_York")
    here = ends.add_lot(alice, "lapse", date(2026, 3, 8))
    there = ends.add_lot(alice, "lapse", date(2026, 3, 8), store="B", time_zone="America/New_York")
    assert ends.lot(there).ends_at == datetime(2026, 3, 9, 4, tzinfo=UTC)  # summer time by then
    ends.work(2026, 3, 9, 0)
    assert [entry.source_id for entry in lapses()] == [here]
    ends.work(2026, 3, 9, 11, 59)
    assert len(lapses()) == 1
    ends.work(2026, 3, 9, 12)
    assert {(entry.source_id, entry.occurred_on) for entry in lapses()} == {
        (here, date(2026, 3, 9)),
        (there, date(2026, 3, 9)),
    }


def test_an_end_is_announced_in_the_morning_of_the_store_that_sold(ends, alice):
    move(ends.world.stores["B"], "Europe/London")
    ends.add_lot(alice, "lapse", date(2026, 3, 30), store="B", time_zone="Europe/London")
    ends.work(2026, 3, 29, 16, 59)
    before = len(ends.told(alice))
    ends.work(2026, 3, 29, 17)  # ten in London, on the day its clocks went forward
    assert clock.now().astimezone(ZoneInfo("Europe/London")).hour == 10
    assert len(ends.told(alice)) == before + 1
