"""A worker dies between any two steps of a renewal: one charge, one period, one grant.

Each death is of a plan of its own, that nobody else has; the last worker of each story lives.
"""

import os
from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest

import subs
from kernel import clock
from payments.models import Payment
from subs.models import Period, Subscription
from tests.faults.dying import Death
from tests.faults.plan_stage import PlanStage
from tests.faults.plan_truth import check_at_the_end, check_now
from tests.faults.truth import come_to_rest, do_what_is_due
from vouchers.models import Lot

pytestmark = pytest.mark.faults

_RENEW, _ASK, _TELL = "subs.jobs.renew_due", "payments.sweep.ask_again", "kernel.outbox.drain"
_STRIDE = 1 if "FAULTS_STEPS" in os.environ else 17
"""Where time is short, only some of the steps are died at."""
_LEASES_ARE_OVER = timedelta(seconds=125)


def due_plan(stage: PlanStage, code: str) -> Subscription:
    """A plan of somebody new, whose second period begins now."""
    member = stage.join()
    stage.subscribe(member, code, "good", None, again=False)
    stage.do(_TELL)
    (one,) = stage.all(Subscription, Subscription.member_id == member)
    assert one.due_at is not None
    stage.pass_time(one.due_at - clock.now() + timedelta(seconds=1))
    return one


def is_renewed_once(stage: PlanStage, one: Subscription) -> bool:
    """Two periods are paid and granted, each once; the provider took the money of one renewal."""
    periods = stage.all(Period, Period.subscription_id == one.id)
    lots = stage.all(Lot, Lot.subscription_id == one.id)
    renewals = stage.all(Payment, Payment.purpose_id == periods[-1].id)
    ids = {payment.id for payment in renewals}
    taken = [UUID(made["metadata"]["payment_id"]) for made in stage.sandbox.all("charge")]
    return (
        [period.status for period in periods] == ["paid", "paid"]
        and len(lots) == 2
        and [payment.status for payment in renewals] == ["succeeded"]
        and sum(payment_id in ids for payment_id in taken) == 1
    )


def let_die_everywhere(stage: PlanStage, code: str, job: str, *, of: str, when: str) -> int:
    """Let a worker die in a job at its first step, and so on; answer at which it was last."""
    for number in count(1, _STRIDE):
        one = due_plan(stage, code)
        if job != _RENEW:
            stage.sandbox.strike(fail_after_success=3)
            stage.do(_RENEW)
            stage.sandbox.mend()
            stage.pass_time(timedelta(seconds=61))
        if job == _TELL:
            stage.do(_ASK)
        deaths = stage.fate.deaths
        stage.do(job, Death(of, when, number))
        has_died = stage.fate.deaths > deaths
        check_now(stage, with_books=False)
        stage.pass_time(_LEASES_ARE_OVER)
        stage.tell(stage.untold())
        do_what_is_due(stage)
        assert is_renewed_once(stage, one), f"{job}: {when} {of} {number}"
        stage.ask(subs.cancel, one, None, at="now")
        if not has_died:
            return max(0, number - _STRIDE)
    raise AssertionError


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("job", [_RENEW, _ASK, _TELL])
@pytest.mark.parametrize("code", ["monthly", "carrying"])
def test_a_death_at_any_statement_of_a_renewal_is_one_charge_one_period_and_one_grant(
    plan_stage: PlanStage, code: str, job: str, when: str
):
    died = let_die_everywhere(plan_stage, code, job, of="statement", when=when)

    assert died > 0, "hardly any statement was reached"
    come_to_rest(plan_stage)
    check_at_the_end(plan_stage)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_death_beside_the_call_of_the_provider_is_one_charge_one_period_and_one_grant(
    plan_stage: PlanStage, when: str
):
    assert let_die_everywhere(plan_stage, "monthly", _RENEW, of="call", when=when) > 0

    come_to_rest(plan_stage)
    check_at_the_end(plan_stage)
