"""What the next period costs, on whose terms, and who can go on without a charge."""

from datetime import datetime, timedelta
from uuid import UUID

from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from subs import jobs
from subs.models import PlanMigration, Subscription
from tests.club import Club
from tests.fakes import DECLINED, GOOD
from tests.world import World


def renewed(club: Club, mine: UUID, *, times: int = 1) -> None:
    for _ in range(times):
        club.go_to(club.periods(mine)[-1].ends_at)
        club.renew()


def prices(club: Club, mine: UUID) -> list[int]:
    return [period.price for period in club.periods(mine)]


def test_a_plan_that_costs_nothing_renews_without_a_payment(club: Club):
    club.add_plan("free", price=0)
    mine = club.subscribe("free", price=0, card=None)

    renewed(club, mine, times=2)

    assert club.charges == 0
    assert [period.status for period in club.periods(mine)] == ["paid"] * 3
    assert club.subscription(mine).status == "active"
    assert len(club.lots()) == 3


def test_a_plan_that_costs_nothing_catches_up_at_once_after_an_outage(club: Club):
    club.add_plan("free", price=0)
    mine = club.subscribe("free", price=0, card=None)
    club.pass_time(days=70)

    club.renew()

    periods = club.periods(mine)
    assert [period.number for period in periods] == [1, 2, 3]
    assert periods[-1].ends_at > club.now


def test_the_introductory_price_is_for_the_first_periods_only(club: Club):
    club.add_plan("new", intro_price=199, intro_periods=3, first_price=199)
    mine = club.subscribe("new", price=199)

    renewed(club, mine, times=3)

    assert prices(club, mine) == [199, 199, 199, 499]
    assert [one.amount for one in club.asked()] == [199, 199, 499]


def test_who_had_no_introduction_gets_none_later(club: Club):
    club.add_plan("new", intro_price=199, intro_periods=3, first_price=199)
    mine = club.subscribe("new", price=499)

    renewed(club, mine)

    assert prices(club, mine) == [499, 499]


def test_the_end_of_a_trial_is_charged_and_the_plan_is_active(club: Club):
    club.add_plan("trial", trial_days=7, trial_cups=2, first_price=0, needs_card=True)
    mine = club.subscribe("trial", price=0)
    trial = club.periods(mine)[0]
    assert club.subscription(mine).status == "trialing"

    renewed(club, mine)

    first = club.periods(mine)[1]
    assert (first.number, first.starts_at, first.status) == (1, trial.ends_at, "paid")
    assert prices(club, mine) == [0, 499]
    assert club.causes(mine)[-1] == "trial_converted"
    assert club.subscription(mine).status == "active"


def test_a_trial_without_a_card_is_not_continued(club: Club):
    club.add_plan("trial", trial_days=7, trial_cups=2, first_price=0, trial_needs_card=False)
    mine = club.subscribe("trial", price=0, card=None)
    ends_at = club.periods(mine)[0].ends_at

    renewed(club, mine)

    over = club.subscription(mine)
    assert (over.status, over.ended_at, over.due_at) == ("lapsed", ends_at, None)
    assert club.causes(mine)[-1] == "trial_not_continued"
    assert len(club.periods(mine)) == 1
    assert club.charges == 0


def test_a_trial_whose_card_fails_is_past_due_and_recovers(club: Club):
    club.add_plan("trial", trial_days=7, trial_cups=2, first_price=0, needs_card=True)
    mine = club.subscribe("trial", price=0, card=DECLINED)

    renewed(club, mine)
    assert club.subscription(mine).status == "past_due"
    club.change_card(mine, GOOD)
    club.renew()

    assert club.subscription(mine).status == "active"
    assert club.causes(mine)[-1] == "recovered"


def test_a_change_at_the_end_is_on_the_new_terms_from_then_on(club: Club):
    to = club.add_plan("large", price=899, cups=20)
    mine = club.subscribe()
    choose(mine, to)

    renewed(club, mine, times=2)

    assert prices(club, mine) == [499, 899, 899]
    assert [lot.units for lot in club.lots()] == [10, 20, 20]
    changed = club.subscription(mine)
    assert (changed.offer_version_id, changed.next_version_id) == (to, None)
    assert club.causes(mine)[-3:] == ["changed", "renewed", "renewed"]


def test_a_change_to_another_interval_begins_the_calendar_anew(club: Club):
    to = club.add_plan("yearly", every="year", price=4990)
    mine = club.subscribe()
    choose(mine, to)

    renewed(club, mine)

    first, second = club.periods(mine)
    assert second.starts_at == first.ends_at
    assert second.ends_at - second.starts_at == timedelta(days=365)


def test_an_announced_migration_is_followed_by_the_first_period_from_its_day_on(
    club: Club, world: World
):
    to = club.add_plan("dearer", price=599)
    mine = club.subscribe()
    migrate(club, world, to, from_at=club.periods(mine)[0].ends_at + timedelta(days=1))

    renewed(club, mine, times=2)

    assert prices(club, mine) == [499, 499, 599]
    assert club.causes(mine)[-2:] == ["migrated", "renewed"]


def test_a_migration_that_nobody_was_told_of_moves_nobody(club: Club, world: World):
    to = club.add_plan("dearer", price=599)
    mine = club.subscribe()
    migrate(club, world, to, from_at=club.now, is_announced=False)

    renewed(club, mine)

    assert prices(club, mine) == [499, 499]


def test_who_pays_late_for_a_plan_that_is_not_back_dated_gets_a_whole_period(club: Club):
    club.add_plan("whole", back_dates=False)
    mine = club.subscribe("whole", card=DECLINED)
    renewed(club, mine)
    club.mend_cards()

    club.pass_time(days=2, minutes=1)
    club.renew()
    paid_at = club.periods(mine)[1].paid_at
    renewed(club, mine)

    _, second, third = club.periods(mine)
    assert second.starts_at == paid_at
    assert third.starts_at == second.ends_at
    assert second.ends_at.day == second.starts_at.day
    assert club.subscription(mine).anchor_at == paid_at


def test_an_outage_of_ours_moves_no_dates_whatever_the_terms(club: Club):
    club.add_plan("whole", back_dates=False)
    mine = club.subscribe("whole")
    club.go_to(club.periods(mine)[0].ends_at + timedelta(days=3))

    jobs.renew_due()

    first, second = club.periods(mine)
    assert second.starts_at == first.ends_at


def choose(mine: UUID, version_id: UUID) -> None:
    """The member chooses other terms for the time after the period."""
    with transaction():
        db.session.get_one(Subscription, mine).next_version_id = version_id


def migrate(
    club: Club, world: World, to: UUID, *, from_at: datetime, is_announced: bool = True
) -> None:
    """Everybody on the monthly plan gets other terms, as two people have agreed."""
    by, and_by = (world.add_till("A", role="manager").staff_id for _ in range(2))
    with transaction():
        db.session.add(
            PlanMigration(
                id=new_id(),
                from_version_id=world.offers["monthly"][1],
                to_version_id=to,
                from_at=from_at,
                proposed_by_id=by,
                proposed_at=club.now,
                approved_by_id=and_by,
                approved_at=club.now,
                announced_at=club.now if is_announced else None,
            )
        )
