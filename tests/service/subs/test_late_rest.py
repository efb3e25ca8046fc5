"""What is paid late has earned the days before, however its rest leaves on the day of its sale."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

import payments
import vouchers
from kernel import outbox
from kernel.db import db
from kernel.transaction import transaction
from subs.service import change
from tests.club import Club
from tests.fakes import WANTS_HOLDER
from tests.service.ledger.plain import balances
from vouchers import Wish
from vouchers.earning_jobs import earn_days
from vouchers.models import Lot

DAILY, DAYS, LATE = 20, 30, 15
"""What a day earns, how many a period has, and after how many of them the second one is paid."""

BEFORE = DAILY * (DAYS + LATE)
"""What all days have earned that are over on the day of the sale."""

MEMBERSHIP: dict[str, Any] = {}
UNLIMITED: dict[str, Any] = {"is_unlimited": True}


@pytest.fixture(params=[(MEMBERSHIP, "4112"), (UNLIMITED, "4111")], ids=["member", "unlimited"])
def kind(request: pytest.FixtureRequest) -> tuple[dict[str, Any], str]:
    """Terms of a plan in which nobody counts cups, and the income that it earns."""
    chosen: tuple[dict[str, Any], str] = request.param
    return chosen


@pytest.fixture
def income(kind: tuple[dict[str, Any], str]) -> str:
    return kind[1]


@pytest.fixture
def late(club: Club, kind: tuple[dict[str, Any], str]) -> Club:
    """Plans of thirty days, whose rest comes back, for 630 (which is 600 without VAT) and more."""
    terms = {"every": "day", "every_count": DAYS, "cups": 0, "cancel_refund": "prorated"}
    club.add_plan("plain", price=630, **terms, **kind[0])
    club.add_plan("larger", price=1260, **terms, **kind[0])
    return club


@pytest.fixture
def mine(late: Club) -> UUID:
    """A subscription whose second period was paid fifteen days after its begin, just now."""
    subscription_id = late.subscribe("plain", price=630)
    late.go_to(late.periods(subscription_id)[0].ends_at + timedelta(days=LATE))
    late.renew()
    return subscription_id


def the_lot(club: Club) -> Lot:
    """The lot of the period that was paid late."""
    return club.lots()[1]


def earned(club: Club, income: str) -> int:
    return -balances(club.world.stores["W"]).get(income, 0)


def give_back(club: Club) -> int:
    wish = Wish(club.member_id, lots=[{"lot_id": the_lot(club).id, "cups": 1}])
    with transaction():
        (made,) = vouchers.refund(wish, asked_by_id=club.member_id, now=club.now)
    return made.gross


def to_larger(club: Club, mine: UUID) -> change.Changing:
    return change.change_plan(
        member_id=club.member_id,
        subscription_id=mine,
        offer_id=club.world.offers["larger"][0],
        at="now",
        now=club.now,
    )


def dispute(club: Club, status: str) -> None:
    """A bank disputes what the late period cost, or decides; what follows is drawn."""
    (paid,) = club.asked()
    seen = club.bank.dispute(paid.provider_ref, status=status, amount=paid.amount, ref="dp_1")
    with transaction():
        payments.record_dispute(seen, now=club.now)
    outbox.drain()


def test_a_change_at_once_takes_along_the_days_that_are_left(late: Club, mine: UUID, income: str):
    to_larger(late, mine)

    assert earned(late, income) == BEFORE
    assert [(lot.net, lot.is_open) for lot in late.lots()][1:] == [(600, False), (600, True)]


def test_cancelling_at_once_brings_back_the_days_that_are_left(late: Club, mine: UUID, income: str):
    late.cancel(mine, at="now")

    assert earned(late, income) == BEFORE
    assert not the_lot(late).is_open


def test_what_is_withdrawn_is_what_the_days_that_are_left_cost(late: Club, mine: UUID, income: str):
    assert give_back(late) == 315
    assert earned(late, income) == BEFORE


def test_a_lost_dispute_takes_the_days_that_are_left(late: Club, mine: UUID, income: str):
    dispute(late, "open")
    dispute(late, "lost")

    assert earned(late, income) == BEFORE
    assert not the_lot(late).is_open


def test_what_was_earned_ahead_of_midnight_is_not_earned_again(late: Club, mine: UUID, income: str):
    dispute(late, "open")
    assert (earned(late, income), the_lot(late).net_recognised) == (BEFORE, DAILY * LATE)

    dispute(late, "won")
    late.pass_time(days=1)
    earn_days()

    assert (earned(late, income), the_lot(late).net_recognised) == (
        BEFORE + DAILY,
        DAILY * (LATE + 1),
    )


def test_a_change_that_is_paid_while_a_bank_holds_days_back_takes_them_along(
    late: Club, mine: UUID, income: str
):
    late.pass_time(days=1)
    late.mend_cards(WANTS_HOLDER)
    asked = to_larger(late, mine)
    dispute(late, "open")
    late.pass_time(hours=20)
    assert asked.row is not None
    assert asked.row.payment_id is not None
    with transaction():
        payment = payments.get_payment(asked.row.payment_id)
    late.authenticate(payment)

    assert earned(late, income) == BEFORE + DAILY
    with transaction():
        moved = db.session.scalars(select(Lot).where(Lot.source == "plan_change")).one()
    assert moved.frozen_at is not None
    assert moved.net == DAILY * (DAYS - LATE - 1) + asked.row.net
