"""Plans in any order: what subscribers do, what becomes of cards, what dies, what comes late."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

import subs
from kernel import clock
from payments.models import Card
from subs.models import Subscription
from subs.service.change import withdraw
from tests.faults import plan_truth
from tests.faults.dying import Death
from tests.faults.machine import ANY, DEATH, TILL, Unreliable, pick
from tests.faults.plan_stage import PLAN_DUTIES, PLANS, TURNS, PlanStage
from tests.faults.stage import CARDS
from tests.faults.truth import come_to_rest, do_what_is_due
from tests.together import together
from vouchers.models import Lot

_code = st.sampled_from(sorted(PLANS))
_card = st.sampled_from(("good", "good", "good", "declined", "lost", "wants holder", None))
_turn = st.sampled_from((*TURNS, "no funds", "no funds", "good", "good"))
_first = st.tuples(_code, st.sampled_from(("good", "good", "good", "wants holder", "disputed")))
_spans = st.sampled_from(
    (
        timedelta(minutes=1),
        timedelta(minutes=3),
        timedelta(hours=2),
        timedelta(days=1),
        timedelta(days=2),
        timedelta(days=7),
        timedelta(days=19),
        timedelta(days=31),
        timedelta(days=70),
    )
)
_STEPS_BEFORE_WORK = 3


class PlanWorld(Unreliable):
    """A chain that sells plans, from its opening until everything has come to rest."""

    stage: PlanStage

    @initialize(bought=st.lists(_first, min_size=4, max_size=6))
    def open(self, bought: list[tuple[str, str]]) -> None:
        """Some subscribe already, so that there is something to go wrong with."""
        for code, card in bought:
            self.subscribe(code, card, None, again=False, is_new=True, which=0)
        self.hear_all()

    # What members do.

    @rule(code=_code, card=_card, death=DEATH, again=st.booleans(), is_new=st.booleans(), which=ANY)
    def subscribe(
        self,
        code: str,
        card: str | None,
        death: Death | None,
        again: bool,
        is_new: bool,
        which: int,
    ) -> None:
        """Somebody new, or who knows the chain, takes up a plan."""
        member = self.stage.join() if is_new else pick(self.stage.members, which)
        assert member is not None
        self.stage.subscribe(member, code, self._way(code, card), death, again=again)

    @rule(which=ANY, code=_code, periods=st.integers(1, 3), death=DEATH)
    def provide(self, which: int, code: str, periods: int, death: Death | None) -> None:
        if (member := pick(self.stage.members, which)) and PLANS[code].get("price") != 0:
            self.stage.provide(member, code, periods, death)

    @rule(which=ANY, with_card=st.booleans(), death=DEATH, again=st.booleans())
    def start_prepaid(self, which: int, with_card: bool, death: Death | None, again: bool) -> None:
        lots = self.stage.all(Lot, Lot.prepays_plan, Lot.is_open)
        if lot := pick(lots, which):
            card = pick(self.stage.all(Card, Card.member_id == lot.member_id), which)
            card_id = card.id if card is not None and with_card else None
            self.stage.start_prepaid(lot, card_id, death, again=again)

    @rule(which=ANY, at=st.sampled_from(("end", "end", "now")), death=DEATH)
    def cancel(self, which: int, at: str, death: Death | None) -> None:
        if one := self._live(which):
            self.stage.ask(subs.cancel, one, death, at=at, reason="quality")

    @rule(which=ANY, death=DEATH)
    def keep(self, which: int, death: Death | None) -> None:
        if one := self._live(which, Subscription.cancel_at_end):
            self.stage.ask(subs.keep, one, death)

    @rule(which=ANY, days=st.sampled_from((1, 5, 20, 60)), death=DEATH)
    def pause(self, which: int, days: int, death: Death | None) -> None:
        """For so many days from the end of what is paid, or from now on."""
        if one := self._live(which, Subscription.status == "active"):
            begins_at = max(one.due_at or clock.now(), clock.now())
            until = (begins_at + timedelta(days=days, hours=8)).date()
            self.stage.ask(subs.pause, one, death, until=until)

    @rule(which=ANY, death=DEATH)
    def resume(self, which: int, death: Death | None) -> None:
        if one := self._live(which, Subscription.status == "paused"):
            self.stage.ask(subs.resume, one, death)

    @rule(which=ANY, death=DEATH, what=st.sampled_from((subs.withdraw_pause, withdraw)))
    def withdraw(self, which: int, death: Death | None, what: Any) -> None:
        if one := self._live(which):
            self.stage.ask(what, one, death)

    @rule(
        which=ANY, code=_code, at=st.sampled_from(("now", "now", "end")), death=DEATH,
        again=st.booleans(),
    )  # fmt: skip
    def change(self, which: int, code: str, at: Any, death: Death | None, again: bool) -> None:
        if one := self._live(which):
            self.stage.change(one, code, at, death, again=again)

    @rule(which=ANY, card=_card.filter(bool), death=DEATH, again=st.booleans())
    def use_card(self, which: int, card: str, death: Death | None, again: bool) -> None:
        if one := self._live(which):
            self.stage.use_card(one, card, death, again=again)

    @rule(till=TILL, which=ANY, cups=st.integers(1, 4), again=st.booleans())
    def redeem(self, till: int, which: int, cups: int, again: bool) -> None:
        if lot := pick(self.stage.all(Lot, Lot.is_open), which):
            self.stage.redeem(self.stage.tills[till], lot.member_id, "latte", cups, again=again)

    # What happens to them.

    @rule(which=ANY, into=_turn)
    def turn(self, which: int, into: str) -> None:
        if card := pick(self.stage.all(Card), which):
            self.stage.turn(card, into)

    @rule(which=ANY, outcome=st.sampled_from(("succeed", "succeed", "fail")))
    def answer_the_bank(self, which: int, outcome: str) -> None:
        """The holder of a card opens a renewal that was refused, and passes or fails."""
        if intent := pick(self.intents("requires_payment_method"), which):
            self.stage.sandbox.confirm(intent, CARDS["wants holder"])
            self.stage.sandbox.authenticate(intent["id"], outcome)

    @rule(by=_spans)
    def pass_time(self, by: timedelta) -> None:
        """Nobody works meanwhile."""
        self.stage.pass_time(by)

    @rule(death=DEATH)
    def come_to_what_is_next(self, death: Death | None) -> None:
        """The next moment at which something is due about a plan, and a worker who is there."""
        if at := self.stage.next_due_at():
            self.stage.pass_time(max(at - clock.now(), timedelta()) + timedelta(seconds=1))
            self.stage.do("subs.jobs.renew_due", death)

    @rule(days=st.integers(1, 12))
    def live_through(self, days: int) -> None:
        """All goes well for some days, as far as cards let it."""
        self.stage.sandbox.mend()
        for _ in range(days):
            self.stage.pass_time(timedelta(days=1))
            self.stage.tell(self.stage.untold())
            do_what_is_due(self.stage)

    @rule(duty=st.sampled_from(sorted(PLAN_DUTIES)), death=DEATH)
    def do(self, duty: str, death: Death | None) -> None:
        self.stage.do(duty, death)

    @rule()
    def renew_side_by_side(self) -> None:
        works = [lambda: self.stage.do("subs.jobs.renew_due")] * 3
        together(self.stage.app, works, in_transactions=False)

    @rule(which=ANY, outcome=st.sampled_from(("won", "lost")))
    def dispute(self, which: int, outcome: str) -> None:
        """A bank takes money back; the one that it decides about may be another."""
        if intent := pick(self.intents("succeeded"), which):
            self.stage.sandbox.dispute(intent["id"])
        if dispute := pick(self.stage.sandbox.all("dispute"), which):
            self.stage.sandbox.decide(dispute["id"], outcome)

    def check_now(self, *, with_books: bool) -> None:
        """The world does not stand still: after some steps something is due, and somebody works."""
        if self.steps % _STEPS_BEFORE_WORK == 0:
            self.come_to_what_is_next(None)
            self.hear_all()
        plan_truth.check_now(self.stage, with_books=with_books)

    def teardown(self) -> None:
        come_to_rest(self.stage)
        plan_truth.check_at_the_end(self.stage)

    def _live(self, which: int, *those: Any) -> Subscription | None:
        """One that goes on, if possible one of those."""
        is_live = Subscription.ended_at.is_(None)
        return pick(self.stage.all(Subscription, is_live, *those), which) or pick(
            self.stage.all(Subscription, is_live), which
        )

    def _way(self, code: str, card: str | None) -> str | None:
        """What costs nothing may be had for nothing; whoever wants that for money is refused."""
        return None if PLANS[code].get("price") == 0 else card
