"""The last prepaid period, wanted twice at one moment."""

from collections import Counter

import pytest
from flask import Flask

from kernel.db import db
from kernel.errors import Refusal
from subs import jobs, start_prepaid
from tests.service.subs.prepaid.house import Giving
from tests.together import together
from vouchers.models import Wallet
from vouchers.service import prepaid

RACERS = 8


def outcome(answer: object) -> str:
    return answer.code if isinstance(answer, Refusal) else "done"


def rush(giving: Giving, app: Flask) -> Counter[str]:
    """Bob's phones all begin the plan at once, with one period; answers how each fared."""
    giving.hand_over(1)
    offer_id, now = giving.club.world.offers["monthly"][0], giving.club.now
    begin = [
        lambda: start_prepaid(member_id=giving.bob, offer_id=offer_id, now=now)
        for _ in range(RACERS)
    ]
    return Counter(map(outcome, together(app, begin)))


def test_the_last_period_begins_one_plan(giving: Giving, app: Flask):
    assert rush(giving, app) == {"done": 1, "nothing-prepaid": RACERS - 1}


def test_two_plans_that_are_due_share_what_is_left_without_a_second_taking(
    giving: Giving, app: Flask
):
    giving.hand_over(3)
    first, second = giving.begin(), giving.begin()
    giving.club.go_to(giving.club.periods(second.id)[0].ends_at)

    together(app, [jobs.renew_due, jobs.renew_due], in_transactions=False)
    giving.club.renew()

    states = Counter(giving.club.subscription(one.id).status for one in (first, second))
    assert states == {"active": 1, "lapsed": 1}
    (held,) = [lot for lot in giving.lots(giving.bob) if lot.prepays_plan]
    assert (held.used, held.is_open) == (3, False)


@pytest.mark.breaks_books
def test_without_the_wallets_lock_one_period_would_begin_several(giving, app, monkeypatch):
    monkeypatch.setattr(
        prepaid, "change_wallet", lambda member_id: db.session.get(Wallet, member_id)
    )
    assert rush(giving, app)["done"] != 1
