"""Many workers at one subscription, on a real database."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Barrier

from flask import Flask

from kernel.db import db
from kernel.transaction import transaction
from payments import Asking, gateway
from payments.gateway import Charge, Intent
from payments.service import charge_all
from subs import jobs
from subs.service import renewal
from subs.service.renewal import Claim
from subs.service.taking_up import take_up
from tests.club import Club
from tests.fakes import FakeGateway
from tests.together import together

WORKERS = 16


def due_subscription(club: Club) -> None:
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at)


def claims(club: Club, *, limit: int = 10) -> list[Claim]:
    """Lease what is due, and die before anything is done about it."""
    with transaction():
        return renewal.claim(limit=limit, now=club.now)


def take_up_claimed(claimed: Claim, *, now: datetime) -> list[Asking]:
    return take_up(renewal.still_ours([claimed]), now=now)


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


def test_a_lease_is_good_for_one_payment(club: Club, app: Flask):
    due_subscription(club)
    (claimed,) = claims(club)
    now = club.now

    together(app, [lambda: take_up_claimed(claimed, now=now)] * WORKERS)

    assert len(club.asked()) == 1


def test_a_lease_whose_holder_died_is_given_to_another(club: Club):
    due_subscription(club)
    (dead,) = claims(club)
    assert claims(club) == []

    club.pass_time(seconds=renewal.LEASE.total_seconds() + 1)
    (fresh,) = claims(club)

    assert fresh.subscription_id == dead.subscription_id
    with transaction():
        assert take_up_claimed(dead, now=club.now) == []
    with transaction():
        assert len(take_up_claimed(fresh, now=club.now)) == 1


def test_what_a_worker_had_taken_up_when_it_was_killed_is_finished_by_another(
    club: Club, app: Flask
):
    due_subscription(club)
    with transaction():
        (killed,) = take_up(renewal.claim(limit=10, now=club.now), now=club.now)
    jobs.renew_due()
    assert club.charges == 0

    club.pass_time(seconds=renewal.LEASE.total_seconds() + 1)
    start = Barrier(2)

    def work(_: int) -> None:
        with app.app_context():
            start.wait(timeout=10)
            jobs.renew_due()

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, range(2)))

    assert club.bank.taken == [killed.payment_id]
    assert len(club.lots()) == 2


def test_a_worker_that_is_killed_while_it_charges_is_followed_by_another(club: Club):
    due_subscription(club)
    killed_while_charging(club)
    jobs.renew_due()
    assert (club.charges, len(club.lots())) == (0, 1)

    club.pass_time(seconds=renewal.LEASE.total_seconds() + 1)
    club.renew()

    assert [one.status for one in club.asked()] == ["succeeded"]
    assert len(club.bank.taken) == 1
    assert len(club.lots()) == 2


def killed_while_charging(club: Club) -> None:
    """A process of its own renews, and is killed when it has the provider on the line."""
    calling, called = os.pipe()
    worker = os.fork()
    if worker == 0:
        db.engine.dispose(close=False)  # those connections are the other process's
        charge_all._askers.cache_clear()  # noqa: SLF001  its threads are not here
        with gateway.use(_EndlessGateway(on_the_line=called)):
            jobs.renew_due()
        os._exit(1)
    assert os.read(calling, 1) == b"c"
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    os.close(calling)
    os.close(called)


@dataclass
class _EndlessGateway(FakeGateway):
    """A provider that takes the call and never answers."""

    on_the_line: int = -1

    def charge(self, asked: Charge) -> Intent:
        os.write(self.on_the_line, b"c")
        time.sleep(60)
        return super().charge(asked)


def test_the_longest_due_are_claimed_first_and_no_more_than_asked_for(club: Club):
    first = club.subscribe()
    club.pass_time(minutes=1)
    second = club.subscribe()
    club.pass_time(minutes=1)
    club.subscribe()
    club.go_to(club.periods(second)[0].ends_at + timedelta(minutes=5))

    claimed = claims(club, limit=2)

    assert {one.subscription_id for one in claimed} == {first, second}
