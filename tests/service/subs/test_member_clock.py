"""A member's clock runs ahead, and what is due by it happens as it would, for that member alone."""

import json
from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import delete, select

import members
import payments
import vouchers
import worker
from kernel import clock
from kernel.db import db
from kernel.errors import NotFound
from kernel.outbox import Outbox
from kernel.transaction import transaction
from ledger.models import Entry
from members import ClockTooFar, MemberTime
from members.models import MemberClock
from payments import inbox
from payments.models import Payment
from subs import clock_jobs, jobs, policy
from subs.models import Period
from subs.wording import CONVERTED, LAPSED, RENEWED
from tests.books import everything_wrong
from tests.club import Club
from tests.conftest import Engines
from tests.events import event, signed
from tests.fakes import DECLINED, WANTS_HOLDER
from tests.together import together
from vouchers import expiry_policy, gift_token
from vouchers.models import Gift, Order
from vouchers.notices import LOT_ENDING

TAIPEI = ZoneInfo("Asia/Taipei")
A_MINUTE = timedelta(minutes=1)


def advance(club: Club, **by: float) -> None:
    """Move Alice's clock, and let the worker bring it there."""
    with transaction():
        members.advance_clock(member_id=club.member_id, by=timedelta(**by), now=clock.now())
    clock_jobs.move_clocks()


def clock_of(club: Club) -> MemberTime:
    with transaction():
        return members.get_clock(member_id=club.member_id, now=clock.now())


def ahead(club: Club) -> timedelta:
    with transaction():
        return db.session.get_one(MemberClock, club.member_id).ahead


def told(club: Club, notice: str) -> list[date]:
    """On which days, where she is, a notice was promised to Alice."""
    mine = select(Outbox.created_at).where(
        Outbox.member_id == club.member_id, Outbox.facts["notice"].as_string() == notice
    )
    with transaction():
        moments = db.session.scalars(mine.order_by(Outbox.created_at)).all()
    return [at.astimezone(TAIPEI).date() for at in moments]


def open_rows(club: Club) -> list[tuple[str, datetime]]:
    undone = select(Outbox.topic, Outbox.due_at).where(Outbox.is_open)
    with transaction():
        return [(topic, due_at) for topic, due_at in db.session.execute(undone)]


def messages(engines: Engines) -> list[str]:
    """The text messages that were sent."""
    file = engines.message_file
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line)["text"] for line in lines]


def starts(periods: list[Period]) -> list[date]:
    return [one.starts_at.astimezone(TAIPEI).date() for one in periods]


def test_a_year_of_a_monthly_plan_is_twelve_renewals_on_their_days(club: Club):
    mine = club.subscribe()
    began_at = club.periods(mine)[0].starts_at

    advance(club, days=365)

    periods = club.periods(mine)
    months = [(2026, month, 14) for month in range(1, 13)] + [(2027, 1, 14)]
    assert starts(periods) == [date(*month) for month in months]
    assert all(one.status == "paid" for one in periods)
    assert club.charges == 12
    for one in periods[1:]:
        assert one.paid_at is not None
        assert timedelta(0) <= one.paid_at - one.starts_at < A_MINUTE
    assert periods[0].starts_at == began_at
    assert told(club, RENEWED.name) == starts(periods[1:])
    assert everything_wrong() == []


def test_the_others_stay_in_the_present(club: Club):
    alices = club.subscribe()
    alice, club.member_id = club.member_id, club.world.add_member()
    bobs = club.subscribe()
    club.member_id = alice

    advance(club, days=100)
    jobs.renew_due()

    assert len(club.periods(alices)) == 4
    assert [one.status for one in club.periods(bobs)] == ["paid"]


def test_by_everybodys_clock_nothing_happens_to_who_is_ahead(club: Club):
    mine = club.subscribe()
    advance(club, days=100)
    before = [(one.number, one.status) for one in club.periods(mine)]

    club.pass_time(days=60)
    club.renew()

    assert [(one.number, one.status) for one in club.periods(mine)] == before


def test_everybodys_time_passes_for_who_is_ahead_too(club: Club):
    mine = club.subscribe()
    advance(club, days=100)

    club.pass_time(days=30)
    clock_jobs.move_clocks()

    assert len(club.periods(mine)) == 5
    assert ahead(club) == timedelta(days=100)


def test_nothing_is_left_to_do_where_a_clock_has_arrived(club: Club):
    club.subscribe()

    advance(club, days=100)

    assert not clock_of(club).is_moving
    assert [row for row in open_rows(club) if row[1] <= clock_of(club).now] == []


def test_a_trial_goes_on_with_the_card_when_it_is_over(club: Club):
    club.add_plan("tried", trial_days=14, first_price=0)
    mine = club.subscribe("tried", price=0)

    advance(club, days=20)

    trial, first = club.periods(mine)
    assert (trial.number, first.number, first.status) == (0, 1, "paid")
    assert starts([trial, first]) == [date(2026, 1, 14), date(2026, 1, 28)]
    assert club.causes(mine)[-1] == "trial_converted"
    assert told(club, CONVERTED.name) == [date(2026, 1, 28)]


def test_the_end_of_a_trial_is_told_three_days_before(club: Club, engines: Engines):
    club.add_plan("tried", trial_days=14, first_price=0)
    club.subscribe("tried", price=0)

    advance(club, days=10, hours=23)
    before = messages(engines)
    advance(club, hours=2)

    assert before == []
    (message,) = messages(engines)
    assert "28" in message


def test_a_card_that_never_pays_is_tried_on_its_days_and_the_plan_lapses(club: Club):
    mine = club.subscribe(card=DECLINED)

    advance(club, days=90)

    one = club.subscription(mine)
    due = date(2026, 2, 14)
    tried = [payment.created_at.astimezone(TAIPEI).date() for payment in club.asked()]
    assert [(day - due).days for day in tried] == [0, 2, 7, 14, 21]
    assert one.status == "lapsed"
    assert one.ended_at is not None
    lapses_at = policy.lapse_limit(
        starts_at=club.periods(mine)[1].starts_at,
        now=club.periods(mine)[1].starts_at,
        grace_days=28,
    )
    assert timedelta(0) <= one.ended_at - lapses_at < A_MINUTE
    assert len(told(club, LAPSED.name)) == 1
    assert everything_wrong() == []


def test_a_pause_begins_and_ends_on_its_days(club: Club):
    club.add_plan("resting", most_pause_days=60)
    mine = club.subscribe("resting")
    club.pause(mine, until=date(2026, 3, 1))

    advance(club, days=60)

    assert club.causes(mine)[-2:] == ["paused", "resumed"]
    assert starts(club.periods(mine)) == [date(2026, 1, 14), date(2026, 3, 1)]


def test_the_end_of_cups_is_announced_30_7_and_1_days_before(club: Club):
    club.world.add_offer("pack", expiry_mode="lapse")
    ends_at = datetime(2026, 12, 31, 16, tzinfo=UTC)
    due_at = expiry_policy.first_due_at(sold_at=club.now, ends_at=ends_at, time_zone="Asia/Taipei")
    lot_id = club.world.add_lot(
        club.member_id,
        "pack",
        sold_at=club.now,
        expiry_mode="lapse",
        due_at=due_at,
        ends_at=ends_at,
    )

    advance(club, days=400)

    days_ahead = [(date(2026, 12, 31) - day).days for day in told(club, LOT_ENDING.name)]
    assert days_ahead == [30, 7, 1]
    lot = next(one for one in club.lots() if one.id == lot_id)
    assert (lot.is_open, lot.used) == (False, lot.units)
    assert everything_wrong() == []


def test_a_clock_moves_once_however_many_workers_there_are(app: Flask, club: Club):
    mine = club.subscribe()
    with transaction():
        members.advance_clock(member_id=club.member_id, by=timedelta(days=100), now=clock.now())

    together(app, [clock_jobs.move_clocks] * 4, in_transactions=False)
    clock_jobs.move_clocks()

    assert len(club.periods(mine)) == 4
    assert club.charges == 3
    assert ahead(club) == timedelta(days=100)


def test_a_clock_whose_worker_died_goes_on_when_the_lease_is_over(club: Club):
    mine = club.subscribe()
    with transaction():
        members.advance_clock(member_id=club.member_id, by=timedelta(days=40), now=club.now)
        kept = db.session.get_one(MemberClock, club.member_id)
        kept.leased_until = club.now + timedelta(minutes=5)

    clock_jobs.move_clocks()
    waiting = len(club.periods(mine))
    club.pass_time(minutes=6)
    clock_jobs.move_clocks()

    assert waiting == 1
    assert len(club.periods(mine)) == 2


def test_a_clock_is_moved_by_ten_years_at_most(club: Club):
    advance(club, days=3_000)

    with pytest.raises(ClockTooFar), transaction():
        members.advance_clock(member_id=club.member_id, by=timedelta(days=700), now=club.now)

    assert clock_of(club).goal_at - club.now <= timedelta(days=3_000)


def test_there_are_no_clocks_of_members_outside_the_sandbox(
    club: Club, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("CLOCK_FILE")

    with pytest.raises(NotFound), transaction():
        members.advance_clock(member_id=club.member_id, by=A_MINUTE, now=clock.now())
    with pytest.raises(NotFound), transaction():
        members.get_clock(member_id=club.member_id, now=clock.now())


def test_nobody_who_is_no_member_has_a_clock(club: Club):
    nobody = UUID(int=7)

    with pytest.raises(NotFound), transaction():
        members.advance_clock(member_id=nobody, by=A_MINUTE, now=club.now)


def test_only_one_worker_has_a_clock(app: Flask, club: Club):
    with transaction():
        members.advance_clock(member_id=club.member_id, by=timedelta(days=1), now=club.now)

    taken = together(app, [partial(clock_jobs.take, club.member_id)] * 8, in_transactions=False)

    assert len([one for one in taken if one is not None]) == 1


def test_the_days_of_an_unlimited_plan_are_earned_one_by_one(club: Club):
    club.add_plan("unlimited", cups=0, is_unlimited=True)
    club.subscribe("unlimited")

    advance(club, days=10)

    (lot,) = club.lots()
    with transaction():
        earned = db.session.scalars(
            select(Entry.occurred_on)
            .where(Entry.member_id == club.member_id, Entry.kind == "earning")
            .order_by(Entry.occurred_on)
        ).all()
    assert list(earned) == [date(2026, 1, 14) + timedelta(days=day) for day in range(10)]
    assert 0 < lot.net_recognised < lot.net
    assert everything_wrong() == []


def test_an_order_that_is_not_paid_ends_by_the_members_clock(club: Club):
    item = club.buy()
    ends_at = club.now + timedelta(minutes=30)
    with transaction():
        order = db.session.get_one(Order, item.order_id)
        order.status, order.paid_at, order.fulfilled_at = "pending", None, None
        order.ends_at = ends_at
        db.session.execute(delete(Payment).where(Payment.purpose_id == order.id))

    advance(club, minutes=31)

    with transaction():
        assert db.session.get_one(Order, item.order_id).status == "ended"


def test_what_the_provider_tells_is_written_down_in_the_members_time(club: Club):
    mine = club.subscribe(card=WANTS_HOLDER)
    advance(club, days=32)
    (payment,) = club.asked()
    assert payment.provider_ref is not None

    club.bank.authenticate(payment.provider_ref)
    body, header = signed(event("payment_intent.succeeded", payment.provider_ref), at=club.now)
    with transaction():
        payments.receive(body=body, signature=header, now=club.now)
    inbox.read_events()
    clock_jobs.move_clocks()

    period = club.periods(mine)[-1]
    assert (period.number, period.status) == (2, "paid")
    assert period.paid_at is not None
    assert period.paid_at - club.now > timedelta(days=31)
    assert club.subscription(mine).status == "active"


def test_a_gift_that_nobody_claims_goes_back_by_its_givers_clock(club: Club):
    club.world.add_lot(club.member_id, "eleven")
    with transaction():
        gift = vouchers.give(giver_id=club.member_id, cups=3, now=club.now)

    advance(club, days=60)

    with transaction():
        assert db.session.get_one(Gift, gift.id).status == "returned"
    assert [one.units - one.used for one in club.lots()] == [11]
    assert everything_wrong() == []


def test_who_lives_in_the_present_can_claim_what_comes_from_ahead(club: Club):
    club.world.add_lot(club.member_id, "eleven")
    bob = club.world.add_member()
    advance(club, days=300)
    with members.in_time_of(club.member_id), transaction():
        gift = vouchers.give(giver_id=club.member_id, cups=3, now=clock.now())
    assert gift.given_at - club.now > timedelta(days=299)

    with transaction():
        claimed = vouchers.claim(member_id=bob, token=gift_token.make(gift.id), now=clock.now())

    assert [one.units for one in claimed.lots] == [3]
    assert everything_wrong() == []


def test_only_what_is_no_members_is_left_to_everybodys_clock():
    """A new duty names the moments of a member, or is written down here."""
    with_moments = {duty.job for duty in worker.DUTIES if duty.moments is not None}

    assert with_moments == {duty.job for duty in clock_jobs._DUTIES}  # noqa: SLF001
    assert {duty.job for duty in worker.DUTIES} - with_moments == {
        "chain.jobs.forget_guesses",
        "ledger.jobs.close_months",
        "ledger.proof.duty.check_books",
        "ledger.seal.duties.make_heads",
        "ledger.seal.duties.send_heads",
        "ledger.service.fold.drain",
        "members.jobs.forget_challenges",
        "payments.inbox.read_events",  # heard now, written down in the member's time
        "payments.looking.duty.look",
        "payments.settlements.fetch_settlements",
        "subs.clock_jobs.move_clocks",
        "subs.plan_jobs.announce_migrations",
        "subs.statistics.jobs.count_all_months",
        "subs.statistics.jobs.count_open_months",
    }
