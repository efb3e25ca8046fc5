"""The events of one payment end in the same state, in whatever order they come and how often.

Each history happens at the provider first, and nobody hears its answers. Then its events come: in
every order, and five copies of each at the same moment, worked off by three workers.
"""

import os
from collections.abc import Callable, Collection, Sequence
from itertools import permutations
from typing import Any, TypeVar

import pytest
from sqlalchemy import select

from kernel.db import db
from kernel.transaction import transaction
from ledger.models import Entry, Line
from payments.models import Dispute, Payment, Repayment
from tests.faults.dying import Death
from tests.faults.sandbox_here import Document
from tests.faults.stage import BY_HOLDER, CARDS, Stage
from tests.faults.truth import check_at_the_end, check_now, come_to_rest
from tests.service.ledger.trade import check_everything
from tests.together import together
from vouchers.models import Lot, Order, Refund

pytestmark = pytest.mark.faults

_IS_LONG = "FAULTS_STEPS" in os.environ
SOME, MOST = 6, 24
"""So many orders are tried with copies, and without them, where time is short."""

S = TypeVar("S", bound=Stage)
T = TypeVar("T")
History = Callable[[Stage], Order]


def ordered(stage: Stage, card: str | None = None) -> Order:
    """A new member's order; with a card it is paid, heard of and fulfilled."""
    member = stage.world.add_member()
    stage.members.append(member)
    stage.order(member, {"plain": 1, "bonus": 1}, None, again=False)
    (placed,) = stage.all(Order, Order.member_id == member)
    if card is not None:
        stage.pay(placed, card, None, again=False)
        stage.do("kernel.outbox.drain")
    return placed


def a_holder_pays_at_last(stage: Stage) -> Order:
    """A card is refused in the payer's form, the next one wants its holder, who is there."""
    placed = ordered(stage, BY_HOLDER)
    intent = stage.sandbox.newest("payment_intent")
    stage.sandbox.confirm(intent, CARDS["declined"])
    stage.sandbox.confirm(intent, CARDS["wants holder"])
    assert stage.sandbox.authenticate(intent["id"], "succeed")
    return placed


def a_card_is_refused(stage: Stage) -> Order:
    """Its holder fails to authenticate, and nobody was there to hear it."""
    placed = ordered(stage, "wants holder")
    intent = stage.sandbox.newest("payment_intent")
    assert stage.sandbox.authenticate(intent["id"], "fail")
    return placed


def its_refund_comes_back(stage: Stage) -> Order:
    """Money goes back, the bank has it, and sends it back in the end."""
    placed = given_back(stage)
    refund = stage.sandbox.newest("refund")
    assert stage.sandbox.settle(refund["id"], "succeeded")
    assert stage.sandbox.settle(refund["id"], "failed")
    return placed


def what_had_arrived_comes_back(stage: Stage) -> Order:
    """Money goes back, which is heard; long after, the bank sends it back."""
    placed = ordered(stage, "good")
    lot = stage.all(Lot, Lot.member_id == placed.member_id)[0]
    stage.refund(placed, (lot, 3), None, again=False, by_finance=False)
    stage.do("payments.repaying.repay_due")
    stage.do("kernel.outbox.drain")
    assert stage.sandbox.settle(stage.sandbox.newest("refund")["id"], "failed")
    return placed


def it_is_disputed_and_lost(stage: Stage) -> Order:
    placed = ordered(stage, "disputed")
    assert stage.sandbox.decide(stage.sandbox.newest("dispute")["id"], "lost")
    return placed


def it_is_disputed_and_won(stage: Stage) -> Order:
    placed = ordered(stage, "disputed")
    assert stage.sandbox.decide(stage.sandbox.newest("dispute")["id"], "won")
    return placed


def some_is_given_back_and_the_rest_disputed(stage: Stage) -> Order:
    """Everything that can come of one payment, and its own answer was never heard either."""
    placed = given_back(stage)
    intent = stage.sandbox.newest("payment_intent")
    assert stage.sandbox.settle(stage.sandbox.newest("refund")["id"], "succeeded")
    dispute = stage.sandbox.dispute(intent["id"])
    assert dispute is not None
    assert stage.sandbox.decide(dispute["id"], "lost")
    return placed


def given_back(stage: Stage) -> Order:
    """Three cups of a paid order came back; that the provider took it was not heard."""
    placed = ordered(stage, "refunded later")
    lot = stage.all(Lot, Lot.member_id == placed.member_id)[0]
    stage.refund(placed, (lot, 3), None, again=False, by_finance=False)
    with stage.fate.meeting(Death("call", "after", 1)):
        stage.do("payments.repaying.repay_due")
    return placed


HISTORIES: dict[History, set[str]] = {
    a_holder_pays_at_last: {
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "payment_intent.succeeded",
    },
    a_card_is_refused: {"payment_intent.requires_action", "payment_intent.payment_failed"},
    its_refund_comes_back: {
        "refund.created",
        "refund.updated",
        "refund.failed",
        "charge.refunded",
    },
    what_had_arrived_comes_back: {"refund.created", "refund.updated", "refund.failed"},
    it_is_disputed_and_lost: {
        "payment_intent.succeeded",
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
    },
    it_is_disputed_and_won: {
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    },
    some_is_given_back_and_the_rest_disputed: {
        "payment_intent.succeeded",
        "refund.created",
        "charge.refunded",
        "charge.dispute.created",
        "charge.dispute.closed",
    },
}
"""What may become of a payment, and the kinds of events that tell of it."""


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.__name__)
def test_every_order_of_the_events_of_a_payment_ends_the_same(
    stage: Stage, history: History
) -> None:
    ends: dict[str, list[str]] = {}
    for order in tried(HISTORIES[history], MOST):
        placed, events = happened(stage, history, HISTORIES[history])
        for number in order:
            stage.tell([events[number]])
            hear(stage)
        told = [events[number]["type"] for number in order]
        ends.setdefault(_picture(placed), told)
    assert len(ends) == 1, ends
    assert check_everything() == []
    check_now(stage, with_books=False)


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.__name__)
def test_five_copies_of_each_event_at_once_end_as_one_does(stage: Stage, history: History) -> None:
    placed, events = happened(stage, history, HISTORIES[history])
    for event in events:
        stage.tell([event])
        hear(stage)
    one_of_each = _picture(placed)
    for order in tried(HISTORIES[history], SOME):
        placed, events = happened(stage, history, HISTORIES[history])
        for number in order:
            stage.tell([events[number]], copies=5)
            together(stage.app, [lambda: hear(stage)] * 3, in_transactions=False)
        assert _picture(placed) == one_of_each, [events[number]["type"] for number in order]
    assert check_everything() == []
    come_to_rest(stage)
    check_at_the_end(stage)


def tried(kinds: Collection[str], most: int) -> Sequence[Sequence[int]]:
    """Every order of events where there is time, else some from all over the list."""
    orders = list(permutations(range(len(kinds))))
    return orders if _IS_LONG else orders[:: -(-len(orders) // most)]


def happened(
    stage: S, history: Callable[[S], T], kinds: Collection[str]
) -> tuple[T, list[Document]]:
    """Let it happen; answer the events that tell of it, none of which was heard."""
    known = stage.sandbox.count("event")
    what = history(stage)
    fresh = stage.sandbox.all("event", after=known)
    events = [event for event in fresh if event["type"] in kinds]
    assert {event["type"] for event in events} == set(kinds)
    stage.heard |= {event["id"] for event in fresh}
    return what, _last_of_each(events)


def _last_of_each(events: Sequence[Document]) -> list[Document]:
    return list({event["type"]: event for event in events}.values())


def hear(stage: Stage) -> None:
    """Work off what was told."""
    assert stage.do("payments.inbox.read_events") is None
    assert stage.do("kernel.outbox.drain") is None


def _picture(placed: Order) -> str:
    """Everything about an order that is not an id or a moment."""
    mine = placed.member_id
    with transaction():
        (order,) = db.session.scalars(select(Order).where(Order.id == placed.id))
        payments = db.session.scalars(select(Payment).where(Payment.purpose_id == placed.id)).all()
        ids = [payment.id for payment in payments]
        entries = select(Entry.kind, Line.debit, Line.credit, Line.amount, Line.qty).join(
            Line, (Line.member_id == Entry.member_id) & (Line.entry_id == Entry.id)
        )
        shown: dict[str, Any] = {
            "order": order.status,
            "payments": [(one.status, one.failure, one.repaid) for one in payments],
            "repayments": in_order(
                (one.status, one.amount, one.failure)
                for one in db.session.scalars(
                    select(Repayment).where(Repayment.payment_id.in_(ids))
                )
            ),
            "disputes": in_order(
                (one.status, one.followed, one.amount)
                for one in db.session.scalars(select(Dispute).where(Dispute.payment_id.in_(ids)))
            ),
            "refunds": in_order(
                (one.status, one.payable)
                for one in db.session.scalars(select(Refund).where(Refund.purpose_id == placed.id))
            ),
            "lots": in_order(
                (one.units, one.used, one.net_recognised, one.vat_gone, one.frozen_at is not None)
                for one in db.session.scalars(select(Lot).where(Lot.member_id == mine))
            ),
            "books": in_order(
                tuple(row) for row in db.session.execute(entries.where(Entry.member_id == mine))
            ),
        }
    return "\n".join(f"{name}: {value}" for name, value in shown.items())


def in_order(rows: Any) -> list[Any]:
    """Rows in an order of their own."""
    return sorted(rows, key=repr)
