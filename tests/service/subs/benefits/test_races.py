"""Days, refunds, grants and tills meet in one wallet: nothing is lost or done twice."""

from functools import partial

import pytest
from flask import Flask

from kernel.errors import Refusal
from kernel.transaction import transaction
from redemption.answer import Redeemed
from subs.service.benefits import Settled, grant_all
from subs.service.granting_again import grant_some
from tests.club import Club
from tests.conftest import Engines
from tests.service.subs.benefits.house import House, at
from tests.together import overtaken, together
from vouchers import Wish, refund
from vouchers.service.earning import earn, find_earning

APRIL = (at(4, 10), at(5, 10))
MAY = (at(5, 10), at(6, 10))


def test_many_workers_earn_a_day_once(app: Flask, house: House) -> None:
    house.add_plan("unlimited", price=315, cups=0, is_unlimited=True)
    for _ in range(4):
        house.member_id = house.world.add_member()
        house.pay(house.subscribe("unlimited", begins_at=APRIL[0]), 1, *APRIL)
    now = at(4, 13, 1)
    with transaction():
        (part,) = find_earning(lots=100, wallets=100, now=now)
    together(app, [partial(earn, part, now=now) for _ in range(8)])
    assert len(house.entries("earning")) == 4 * 3


def test_a_grant_that_is_due_is_granted_once_by_many_workers(app: Flask, house: House) -> None:
    house.add_plan("card", price=0, cups=1, grant_count=1, grant_unit="week")
    house.pay(house.subscribe("card", begins_at=APRIL[0]), 1, *APRIL)
    together(app, [partial(grant_some, limit=10, now=at(4, 17, 13)) for _ in range(8)])
    assert [lot.ordinal for lot in house.lots()] == [1, 2]


def test_a_grant_is_not_granted_again_by_who_saw_that_it_was_due(
    app: Flask, engines: Engines, house: House
) -> None:
    house.add_plan("card", price=0, cups=1, grant_count=1, grant_unit="week")
    house.pay(house.subscribe("card", begins_at=APRIL[0]), 1, *APRIL)
    grant = partial(grant_some, limit=10, now=at(4, 17, 13))

    assert overtaken(app, engines.superuser, grant, grant) == (0, 1)


def test_a_period_is_granted_once_by_many_workers(app: Flask, house: House) -> None:
    house.add_plan()
    mine = house.subscribe(begins_at=APRIL[0])
    with transaction():
        one = house.settled(mine, 1, *APRIL)
    together(app, [partial(grant_all, [one], now=APRIL[0]) for _ in range(8)])
    assert len(house.lots()) == 1


@pytest.mark.parametrize("round_", range(4))
def test_cups_are_collected_or_lapse_over_the_cap_never_both(
    app: Flask, house: House, round_: int
) -> None:
    """What a till takes while the next period is granted is not over the cap any more."""
    del round_
    house.add_plan(carry_over="capped", carry_over_cap=2)
    mine = house.subscribe(begins_at=APRIL[0])
    house.pay(mine, 1, *APRIL)
    with transaction():
        one = house.settled(mine, 2, *MAY)
    tills = [house.world.add_till("A") for _ in range(3)]
    takes = [partial(house.world.take, till, house.member_id, 3, now=MAY[0]) for till in tills]
    outcomes = together(app, [partial(_granted, one), *takes], in_transactions=False)
    taken = 3 * sum(isinstance(outcome, Redeemed) for outcome in outcomes)
    lapsed = sum(line[3] for _, _, lines in house.entries("lapse") for line in lines)
    left = sum(lot.units - lot.used for lot in house.lots())
    assert taken + lapsed + left == 20


def _granted(one: Settled) -> None:
    with transaction():
        grant_all([one], now=MAY[0])


def test_days_are_earned_or_given_back_never_both(app: Flask, club: Club) -> None:
    club.add_plan("unlimited", cups=0, is_unlimited=True)
    club.subscribe("unlimited")
    (lot,) = club.lots()
    club.pass_time(days=3, hours=13)
    now = club.now
    with transaction():
        (part,) = find_earning(lots=10, wallets=10, now=now)
    wish = Wish(club.member_id, lots=[{"lot_id": lot.id, "cups": 1}])
    outcomes = together(
        app,
        [
            partial(earn, part, now=now),
            partial(refund, wish, asked_by_id=club.member_id, now=now),
            partial(refund, wish, asked_by_id=club.member_id, now=now),
        ],
    )
    refunds = [made for made in outcomes[1:] if not isinstance(made, Refusal)]
    (lot,) = club.lots()
    assert len(refunds) == 1
    assert (lot.is_open, lot.net_recognised) == (False, lot.net)
    assert refunds[0][0].gross == 499 - _gross_of_days(4)


def _gross_of_days(days: int) -> int:
    """What so many of the 31 days have earned, VAT alike."""
    return (2 * 475 * days + 31) // 62 + (2 * 24 * days + 31) // 62
