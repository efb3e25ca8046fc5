"""Whatever was asked for a plan and done at the provider, though nobody heard of it, is done once.

The answer is lost on its way, or the process dies when it has come, as in `test_after_success`.
"""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

import subs
from kernel import clock
from payments.gateway import CARDS
from payments.models import Card, Payment
from subs.models import Period, PlanChange, Subscription
from tests.faults.plan_stage import PlanStage
from tests.faults.plan_truth import check_at_the_end
from tests.faults.test_after_success import Lose, death, silence
from tests.faults.truth import come_to_rest, do_what_is_due
from vouchers.models import Lot, Refund

pytestmark = pytest.mark.faults

_RENEW = "subs.jobs.renew_due"

Story = Callable[[PlanStage, Lose], None]


def plan(stage: PlanStage, code: str = "monthly") -> Subscription:
    """A plan of somebody new that has just begun."""
    member = stage.join()
    stage.subscribe(member, code, "good", None, again=False)
    stage.do("kernel.outbox.drain")
    (one,) = stage.all(Subscription, Subscription.member_id == member)
    return one


def go_to_its_end(stage: PlanStage, one: Subscription) -> None:
    """The next period is due."""
    assert one.due_at is not None
    stage.pass_time(one.due_at - clock.now() + timedelta(seconds=1))


def go_on(stage: PlanStage) -> None:
    """Leases are over, and workers are there."""
    for _ in range(2):
        stage.pass_time(timedelta(seconds=125))
        do_what_is_due(stage)


def charges(stage: PlanStage, purpose_id: UUID) -> int:
    """How often the provider took money for it."""
    ids = {one.id for one in stage.all(Payment, Payment.purpose_id == purpose_id)}
    taken = [UUID(one["metadata"]["payment_id"]) for one in stage.sandbox.all("charge")]
    return sum(one in ids for one in taken)


def renewing(stage: PlanStage, lose: Lose) -> None:
    one = plan(stage)
    go_to_its_end(stage, one)
    lose(lambda: stage.do(_RENEW))
    go_on(stage)
    first, second = stage.all(Period)
    assert (first.status, second.status) == ("paid", "paid")
    assert charges(stage, second.id) == 1
    assert len(stage.all(Lot)) == 2


def giving_up(stage: PlanStage, lose: Lose) -> None:
    """The bank wants its cardholder, who cancels instead."""
    one = plan(stage)
    (card,) = stage.all(Card)
    stage.turn(card, "wants holder")
    go_to_its_end(stage, one)
    do_what_is_due(stage)
    stage.ask(subs.cancel, one, None, at="now")
    lose(lambda: stage.do("kernel.outbox.drain"))
    go_on(stage)
    *_, intent = stage.sandbox.all("payment_intent")
    assert intent["status"] == "canceled"
    (given_up,) = stage.all(Payment, Payment.purpose == "subscription_period")
    assert given_up.status in ("cancelled", "processing")
    assert [one.status for one in stage.all(Subscription)] == ["cancelled"]


def changing_at_once(stage: PlanStage, lose: Lose) -> None:
    one = plan(stage)
    stage.pass_time(timedelta(days=3))
    do_what_is_due(stage)
    lose(lambda: stage.change(one, "larger", "now", None, again=False))
    go_on(stage)
    (change,) = stage.all(PlanChange)
    assert (change.status, charges(stage, change.id)) == ("applied", 1)
    assert sum(lot.is_open for lot in stage.all(Lot)) == 1


def giving_back_the_rest(stage: PlanStage, lose: Lose) -> None:
    one = plan(stage, "larger")
    stage.pass_time(timedelta(days=3))
    do_what_is_due(stage)
    stage.ask(subs.cancel, one, None, at="now")
    lose(lambda: stage.do("payments.repaying.repay_due"))
    go_on(stage)
    (refund,) = stage.all(Refund)
    assert [one["amount"] for one in stage.sandbox.all("refund")] == [refund.payable * 100]


def taking_another_card(stage: PlanStage, lose: Lose) -> None:
    one = plan(stage)
    lose(lambda: stage.use_card(one, "refunded later", None, again=False))
    stage.use_card(one, "refunded later", None, again=False)
    go_to_its_end(stage, one)
    go_on(stage)
    renewed = stage.all(Payment, Payment.purpose == "subscription_period")
    assert [payment.status for payment in renewed] == ["succeeded"]


STORIES: dict[str, tuple[str, Story]] = {
    "renewing": ("charge", renewing),
    "giving up": ("cancel", giving_up),
    "changing at once": ("charge", changing_at_once),
    "giving back": ("repay", giving_back_the_rest),
    "taking another card": ("set_up_card", taking_another_card),
}


@pytest.mark.parametrize("named", STORIES)
def test_an_answer_about_a_plan_that_is_lost_after_success_is_one_effect(
    plan_stage: PlanStage, named: str
):
    call, story = STORIES[named]

    story(plan_stage, silence(plan_stage, CARDS, call))

    come_to_rest(plan_stage)
    check_at_the_end(plan_stage)


@pytest.mark.parametrize("named", STORIES)
def test_a_death_when_the_answer_about_a_plan_has_come_is_one_effect(
    plan_stage: PlanStage, named: str
):
    call, story = STORIES[named]

    story(plan_stage, death(plan_stage, call))

    come_to_rest(plan_stage)
    check_at_the_end(plan_stage)
