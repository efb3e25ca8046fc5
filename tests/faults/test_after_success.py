"""Whatever a provider was asked for and did, though nobody heard of it, is done once.

For every call of our gateways that changes something there: the answer is lost on its way, or the
process dies when it has come. Then whoever asked asks again, or the background does.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

import payments
from kernel import clock
from payments.gateway import CARDS, TERMINAL, CardGateway, Gateway
from payments.models import Card, Payment, Repayment
from tests.faults.dying import Death
from tests.faults.stage import BY_HOLDER, Stage
from tests.faults.truth import check_at_the_end, come_to_rest
from vouchers.models import Order, Refund

pytestmark = pytest.mark.faults

_ONLY_ASKS = ("get_", "find_", "list_")
_TRIES = {CARDS: 3, TERMINAL: 1}
"""How often a provider's library asks before it gives up."""

Work = Callable[[], object]
Lose = Callable[[Work], None]
Story = Callable[[Stage, Lose], None]


def calls(gateway: type[Any]) -> set[str]:
    """What a gateway can be asked to change."""
    named = {name for name, what in vars(gateway).items() if callable(what) and name[0] != "_"}
    return {name for name in named if not name.startswith(_ONLY_ASKS)}


def order(stage: Stage, card: str | None = "good") -> Order:
    """A new order of Alice's, and paid unless there is no card."""
    stage.order(stage.members[0], {"plain": 1}, None, again=False)
    placed = stage.all(Order)[-1]
    if card is not None:
        stage.pay(placed, card, None, again=False)
        stage.do("kernel.outbox.drain")
    return placed


def pay(stage: Stage, placed: Order, card: str = "good") -> Work:
    return lambda: stage.pay(placed, card, None, again=False)


def a_first_customer(stage: Stage, lose: Lose) -> None:
    placed = order(stage, card=None)
    lose(pay(stage, placed))
    stage.pass_time(timedelta(seconds=61))
    stage.do("payments.sweep.ask_again")
    assert len(stage.sandbox.all("customer")) == 1
    assert paid_once(stage, placed)


def a_charge(stage: Stage, lose: Lose) -> None:
    order(stage)
    placed = order(stage, card=None)
    lose(pay(stage, placed))
    stage.pass_time(timedelta(seconds=61))
    stage.do("payments.sweep.ask_again")
    assert paid_once(stage, placed)


def giving_up(stage: Stage, lose: Lose) -> None:
    placed = order(stage, BY_HOLDER)
    stage.pass_time(timedelta(minutes=31))
    lose(lambda: stage.do("vouchers.jobs.end_unpaid"))
    stage.pass_time(timedelta(hours=1))
    stage.do("vouchers.jobs.end_unpaid")
    stage.do("payments.sweep.ask_again")
    (intent,) = stage.sandbox.all("payment_intent")
    (payment,) = stage.all(Payment, Payment.purpose_id == placed.id)
    assert (intent["status"], payment.status) == ("canceled", "cancelled")
    assert [one.status for one in stage.all(Order)] == ["ended"]


def giving_back(stage: Stage, lose: Lose) -> None:
    placed = order(stage)
    stage.refund(placed, None, None, again=False, by_finance=False)
    lose(lambda: stage.do("payments.repaying.repay_due"))
    stage.pass_time(timedelta(seconds=31))
    stage.do("payments.repaying.repay_due")
    stage.do("kernel.outbox.drain")
    assert [one["amount"] for one in stage.sandbox.all("refund")] == [50_000]
    assert [one.status for one in stage.all(Refund)] == ["paid"]


def keeping_a_card(stage: Stage, lose: Lose) -> None:
    order(stage)
    keep = lambda: payments.save_card(  # noqa: E731  it is lost once, and done once
        member_id=stage.members[0], payment_method="pm_card_visa", now=clock.now()
    )
    lose(lambda: stage.act(keep))
    stage.act(keep)
    assert len(stage.sandbox.all("setup_intent")) == 1
    assert len(stage.all(Card)) == 1


def a_terminal_is_asked(stage: Stage, lose: Lose) -> None:
    lose(lambda: sell(stage, "terminal"))
    stage.pass_time(timedelta(seconds=3))
    stage.do("payments.sweep.ask_again")
    (shown,) = stage.sandbox.all_at_terminals()
    stage.sandbox.tap(shown["id"], "approved")
    stage.pass_time(timedelta(seconds=3))
    stage.do("payments.sweep.ask_again")
    stage.do("kernel.outbox.drain")
    assert [one.status for one in stage.all(Payment)] == ["succeeded"]
    assert [one.status for one in stage.all(Order)] == ["fulfilled"]


def a_terminal_is_told_to_stop(stage: Stage, lose: Lose) -> None:
    sell(stage, "terminal")
    (placed,) = stage.all(Order)
    pay_in_cash = lambda: stage.pay_at_counter(  # noqa: E731  as above
        stage.tills[0], placed, "cash", None, again=False
    )
    lose(pay_in_cash)
    pay_in_cash()
    assert [one["status"] for one in stage.sandbox.all_at_terminals()] == ["cancelled"]
    assert sorted(one.status for one in stage.all(Payment)) == ["cancelled", "succeeded"]


def a_terminal_gives_back(stage: Stage, lose: Lose) -> None:
    sell(stage, "terminal")
    (shown,) = stage.sandbox.all_at_terminals()
    stage.sandbox.tap(shown["id"], "approved")
    stage.pass_time(timedelta(seconds=3))
    stage.do("payments.sweep.ask_again")
    stage.do("kernel.outbox.drain")
    (placed,) = stage.all(Order)
    stage.refund(placed, None, None, again=False, by_finance=False)
    lose(lambda: stage.do("payments.repaying.repay_due"))
    stage.pass_time(timedelta(seconds=31))
    stage.do("payments.repaying.repay_due")
    assert [one["refunded"] for one in stage.sandbox.all_at_terminals()] == [500]
    assert [one.status for one in stage.all(Repayment)] == ["succeeded"]


STORIES: dict[tuple[str, str], Story] = {
    (CARDS, "make_customer"): a_first_customer,
    (CARDS, "charge"): a_charge,
    (CARDS, "cancel"): giving_up,
    (CARDS, "repay"): giving_back,
    (CARDS, "set_up_card"): keeping_a_card,
    (TERMINAL, "charge"): a_terminal_is_asked,
    (TERMINAL, "cancel"): a_terminal_is_told_to_stop,
    (TERMINAL, "repay"): a_terminal_gives_back,
}


def test_no_call_that_changes_something_is_forgotten() -> None:
    of_both = calls(Gateway)
    of_cards = of_both | calls(CardGateway)
    wanted = {(CARDS, call) for call in of_cards} | {(TERMINAL, call) for call in of_both}
    assert set(STORIES) == wanted


@pytest.mark.parametrize(("provider", "call"), STORIES, ids=lambda part: part)
def test_an_answer_that_is_lost_after_success_is_one_effect(
    stage: Stage, provider: str, call: str
) -> None:
    STORIES[provider, call](stage, silence(stage, provider, call))
    come_to_rest(stage)
    check_at_the_end(stage)


@pytest.mark.parametrize(("provider", "call"), STORIES, ids=lambda part: part)
def test_a_death_when_the_answer_has_come_is_one_effect(
    stage: Stage, provider: str, call: str
) -> None:
    STORIES[provider, call](stage, death(stage, call))
    come_to_rest(stage)
    check_at_the_end(stage)


def silence(stage: Stage, provider: str, call: str) -> Lose:
    """Work whose call has its effect, and whose answer is lost."""

    def lose(work: Work) -> None:
        before = len(stage.fate.calls)
        stage.sandbox.strike(fail_after_success=_TRIES[provider])
        work()
        left = stage.sandbox.ask("GET", "/v1/test_helpers/faults")
        assert left is not None
        assert left["fail_after_success"] == 0, "nothing was lost"
        assert call in stage.fate.calls[before:]
        stage.sandbox.mend()

    return lose


def death(stage: Stage, call: str) -> Lose:
    """Work that dies when the answer of its call has come."""

    def lose(work: Work) -> None:
        before = len(stage.fate.calls)
        deaths = stage.fate.deaths
        with stage.fate.meeting(Death("call", "after", 1)):
            work()
        assert stage.fate.deaths == deaths + 1, "nobody died"
        assert stage.fate.calls[before] == call

    return lose


def paid_once(stage: Stage, placed: Order) -> bool:
    """One charge for it, and it is fulfilled once."""
    stage.do("kernel.outbox.drain")
    (payment,) = stage.all(Payment, Payment.purpose_id == placed.id)
    taken = [UUID(one["metadata"]["payment_id"]) for one in stage.sandbox.all("charge")]
    (now,) = stage.all(Order, Order.id == placed.id)
    return taken.count(payment.id) == 1 and now.status == "fulfilled"


def sell(stage: Stage, method: Any) -> object:
    return stage.sell(stage.tills[0], stage.members[0], {"plain": 1}, method, None, again=False)
