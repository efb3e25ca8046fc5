"""The events of one renewal, or of one change, end in the same state in whatever order they come.

As `test_orders_of_events` has it of orders: it happens at the provider first, and nobody hears.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

import subs
from kernel import clock
from kernel.db import db
from kernel.transaction import transaction
from ledger.models import Entry, Line
from payments.models import Card, Payment, Repayment
from subs.models import Period, PlanChange, Subscription
from tests.faults.dying import Death
from tests.faults.plan_stage import PlanStage
from tests.faults.plan_truth import check_at_the_end, check_now
from tests.faults.stage import CARDS
from tests.faults.test_orders_of_events import SOME, happened, hear, in_order, tried
from tests.faults.truth import come_to_rest, do_what_is_due
from tests.together import together
from vouchers.models import Lot

pytestmark = pytest.mark.faults

History = Callable[[PlanStage], Subscription]


def due(stage: PlanStage, into: str) -> Subscription:
    """The plan of somebody new is due for its second period, and their card has turned."""
    one = begun(stage)
    (card,) = stage.all(Card, Card.member_id == one.member_id)
    stage.turn(card, into)
    assert one.due_at is not None
    stage.pass_time(one.due_at - clock.now() + timedelta(seconds=1))
    return one


def begun(stage: PlanStage) -> Subscription:
    member = stage.join()
    stage.subscribe(member, "monthly", "good", None, again=False)
    stage.do("kernel.outbox.drain")
    (one,) = stage.all(Subscription, Subscription.member_id == member)
    return one


def charge_unheard(stage: PlanStage) -> str:
    """A worker asks for the money, and dies when the answer has come; the intent of it."""
    stage.do("subs.jobs.renew_due", Death("call", "after", 1))
    intent_id: str = stage.sandbox.newest("payment_intent")["id"]
    return intent_id


def answer(stage: PlanStage, intent_id: str, outcome: str) -> None:
    """The cardholder, whom the bank wanted, opens the payment and passes or fails."""
    intent = next(one for one in stage.sandbox.all("payment_intent") if one["id"] == intent_id)
    stage.sandbox.confirm(intent, CARDS["wants holder"])
    assert stage.sandbox.authenticate(intent_id, outcome)


def a_holder_pays_a_renewal(stage: PlanStage) -> Subscription:
    one = due(stage, "wants holder")
    answer(stage, charge_unheard(stage), "succeed")
    return one


def a_holder_fails_a_renewal(stage: PlanStage) -> Subscription:
    one = due(stage, "wants holder")
    answer(stage, charge_unheard(stage), "fail")
    return one


def a_holder_pays_for_a_plan_that_has_ended(stage: PlanStage) -> Subscription:
    one = due(stage, "wants holder")
    intent_id = charge_unheard(stage)
    stage.ask(subs.cancel, one, None, at="now")
    answer(stage, intent_id, "succeed")
    return one


def a_holder_pays_a_change(stage: PlanStage) -> Subscription:
    """A change at once whose payment wants its holder; nobody hears the answer."""
    one = begun(stage)
    (card,) = stage.all(Card, Card.member_id == one.member_id)
    stage.turn(card, "wants holder")
    with stage.fate.meeting(Death("call", "after", 1)):
        stage.act(lambda: stage.change(one, "larger", "now", None, again=False))
    intent = stage.sandbox.newest("payment_intent")
    assert stage.sandbox.authenticate(intent["id"], "succeed")
    return one


def a_renewal_is_disputed_and_lost(stage: PlanStage) -> Subscription:
    one = due(stage, "good")
    charge_unheard(stage)
    dispute = stage.sandbox.dispute(stage.sandbox.newest("payment_intent")["id"])
    assert dispute is not None
    assert stage.sandbox.decide(dispute["id"], "lost")
    return one


HISTORIES: dict[History, set[str]] = {
    a_holder_pays_a_renewal: {
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "payment_intent.succeeded",
    },
    a_holder_fails_a_renewal: {"payment_intent.requires_action", "payment_intent.payment_failed"},
    a_holder_pays_for_a_plan_that_has_ended: {
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "payment_intent.succeeded",
    },
    a_holder_pays_a_change: {"payment_intent.requires_action", "payment_intent.succeeded"},
    a_renewal_is_disputed_and_lost: {
        "payment_intent.succeeded",
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
    },
}
"""What may become of a renewal or a change, and the kinds of events that tell of it."""


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.__name__)
def test_every_order_of_the_events_of_a_renewal_ends_the_same(
    plan_stage: PlanStage, history: History
):
    ends: dict[str, list[str]] = {}
    for order in tried(HISTORIES[history], SOME):
        one, events = happened(plan_stage, history, HISTORIES[history])
        for number in order:
            plan_stage.tell([events[number]])
            hear(plan_stage)
        told = [events[number]["type"] for number in order]
        ends.setdefault(_picture(one), told)
        _leave(plan_stage, one)
    assert len(ends) == 1, ends
    check_now(plan_stage, with_books=True)


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.__name__)
def test_five_copies_of_each_event_of_a_renewal_at_once_end_as_one_does(
    plan_stage: PlanStage, history: History
):
    pictures = set()
    for copies in (1, 5):
        for order in tried(HISTORIES[history], SOME)[: SOME // 2]:
            one, events = happened(plan_stage, history, HISTORIES[history])
            for number in order:
                plan_stage.tell([events[number]], copies=copies)
                together(plan_stage.app, [lambda: hear(plan_stage)] * 3, in_transactions=False)
            pictures.add(_picture(one))
            _leave(plan_stage, one)
    assert len(pictures) == 1, pictures
    come_to_rest(plan_stage)
    check_at_the_end(plan_stage)


def _leave(stage: PlanStage, one: Subscription) -> None:
    """End the plan, so that nothing of it is due when the next history happens."""
    stage.ask(subs.cancel, one, None, at="now")
    do_what_is_due(stage)


def _picture(one: Subscription) -> str:
    """Everything about a plan and its member that is not an id, a moment or an attempt."""
    with transaction():
        (plan,) = db.session.scalars(select(Subscription).where(Subscription.id == one.id))
        member_id = plan.member_id
        entries = select(Entry.kind, Line.debit, Line.credit, Line.amount, Line.qty).join(
            Line, (Line.member_id == Entry.member_id) & (Line.entry_id == Entry.id)
        )
        shown: dict[str, Any] = {
            "plan": (plan.status, plan.ended_at is None),
            "periods": [
                (period.number, period.status, period.payment_id is None)
                for period in db.session.scalars(
                    select(Period).where(Period.subscription_id == one.id).order_by(Period.number)
                )
            ],
            "changes": [
                (change.status, change.amount)
                for change in db.session.scalars(
                    select(PlanChange).where(PlanChange.subscription_id == one.id)
                )
            ],
            "payments": in_order(
                (payment.purpose, payment.status, payment.failure, payment.repaid)
                for payment in db.session.scalars(
                    select(Payment).where(Payment.member_id == member_id)
                )
            ),
            "repayments": in_order(
                (repayment.status, repayment.amount)
                for repayment in db.session.scalars(
                    select(Repayment).where(Repayment.member_id == member_id)
                )
            ),
            "lots": in_order(
                (lot.units, lot.used, lot.net, lot.net_recognised, lot.frozen_at is not None)
                for lot in db.session.scalars(select(Lot).where(Lot.member_id == member_id))
            ),
            "books": in_order(
                tuple(row)
                for row in db.session.execute(entries.where(Entry.member_id == member_id))
            ),
        }
    return "\n".join(f"{name}: {value}" for name, value in shown.items())
