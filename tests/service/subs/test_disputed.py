"""A bank gives a payer their money back for good: the plan ends, whatever its state."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

import payments
from kernel import outbox
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from payments.models import Payment
from subs.models import Subscription
from subs.service.start import start
from tests.club import Club
from tests.fakes import DECLINED
from vouchers.models import OrderItem


def first_payment() -> Payment:
    with transaction():
        return db.session.scalars(select(Payment).order_by(Payment.id).limit(1)).one()


def decide(club: Club, status: str = "lost") -> None:
    """A bank opens a dispute of the first payment, and decides."""
    paid = first_payment()
    for one in ("open", status):
        seen = club.bank.dispute(paid.provider_ref, status=one, amount=paid.amount, ref="dp_1")
        with transaction():
            payments.record_dispute(seen, now=club.now)
        outbox.drain()


def ended(club: Club, mine: UUID) -> Subscription:
    """The subscription, which has ended because of the dispute, and is not charged any more."""
    one = club.subscription(mine)
    assert (one.ended_at is not None, one.due_at) == (True, None)
    assert club.causes(mine)[-1] == "disputed"
    charges = club.charges
    club.pass_time(days=40)
    club.renew()
    assert club.charges == charges
    return one


def test_a_plan_ends_when_a_bank_has_decided_for_its_payer(club: Club):
    mine = club.subscribe()

    decide(club)

    assert ended(club, mine).status == "cancelled"
    assert club.notices() == ["subscription.disputed"]


def test_a_dispute_that_is_open_or_won_ends_nothing(club: Club):
    mine = club.subscribe()

    decide(club, "won")

    assert club.subscription(mine).status == "active"


def test_a_plan_that_was_cancelled_for_its_end_ends_at_once(club: Club):
    mine = club.subscribe()
    club.cancel(mine)

    decide(club)

    assert ended(club, mine).status == "cancelled"


def test_a_plan_that_is_past_due_ends_and_its_period_stays_unpaid(club: Club):
    mine = club.subscribe()
    with transaction():
        db.session.get_one(Subscription, mine).card_id = club.keep_card(DECLINED)
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()
    assert club.subscription(mine).status == "past_due"

    decide(club)

    assert ended(club, mine).status == "cancelled"
    assert [period.status for period in club.periods(mine)] == ["paid", "unpaid"]


def test_a_plan_that_rests_ends(club: Club):
    club.add_plan("restful", most_pause_days=30)
    mine = club.subscribe("restful")
    ends_at = club.periods(mine)[0].ends_at
    club.pause(mine, until=(ends_at + timedelta(days=10)).date())
    club.go_to(ends_at)
    club.renew()
    assert club.subscription(mine).status == "paused"

    decide(club)

    assert ended(club, mine).status == "cancelled"


def test_a_trial_of_the_same_order_ends_too(club: Club):
    club.add_plan("trial", trial_days=7, trial_cups=2, first_price=0)
    item = club.buy()
    with transaction():
        trial = OrderItem(
            id=new_id(),
            order_id=item.order_id,
            position=2,
            offer_version_id=club.world.offers["trial"][1],
            quantity=1,
            gross=0,
            net=0,
            vat=0,
        )
        db.session.add(trial)
        db.session.flush()
        (paid,) = start(order_item_id=item.id, paid_at=club.now)
        (free,) = start(order_item_id=trial.id, paid_at=club.now)
        mine, on_trial = paid.id, free.id
    assert club.subscription(on_trial).status == "trialing"

    decide(club)

    assert ended(club, mine).status == ended(club, on_trial).status == "cancelled"


def test_a_plan_that_somebody_else_paid_for_goes_on(club: Club):
    mine = club.subscribe()
    with transaction():
        db.session.get_one(Subscription, mine).member_id = club.world.add_member()
    decide(club)

    assert club.subscription(mine).status == "active"


def test_a_plan_that_has_ended_before_stays_as_it_ended(club: Club):
    mine = club.subscribe()
    club.cancel(mine, at="now")

    decide(club)

    assert club.causes(mine)[-1] == "cancelled"
