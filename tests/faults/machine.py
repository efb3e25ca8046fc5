"""Anything in any order: what people do, what the provider does, what dies, and what comes late.

Hypothesis draws the steps. A number picks one of what is there, so that a falsifying example reads
as a story and can be shortened.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from payments.models import Repayment
from redemption.models import Redemption
from tests.faults.dying import Death
from tests.faults.stage import BY_HOLDER, CARDS, DUTIES, PACKS, Stage
from tests.faults.truth import check_at_the_end, check_now, come_to_rest, due
from tests.together import together
from vouchers.models import Gift, Lot, Order, Refund

T = TypeVar("T")

ANY = st.integers(0, 99)
_member = st.integers(0, 2)
TILL = st.integers(0, 1)
_when = st.sampled_from(("before", "after"))
DEATH = st.one_of(
    st.none(),
    st.builds(Death, of=st.just("call"), when=_when, number=st.integers(1, 3)),
    st.builds(Death, of=st.just("statement"), when=_when, number=st.integers(1, 12)),
    st.builds(Death, of=st.just("statement"), when=_when, number=st.integers(10, 45)),
)
_wanted = st.dictionaries(st.sampled_from(sorted(PACKS)), st.integers(1, 3), min_size=1, max_size=3)
_card = st.sampled_from((*CARDS, "good", "good", BY_HOLDER, BY_HOLDER))
_paying = ("good", "good", "refunded later", "refund fails", "disputed")
_first = st.tuples(_member, _wanted, st.sampled_from(_paying))
_spans = st.sampled_from(
    (
        timedelta(seconds=3),
        timedelta(seconds=40),
        timedelta(seconds=70),
        timedelta(minutes=3),
        timedelta(minutes=31),
        timedelta(hours=2),
        timedelta(hours=25),
        timedelta(days=6),
        timedelta(days=15),
    )
)


class Unreliable(RuleBasedStateMachine):
    """What providers, networks and workers do to every world, from its opening until it rests."""

    stage: Stage
    books_every = 10
    steps_in_all = 0

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    @rule(which=ANY, outcome=st.sampled_from(("succeed", "succeed", "fail")))
    def authenticate(self, which: int, outcome: str) -> None:
        if intent := pick(self.intents("requires_action"), which):
            self.stage.sandbox.authenticate(intent["id"], outcome)

    @rule(which=st.lists(ANY, min_size=1, max_size=6), copies=st.sampled_from((1, 1, 2, 5)))
    def deliver(self, which: list[int], copies: int) -> None:
        """Events in an order of their own, some for the second time."""
        told = self.stage.sandbox.all("event")
        if told:
            self.stage.tell([told[-1 - number % len(told)] for number in which], copies)

    @rule(which=ANY)
    def lose(self, which: int) -> None:
        """An event that nobody will ever bring."""
        if event := pick(self.stage.untold(), which):
            self.stage.never_told.add(event["id"])

    @rule(which=ANY, death=DEATH)
    def do_what_is_due(self, which: int, death: Death | None) -> None:
        if duty := pick(due(self.stage), which):
            self.stage.do(duty, death)

    @rule()
    def hear_all(self) -> None:
        """All goes well for a moment: events are heard and promises kept."""
        self.stage.tell(self.stage.untold())
        self.stage.do("payments.inbox.read_events")
        self.stage.do("kernel.outbox.drain")

    @rule(
        fault=st.sampled_from(("fail_before", "fail_after_success")),
        times=st.sampled_from((1, 3, 3, 4, 7)),
    )
    def strike(self, fault: str, times: int) -> None:
        """The provider fails; three times, since its library tries three times."""
        self.stage.sandbox.strike(**{fault: times})

    @rule()
    def mend(self) -> None:
        self.stage.sandbox.mend()

    @invariant()
    def holds(self) -> None:
        if self.steps:
            self.check_now(with_books=self.steps % self.books_every == 0)
            Unreliable.steps_in_all += 1
        self.steps += 1

    def check_now(self, *, with_books: bool) -> None:
        check_now(self.stage, with_books=with_books)

    def teardown(self) -> None:
        come_to_rest(self.stage)
        check_at_the_end(self.stage)

    def intents(self, status: str) -> list[dict[str, Any]]:
        found = self.stage.sandbox.all("payment_intent")
        return [intent for intent in found if intent["status"] == status]


class FaultyWorld(Unreliable):
    """One chain that sells packs, from its opening until everything has come to rest."""

    @initialize(bought=st.lists(_first, min_size=3, max_size=5), wanted=_wanted, till=TILL)
    def open(self, bought: Any, wanted: dict[str, int], till: int) -> None:
        """Some hold cups already, so that there is something to go wrong with."""
        for member, first, card in bought:
            self.buy(member, first, card, None)
        self.stage.sell(
            self.stage.tills[till], self.stage.members[0], wanted, "cash", None, again=False
        )
        self.hear_all()

    @rule(member=_member, wanted=_wanted, death=DEATH, again=st.booleans())
    def order(self, member: int, wanted: dict[str, int], death: Death | None, again: bool) -> None:
        self.stage.order(self.stage.members[member], wanted, death, again=again)

    @rule(which=ANY, card=_card, death=DEATH, again=st.booleans())
    def pay(self, which: int, card: str, death: Death | None, again: bool) -> None:
        orders = self.stage.all(Order, Order.channel == "app", Order.status == "pending")
        if order := pick(orders, which):
            self.stage.pay(order, card, death, again=again)

    @rule(member=_member, wanted=_wanted, card=_card, death=DEATH)
    def buy(self, member: int, wanted: dict[str, int], card: str, death: Death | None) -> None:
        """Order and pay in one go."""
        self.stage.order(self.stage.members[member], wanted, None, again=False)
        orders = self.stage.all(Order, Order.channel == "app", Order.status == "pending")
        if order := pick(orders, -1):
            self.stage.pay(order, card, death, again=False)

    @rule(which=ANY, card=st.sampled_from(("good", "declined", "wants holder")))
    def fill_in_the_form(self, which: int, card: str) -> None:
        if intent := pick(self.intents("requires_payment_method"), which):
            self.stage.sandbox.confirm(intent, CARDS[card])

    @rule(
        till=TILL, member=_member, wanted=_wanted, death=DEATH, again=st.booleans(),
        method=st.sampled_from(("cash", "terminal")),
    )  # fmt: skip
    def sell(
        self, till: int, member: int, wanted: Any, death: Any, again: bool, method: Any
    ) -> None:
        seller, buyer = self.stage.tills[till], self.stage.members[member]
        self.stage.sell(seller, buyer, wanted, method, death, again=again)

    @rule(which=ANY, death=DEATH, again=st.booleans(), method=st.sampled_from(("cash", "terminal")))
    def pay_at_counter(self, which: int, death: Death | None, again: bool, method: Any) -> None:
        orders = self.stage.all(Order, Order.channel == "counter", Order.status == "pending")
        if order := pick(orders, which):
            (till,) = [one for one in self.stage.tills if one.store_id == order.store_id]
            self.stage.pay_at_counter(till, order, method, death, again=again)

    @rule(which=ANY, outcome=st.sampled_from(("approved", "approved", "declined")))
    def tap(self, which: int, outcome: str) -> None:
        waiting = [
            one for one in self.stage.sandbox.all_at_terminals() if one["status"] == "waiting"
        ]
        if payment := pick(waiting, which):
            self.stage.sandbox.tap(payment["id"], outcome)

    @rule(
        till=TILL, which=ANY, product=st.sampled_from(("latte", "latte", "dear")),
        cups=st.integers(1, 6), again=st.booleans(),
    )  # fmt: skip
    def redeem(self, till: int, which: int, product: str, cups: int, again: bool) -> None:
        if lot := pick(self.stage.all(Lot, Lot.is_open), which):
            self.stage.redeem(self.stage.tills[till], lot.member_id, product, cups, again=again)

    @rule(which=ANY, death=DEATH)
    def void(self, which: int, death: Death | None) -> None:
        if given := pick(self.stage.all(Redemption), which):
            (till,) = [one for one in self.stage.tills if one.store_id == given.store_id]
            self.stage.void(given.id, till, death)

    @rule(
        which=ANY, cups=st.integers(1, 8), days=st.integers(1, 30), death=DEATH,
        again=st.booleans(),
    )  # fmt: skip
    def give(self, which: int, cups: int, days: int, death: Death | None, again: bool) -> None:
        if lot := pick(self.stage.all(Lot, Lot.is_open), which):
            self.stage.give(lot, cups, days, death, again=again)

    @rule(which=ANY, member=_member, death=DEATH, again=st.booleans())
    def claim(self, which: int, member: int, death: Death | None, again: bool) -> None:
        if gift := pick(_open_first(self.stage.all(Gift)), which):
            self.stage.claim(gift.id, self.stage.members[member], death, again=again)

    @rule(which=ANY, death=DEATH, again=st.booleans())
    def withdraw(self, which: int, death: Death | None, again: bool) -> None:
        if gift := pick(self.stage.all(Gift), which):
            self.stage.withdraw(gift, death, again=again)

    @rule(which=ANY, member=_member, death=DEATH)
    def decline(self, which: int, member: int, death: Death | None) -> None:
        if gift := pick(self.stage.all(Gift), which):
            self.stage.decline(gift, self.stage.members[member], death)

    @rule(which=ANY, death=DEATH, again=st.booleans(), by_finance=st.booleans())
    def refund_order(self, which: int, death: Any, again: bool, by_finance: bool) -> None:
        if order := pick(self.stage.all(Order, Order.status == "fulfilled"), which):
            self.stage.refund(order, None, death, again=again, by_finance=by_finance)

    @rule(which=ANY, cups=st.integers(1, 11), outcome=st.sampled_from(("succeeded", "failed")))
    def refund_and_settle(self, which: int, cups: int, outcome: str) -> None:
        """All goes well until the provider has it; then its holder's bank decides."""
        self.refund_cups(which, cups, None, again=False)
        self.stage.do("payments.repaying.repay_due")
        self.hear_all()
        if refunds := self.stage.sandbox.all("refund"):
            self.stage.sandbox.settle(refunds[-1]["id"], outcome)

    @rule(which=ANY, cups=st.integers(1, 11), death=DEATH, again=st.booleans())
    def refund_cups(self, which: int, cups: int, death: Death | None, again: bool) -> None:
        orders = self.stage.all(Order)
        if lot := pick(self.stage.all(Lot, Lot.is_open), which):
            cups = 1 + cups % (lot.units - lot.used)
            self.stage.refund(orders[0], (lot, cups), death, again=again, by_finance=False)

    @rule(which=ANY, death=DEATH, otherwise=st.booleans())
    def retry_refund(self, which: int, death: Death | None, otherwise: bool) -> None:
        if refund := pick(self.stage.all(Refund, Refund.status == "failed"), which):
            self.stage.retry_refund(refund.id, death, otherwise=otherwise)

    @rule(which=ANY, till=TILL, death=DEATH)
    def hand_out(self, which: int, till: int, death: Death | None) -> None:
        owed = self.stage.all(
            Repayment, Repayment.provider == "cash", Repayment.status == "processing"
        )
        if repayment := pick(owed, which):
            self.stage.hand_out(repayment.id, self.stage.tills[till], death)

    @rule(which=ANY, whole=st.booleans())
    def dispute(self, which: int, whole: bool) -> None:
        if intent := pick(self.intents("succeeded"), which):
            terms = {} if whole else {"amount": intent["amount"] // 200 * 100}
            self.stage.sandbox.dispute(intent["id"], **terms)

    @rule(which=ANY, outcome=st.sampled_from(("won", "lost")))
    def decide(self, which: int, outcome: str) -> None:
        if dispute := pick(self.stage.sandbox.all("dispute"), which):
            self.stage.sandbox.decide(dispute["id"], outcome)

    @rule(which=ANY, outcome=st.sampled_from(("succeeded", "failed", "failed")))
    def settle_refund(self, which: int, outcome: str) -> None:
        """A bank brings the money, or sends it back, also after it had brought it."""
        if refund := pick(self.stage.sandbox.all("refund"), which):
            self.stage.sandbox.settle(refund["id"], outcome)

    @rule(by=_spans)
    def pass_time(self, by: timedelta) -> None:
        self.stage.pass_time(by)

    @rule(duty=st.sampled_from(sorted(DUTIES)), death=DEATH)
    def do(self, duty: str, death: Death | None) -> None:
        self.stage.do(duty, death)

    @rule(duty=st.sampled_from(("payments.inbox.read_events", "kernel.outbox.drain")))
    def do_side_by_side(self, duty: str) -> None:
        works = [lambda: self.stage.do(duty)] * 3
        together(self.stage.app, works, in_transactions=False)


def _open_first(gifts: Sequence[Gift]) -> Sequence[Gift]:
    """The open ones where there are any: a closed gift is asked for only then."""
    return [gift for gift in gifts if gift.status == "open"] or gifts


def pick(there: Sequence[T], which: int) -> T | None:
    """One of what is there, if there is anything."""
    return there[which % len(there)] if there else None
