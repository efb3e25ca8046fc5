"""Many workers at one subscription, on a real database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from flask import Flask

from kernel.transaction import transaction
from subs import jobs
from subs.service import renewal
from subs.service.renewal import Claim
from tests.club import Club
from tests.together import together

WORKERS = 16


def due_subscription(club: Club) -> None:
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at)


def claims(club: Club, *, limit: int = 10) -> list[Claim]:
    with transaction():
        return renewal.claim(limit=limit, now=club.now)


def test_two_ticks_and_eight_workers_each_make_one_charge(club: Club, app: Flask):
    due_subscription(club)
    start = Barrier(WORKERS)

    def work(_: int) -> None:
        with app.app_context():
            start.wait(timeout=10)
            jobs.renew_due()

    with ThreadPoolExecutor(WORKERS) as threads:
        list(threads.map(work, range(WORKERS)))
    club.renew()

    assert club.charges == 1
    assert len(club.asked()) == 1
    assert len(club.lots()) == 2


def test_of_many_racers_one_gets_the_lease(club: Club, app: Flask):
    due_subscription(club)
    now = club.now

    got = together(app, [lambda: renewal.claim(limit=10, now=now)] * WORKERS)

    assert sum(len(one) for one in got if isinstance(one, list)) == 1


def test_a_lease_is_good_for_one_charge(club: Club, app: Flask):
    due_subscription(club)
    (claimed,) = claims(club)
    now = club.now

    got = together(app, [lambda: renewal.take_up(claimed, now=now)] * WORKERS)

    assert sum(one is not None for one in got) == 1


def test_a_lease_whose_holder_died_is_given_to_another(club: Club):
    due_subscription(club)
    (dead,) = claims(club)
    assert claims(club) == []

    club.pass_time(seconds=31)
    (fresh,) = claims(club)

    assert fresh.subscription_id == dead.subscription_id
    with transaction():
        assert renewal.take_up(dead, now=club.now) is None
    with transaction():
        assert renewal.take_up(fresh, now=club.now) is not None


def test_the_longest_due_are_claimed_first_and_no_more_than_asked_for(club: Club):
    first = club.subscribe()
    club.pass_time(minutes=1)
    second = club.subscribe()
    club.pass_time(minutes=1)
    club.subscribe()
    club.go_to(club.periods(second)[0].ends_at + timedelta(minutes=5))

    claimed = claims(club, limit=2)

    assert {one.subscription_id for one in claimed} == {first, second}
