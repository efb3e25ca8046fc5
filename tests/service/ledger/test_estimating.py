"""Breakage is estimated, versioned, caught up with, and never booked twice."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

import redemption
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger import Event, policy, post
from ledger.errors import EstimateInvalid, PeriodClosed, PeriodNotOver
from ledger.models import BreakageRun, Entry
from ledger.service import estimating
from ledger.service.estimating import estimated_offers
from tests.service.ledger.plain import (
    APRIL,
    FEBRUARY,
    JANUARY,
    MARCH,
    after,
    balances,
    entries,
    noon,
    put,
)
from tests.service.ledger.test_closing import close
from tests.together import together
from tests.world import small_world
from vouchers.service.expiry import expire_some

CHIEF = new_id()
END = noon(4, 30)


@pytest.fixture
def now():
    return noon(1, 5)


@pytest.fixture
def world(app, now):
    world = small_world(now)
    world.add_offer("ending", expiry_mode="lapse", price=1000)
    return world


def estimate(world, month, method="proportional", basis_points=0, offer="ending"):
    with transaction():
        estimating.set_estimate(
            offer_id=world.offers[offer][0],
            month=month,
            method=method,
            basis_points=basis_points,
            reason="what the last years say",
            by_id=CHIEF,
            now=world.now,
        )


def run(month, *, now=None):
    with transaction():
        return [made.amount for made in estimating.run(month=month, now=now or after(month))]


def lapse(now):
    with transaction():
        expire_some(limit=500, now=now)


def sell(world, lots, **held):
    """So many lots of eleven cups at A, each to somebody else; answers who."""
    members = [world.add_member() for _ in range(lots)]
    for member_id in members:
        world.add_lot(member_id, "ending", **({"net": 952, "vat": 48, "ends_at": END} | held))
    return members


def collect(world, till, members, *, at):
    for member_id in members:
        world.take(till, member_id, 11, now=at)


def owed(world, month):
    """What A owes its shoppers at the end of a month: gross, and net of breakage."""
    held = balances(world.stores["A"], until=month.last_on)
    gross, contra = -held.get("2131", 0), held.get("2138", 0)
    return gross, gross - contra


def close_for_good(month):
    """Close a month, and answer what breakage that booked."""
    before = len(entries("breakage"))
    close(month)
    return [amount for *_, amount in entries("breakage")[before:]] or [0]


@pytest.mark.parametrize("end_month", [run, close_for_good])
def test_example_4_to_the_dollar(world, end_month):
    till, members = world.add_till("A"), sell(world, 100)
    estimate(world, JANUARY, basis_points=1_000)
    estimate(world, FEBRUARY, basis_points=800)
    collect(world, till, members[:40], at=noon(1, 20))
    assert (end_month(JANUARY), owed(world, JANUARY)) == ([4_231], (57_120, 52_889))
    collect(world, till, members[40:64], at=noon(2, 20))
    assert (end_month(FEBRUARY), owed(world, FEBRUARY)) == ([1_067], (34_272, 28_974))
    collect(world, till, members[64:92], at=noon(3, 20))
    assert (end_month(MARCH), owed(world, MARCH)) == ([2_318], (7_616, 0))
    lapse(after(APRIL))
    assert (end_month(APRIL), owed(world, APRIL)) == ([0], (0, 0))
    assert balances(world.stores["A"]) == {
        "1111": 100_000,
        "2194": -4_800,
        "4111": -87_584,
        "4113": -7_616,
    }


def test_each_run_says_from_which_figures(world):
    till, members = world.add_till("A"), sell(world, 100)
    estimate(world, JANUARY, basis_points=1_000)
    collect(world, till, members[:40], at=noon(1, 20))
    run(JANUARY)
    with transaction():
        (made,) = estimating.list_runs(JANUARY)
        entry = db.session.scalars(select(Entry).where(Entry.kind == "breakage")).one()
    figures = (made.sold, made.cups_sold, made.redeemed, made.cups_redeemed, made.recognised)
    assert figures == (95_200, 1_100, 38_080, 440, 4_231)
    assert (made.account, made.run, made.estimate_version) == ("2131", 1, 1)
    assert (made.entry_id, entry.member_id.int) == (entry.id, 0)
    assert entries("breakage") == [("2026-01-31", "2026-01-31", "2138", "4113", 4_231)]


def test_a_second_run_books_nothing_more(world):
    till, members = world.add_till("A"), sell(world, 10)
    estimate(world, JANUARY, basis_points=1_000)
    collect(world, till, members[:5], at=noon(1, 20))
    run(JANUARY)
    assert run(JANUARY) == []
    assert len(entries("breakage")) == 1


def test_two_runs_at_once_book_once(world, app):
    till, members = world.add_till("A"), sell(world, 10)
    estimate(world, JANUARY, basis_points=1_000)
    collect(world, till, members[:5], at=noon(1, 20))
    together(app, [lambda: estimating.run(month=JANUARY, now=after(JANUARY))] * 4)
    assert len(entries("breakage")) == 1


def test_a_run_after_more_was_collected_books_the_difference_as_another_run(world):
    till, members = world.add_till("A"), sell(world, 10)
    estimate(world, JANUARY, basis_points=1_000)
    collect(world, till, members[:5], at=noon(1, 20))
    first = run(JANUARY)
    collect(world, till, members[5:7], at=noon(1, 25))
    second = run(JANUARY)
    assert (first, second) == ([529], [211])  # 9,520 × 77/99 = 7,404, of which 6,664 collected
    with transaction():
        assert [made.run for made in estimating.list_runs(JANUARY)] == [1, 2]
        sources = set(db.session.scalars(select(Entry.source_id).where(Entry.kind == "breakage")))
    assert len(sources) == 2


def test_a_changed_estimate_is_caught_up_with_for_all_that_was_sold(world):
    till, members = world.add_till("A"), sell(world, 10)
    estimate(world, JANUARY, basis_points=1_000)
    collect(world, till, members[:5], at=noon(1, 20))
    run(JANUARY)
    estimate(world, FEBRUARY, basis_points=2_000)
    estimate(world, FEBRUARY, basis_points=0)
    assert run(FEBRUARY) == [-529]
    assert entries("breakage")[1:] == [("2026-02-28", "2026-02-28", "4113", "2138", 529)]


def test_remote_recognises_all_that_is_left_and_takes_back_what_comes_all_the_same(world):
    till, members = world.add_till("A"), sell(world, 2)
    estimate(world, JANUARY, method="remote")
    assert (run(JANUARY), owed(world, JANUARY)) == ([1_904], (1_904, 0))
    collect(world, till, members[:1], at=noon(2, 20))
    assert (run(FEBRUARY), owed(world, FEBRUARY)) == ([-952], (952, 0))


def test_off_takes_back_what_was_estimated_but_not_what_has_lapsed(world):
    sell(world, 1, ends_at=noon(2, 10))
    sell(world, 1)
    estimate(world, JANUARY, method="remote")
    run(JANUARY)
    lapse(noon(2, 11))
    estimate(world, MARCH, method="off")
    assert (run(FEBRUARY), owed(world, FEBRUARY)) == ([0], (952, 0))
    assert (run(MARCH), owed(world, MARCH)) == ([-952], (952, 952))


def test_what_lapsed_before_there_was_an_estimate_is_not_recognised_again(world):
    till, members = world.add_till("A"), sell(world, 8)
    sell(world, 2, ends_at=noon(1, 20))
    lapse(noon(1, 21))
    estimate(world, FEBRUARY, basis_points=1_000)
    collect(world, till, members[:4], at=noon(2, 20))
    assert run(FEBRUARY) == [0]  # two of ten have lapsed, which is more than the estimate says
    held = balances(world.stores["A"])
    assert (held["4113"], held.get("2138")) == (-1_904, None)


def test_more_lapses_than_were_estimated_and_the_rest_is_caught_up_with(world):
    till, members = world.add_till("A"), sell(world, 5)
    sell(world, 5, ends_at=noon(1, 20))
    estimate(world, JANUARY, basis_points=1_000)
    collect(world, till, members, at=noon(1, 10))
    run(JANUARY, now=after(JANUARY))
    lapse(after(JANUARY))
    assert run(JANUARY) == [4_760 - 529]
    held = balances(world.stores["A"])
    assert (held.get("2131"), held.get("2138"), held["4113"]) == (None, None, -4_760)


def test_each_store_has_a_pool_of_its_own(world):
    till, members = world.add_till("A"), sell(world, 10)
    sell(world, 1, store="B")
    estimate(world, JANUARY, basis_points=1_000)
    collect(world, till, members[:5], at=noon(1, 20))
    assert sorted(run(JANUARY)) == [0, 529]


def test_what_was_voided_was_not_collected(world):
    till, members = world.add_till("A"), sell(world, 10)
    estimate(world, JANUARY, basis_points=1_000)
    collect(world, till, members[:5], at=noon(1, 20))
    taken = world.take(till, members[5], 11, now=noon(1, 20))
    with transaction():
        redemption.void(
            redemption_id=UUID(taken.id),
            store_id=till.store_id,
            staff_id=till.staff_id,
            role="clerk",
            now=noon(1, 20),
        )
    assert run(JANUARY) == [529]


def test_cups_on_their_way_to_somebody_else_stay_in_the_pool(world):
    till, members = world.add_till("A"), sell(world, 10)
    estimate(world, JANUARY, basis_points=1_000)
    collect(world, till, members[:5], at=noon(1, 20))
    gift = policy.give(
        store_id=till.store_id,
        account="2131",
        amount=952,
        cups=11,
        offer_id=world.offers["ending"][0],
        lot_id=new_id(),
    )
    with transaction():
        post(Event(members[6], "gift", new_id(), gift, noon(1, 21), date(2026, 1, 21), "TWD"))
    assert run(JANUARY) == [529]


def test_an_offer_without_an_estimate_is_left_alone(world):
    sell(world, 3)
    assert run(JANUARY) == []
    lapse(END + timedelta(days=1))
    assert [row[2:4] for row in entries("lapse")] == [("2131", "4113")] * 3


def test_a_lapse_clears_the_contra_only_in_months_with_an_estimate(world):
    sell(world, 1, ends_at=noon(1, 31))
    sell(world, 1, ends_at=noon(2, 1))
    estimate(world, FEBRUARY, method="remote")
    lapse(noon(2, 2))
    assert [row[2:4] for row in sorted(entries("lapse"))] == [("2131", "4113"), ("2131", "2138")]


def test_the_estimate_in_force_is_the_latest_version_of_the_latest_month(world):
    estimate(world, JANUARY, method="remote")
    estimate(world, MARCH, method="remote")
    estimate(world, MARCH, method="off")
    offer_id = world.offers["ending"][0]
    with transaction():
        assert [
            offer_id in estimated_offers(month.first_on)
            for month in (JANUARY.before(), JANUARY, FEBRUARY, MARCH, APRIL)
        ] == [False, True, True, False, False]


def test_versions_count_up_whoever_is_at_it(world, app):
    def set_one():
        return estimating.set_estimate(
            offer_id=world.offers["ending"][0],
            month=JANUARY,
            method="remote",
            basis_points=0,
            reason="racing",
            by_id=CHIEF,
            now=world.now,
        )

    made = together(app, [set_one] * 4)
    assert sorted(one.version for one in made) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("method", "basis_points"), [("off", 1), ("remote", 100), ("proportional", 10_000)]
)
def test_a_rate_that_does_not_belong_there_is_refused(world, method, basis_points):
    with pytest.raises(EstimateInvalid):
        estimate(world, JANUARY, method, basis_points)


def test_a_closed_month_takes_no_estimate_and_no_run(world):
    put(JANUARY, "closed")
    with pytest.raises(PeriodClosed):
        estimate(world, JANUARY, "remote")
    with pytest.raises(PeriodClosed):
        run(JANUARY)


def test_a_soft_month_takes_both(world):
    sell(world, 1)
    put(JANUARY, "soft")
    estimate(world, JANUARY, "remote")
    assert run(JANUARY) == [952]
    assert entries("breakage") == [("2026-01-31", "2026-01-31", "2138", "4113", 952)]


def test_a_month_that_is_not_over_is_not_run(world):
    with pytest.raises(PeriodNotOver):
        run(JANUARY, now=after(JANUARY) - timedelta(seconds=2))
    with transaction():
        assert db.session.scalar(select(BreakageRun)) is None
