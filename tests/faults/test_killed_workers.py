"""Workers are killed all the time, and everything that was paid is fulfilled once.

Members pay in the provider's own form, so only webhooks tell of it; each comes twice. Subscribers
are charged by the workers themselves. A worker that is killed leaves leases and open transactions
behind, and the next one goes on.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random, SystemRandom

import pytest

import subs
from kernel.clock import now
from kernel.outbox import Outbox
from payments.models import Payment, ProviderEvent
from subs.models import Period, Subscription
from tests.faults import plan_truth
from tests.faults.plan_stage import PlanStage
from tests.faults.stage import BY_HOLDER, CARDS, Stage
from tests.faults.test_renewal_deaths import due_plan, is_renewed_once
from tests.faults.truth import check_at_the_end, check_now, come_to_rest, do_what_is_due
from tests.sandbox.provider import SECRET_KEY
from vouchers.models import Order

pytestmark = pytest.mark.faults

_ROOT = Path(__file__).parents[2]
_KILLS = 600 if "FAULTS_STEPS" in os.environ else 30
_LONGEST_LIFE_S = 0.4
_LEASES_ARE_OVER = timedelta(seconds=125)
_RUSHES = 60 if "FAULTS_STEPS" in os.environ else 4
_A_RUSH_S = 0.8
_MOST_HELD = 6
_MOST_SUBSCRIBERS = 12


class Nursery:
    """Where workers come from; one lives at a time, or some together."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def let_live(self, seconds: float, *, together: int = 1) -> None:
        """Bring workers forth, and kill them that much later."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{together}\n")
        self._process.stdin.flush()
        pids = [int(pid) for pid in self._process.stdout.readline().split()]
        time.sleep(seconds)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


@contextmanager
def nursery(stage: Stage, *queues: str) -> Iterator[Nursery]:
    """One whose workers work on these queues, and ask the same sandbox, by the same clock."""
    environment = os.environ | {
        "STRIPE_API_BASE": stage.sandbox.url,
        "STRIPE_API_KEY": SECRET_KEY,
        "TERMINAL_API_BASE": stage.sandbox.url,
        "TERMINAL_API_KEY": SECRET_KEY,
        "DATABASE_POOL_SIZE": "2",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.nursery", *queues],
        cwd=_ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Nursery(process)


def test_workers_that_are_killed_again_and_again_fulfil_everything_once(stage: Stage) -> None:
    seed = int(os.environ.get("FAULTS_SEED") or SystemRandom().randrange(2**32))
    print(f"FAULTS_SEED={seed} kills={_KILLS}")  # noqa: T201  to repeat it
    chance = Random(seed)  # noqa: S311
    torn = 0
    with nursery(stage, "events") as workers:
        for number in range(_KILLS):
            for _ in range(1 if number % 3 else 3):
                _pay_in_form(stage)
            stage.tell(stage.untold(), copies=2)
            workers.let_live(chance.uniform(0.01, _LONGEST_LIFE_S))
            held = _held(stage)
            torn += bool(held)  # a set commits as a whole: who holds some died over them
            if held > _MOST_HELD:
                stage.pass_time(_LEASES_ARE_OVER)
            check_now(stage, with_books=False)
    assert torn > _KILLS // 10, "hardly any worker died at work"
    come_to_rest(stage)
    check_at_the_end(stage)
    orders = stage.all(Order)
    assert {order.status for order in orders} == {"fulfilled"}
    assert [payment.status for payment in stage.all(Payment)] == ["succeeded"] * len(orders)


def test_workers_that_are_killed_again_and_again_renew_each_period_once(
    plan_stage: PlanStage,
) -> None:
    seed = int(os.environ.get("FAULTS_SEED") or SystemRandom().randrange(2**32))
    print(f"FAULTS_SEED={seed} kills={_KILLS}")  # noqa: T201  to repeat it
    chance = Random(seed)  # noqa: S311
    torn = 0
    with nursery(plan_stage, "billing", "events") as workers:
        for number in range(_KILLS):
            if number < _MOST_SUBSCRIBERS:
                code = ("daily", "weekly")[number % 2]
                plan_stage.subscribe(plan_stage.join(), code, "good", None, again=False)
            plan_stage.tell(plan_stage.untold(), copies=2)
            plan_stage.pass_time(timedelta(hours=8))
            workers.let_live(chance.uniform(0.01, _LONGEST_LIFE_S))
            torn += bool(_leased(plan_stage) or _held(plan_stage))
            plan_truth.check_now(plan_stage, with_books=False)
    assert torn > _KILLS // 10, "hardly any worker died at work"
    come_to_rest(plan_stage)
    plan_truth.check_at_the_end(plan_stage)
    begun = plan_stage.all(Subscription)
    assert {one.status for one in begun} == {"active"}
    renewed = plan_stage.all(Period, Period.status == "paid", Period.number > 1)
    # An attempt that died before the provider heard of it is given up, and another one made.
    attempts = plan_stage.all(Payment, Payment.purpose == "subscription_period")
    paid = [one for one in attempts if one.status == "succeeded"]
    assert {one.purpose_id for one in paid} == {period.id for period in renewed}
    assert len(paid) == len(renewed)
    assert {one.status for one in attempts} <= {"succeeded", "failed", "cancelled"}
    assert len(renewed) > _KILLS // 5


def test_eight_workers_that_are_rung_all_the_time_renew_a_due_plan_once(
    plan_stage: PlanStage,
) -> None:
    with nursery(plan_stage, "billing", "events") as workers:
        for _ in range(_RUSHES):
            one = due_plan(plan_stage, "monthly")
            workers.let_live(_A_RUSH_S, together=8)
            plan_stage.pass_time(_LEASES_ARE_OVER)
            plan_stage.tell(plan_stage.untold())
            do_what_is_due(plan_stage)
            assert is_renewed_once(plan_stage, one)
            plan_stage.ask(subs.cancel, one, None, at="now")
    come_to_rest(plan_stage)
    plan_truth.check_at_the_end(plan_stage)


def _leased(stage: Stage) -> int:
    """Plans that a worker had taken up, and has not gone on with."""
    return stage.count(Subscription, Subscription.leased_until > now())


def _pay_in_form(stage: Stage) -> None:
    member = stage.world.add_member()
    stage.order(member, {"plain": 1, "bonus": 1}, None, again=False)
    placed = stage.all(Order, Order.member_id == member)[0]
    stage.pay(placed, BY_HOLDER, None, again=False)
    stage.sandbox.confirm(stage.sandbox.newest("payment_intent"), CARDS["good"])


def _held(stage: Stage) -> int:
    """Events and promises that a worker had taken, and has not worked off."""
    return stage.count(
        ProviderEvent, ProviderEvent.is_open, ProviderEvent.leased_until > now()
    ) + stage.count(Outbox, Outbox.is_open, Outbox.leased_until > now())
