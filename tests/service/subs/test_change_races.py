"""A change of plan and whatever else happens at that moment come one after the other."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

import payments
from kernel import outbox
from kernel.db import db
from kernel.errors import Refusal
from kernel.transaction import again, transaction
from subs import cancel, jobs
from subs.errors import SubscriptionEnded
from subs.models import PlanChange
from subs.service import change
from tests.club import Club
from tests.fakes import WANTS_HOLDER
from tests.together import together
from vouchers.models import Lot

RACES = 4


@pytest.fixture
def plans(club: Club) -> Club:
    terms = {"every": "day", "every_count": 30, "cancel_refund": "prorated"}
    club.add_plan("ten", **terms)
    club.add_plan("twenty", price=899, cups=20, **terms)
    return club


def changing(club: Club, mine: UUID, code: str) -> Callable[[], Any]:
    offer_id, now = club.world.offers[code][0], club.now
    return lambda: change.change_plan(
        member_id=club.member_id, subscription_id=mine, offer_id=offer_id, at="now", now=now
    )


def completing(row: PlanChange, now: datetime) -> Callable[[], Any]:
    payment_id = row.payment_id
    assert payment_id is not None

    def run() -> None:
        def complete() -> None:
            with transaction():
                change.complete(change_id=row.id, payment_id=payment_id, now=now)

        again(complete)

    return run


def left(club: Club) -> list[Lot]:
    return [lot for lot in club.lots() if lot.is_open]


def statuses(mine: UUID) -> list[str]:
    with transaction():
        of = select(PlanChange.status).where(PlanChange.subscription_id == mine)
        return list(db.session.scalars(of.order_by(PlanChange.id)))


def test_who_taps_twice_is_charged_once(plans: Club, app: Flask):
    for _ in range(RACES):
        mine, before = plans.subscribe("ten"), len(plans.bank.taken)

        together(app, [changing(plans, mine, "twenty")] * 2, in_transactions=False)
        outbox.drain()

        assert len(plans.bank.taken) - before == 1
        assert statuses(mine) == ["applied"]
        plans.cancel(mine, at="now")


def test_a_cup_that_is_collected_meanwhile_is_collected_from_one_of_the_lots(
    plans: Club, app: Flask
):
    till = plans.world.add_till("A")
    for _ in range(RACES):
        mine, now = plans.subscribe("twenty", price=899), plans.now

        def collect(now: datetime = now) -> None:
            plans.world.take(till, plans.member_id, now=now)

        together(
            app,
            [changing(plans, mine, "ten"), lambda: again(lambda: in_one(collect))],
            in_transactions=False,
        )

        (lot,) = left(plans)
        used = sum(one.used for one in plans.lots() if one.subscription_id == mine)
        assert lot.units - lot.used == 9
        assert used >= 1
        plans.cancel(mine, at="now")
        plans.pass_time(minutes=1)


def in_one(work: Callable[[], None]) -> None:
    with transaction():
        work()


def test_a_change_and_a_cancelling_leave_a_plan_that_has_ended(plans: Club, app: Flask):
    for _ in range(RACES):
        mine = plans.subscribe("twenty", price=899)
        asked = {"member_id": plans.member_id, "subscription_id": mine, "now": plans.now}

        answers = together(
            app,
            [
                changing(plans, mine, "ten"),
                lambda asked=asked: again(lambda: in_one(lambda: cancel(at="now", **asked))),
            ],
            in_transactions=False,
        )

        assert plans.subscription(mine).status == "cancelled"
        assert left(plans) == []
        is_refused = isinstance(answers[0], SubscriptionEnded)
        assert statuses(mine) == ([] if is_refused else ["applied"])
        assert not isinstance(answers[1], Refusal)


def test_a_paid_change_and_a_renewal_leave_either_the_change_or_its_money(plans: Club, app: Flask):
    for _ in range(RACES):
        plans.mend_cards(WANTS_HOLDER)
        mine = plans.subscribe("ten", card=WANTS_HOLDER)
        ends_at = plans.periods(mine)[0].ends_at
        plans.go_to(ends_at - timedelta(hours=20))
        asked = changing(plans, mine, "twenty")()
        plans.mend_cards()
        assert asked.waiting is not None
        plans.bank.authenticate(asked.waiting.provider_ref)
        paid_by(asked.waiting.id)
        returned = len(plans.returned())
        plans.go_to(ends_at)

        together(
            app,
            [completing(asked.row, ends_at - timedelta(seconds=1)), jobs.renew_due],
            in_transactions=False,
        )
        plans.renew()  # a row that somebody held was left for the next tick

        prices = [period.price for period in plans.periods(mine)]
        back = len(plans.returned()) - returned
        assert (statuses(mine), prices, back) in [
            (["applied"], [499, 899], 0),
            (["failed"], [499, 499], 1),
        ]
        plans.cancel(mine, at="now")


def paid_by(payment_id: UUID) -> None:
    """Hear from the provider that it was paid, before anybody acts on it."""
    payments.charge(payment_id=payment_id)
