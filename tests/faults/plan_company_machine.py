"""Plans in any order, and who shares, gives, leaves behind, or runs ahead of everybody."""

from datetime import timedelta
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import rule

from subs.models import Sharer
from tests.faults import plan_company_truth
from tests.faults.dying import Death
from tests.faults.machine import ANY, DEATH, TILL, pick
from tests.faults.plan_company import PlanCompany
from tests.faults.plan_machine import PlanWorld
from tests.faults.plan_stage import PLANS
from vouchers.models import Gift, Lot, Order

_sold = st.sampled_from(sorted(PLANS))
_ahead = st.sampled_from(
    (timedelta(hours=3), timedelta(days=1), timedelta(days=8), timedelta(days=32))
)


class PlanCompanyWorld(PlanWorld):
    """A chain whose plans are shared, given and left behind, until everything is at rest."""

    stage: PlanCompany

    # Who shares.

    @rule(which=ANY, who=ANY, again=st.booleans())
    def share_a_plan(self, which: int, who: int, again: bool) -> None:
        """Somebody is offered a place, and takes it."""
        self.invite(which, None, again=again)
        if place := pick(self.stage.all(Sharer, Sharer.joined_at.is_(None)), -1):
            self.stage.share(place, self._member(who), None, again=again)

    @rule(which=ANY, death=DEATH, again=st.booleans())
    def invite(self, which: int, death: Death | None, again: bool) -> None:
        family, _ = self.stage.world.offers["family"]
        if one := self._live(which, self.stage.is_of(family)):
            self.stage.invite(one, death, again=again)

    @rule(which=ANY, who=ANY, death=DEATH, again=st.booleans())
    def share(self, which: int, who: int, death: Death | None, again: bool) -> None:
        if place := pick(self.stage.all(Sharer), which):
            self.stage.share(place, self._member(who), death, again=again)

    @rule(which=ANY, death=DEATH, by_owner=st.booleans())
    def end_sharing(self, which: int, death: Death | None, by_owner: bool) -> None:
        if place := pick(self.stage.all(Sharer), which):
            self.stage.end_sharing(place, death, by_owner=by_owner)

    @rule(till=TILL, which=ANY, cups=st.integers(1, 4))
    def collect_shared(self, till: int, which: int, cups: int) -> None:
        """Also who shares no longer tries."""
        if place := pick(self.stage.all(Sharer, Sharer.member_id.is_not(None)), which):
            self.stage.collect_shared(self.stage.tills[till], place, cups)

    # Who is given periods.

    @rule(which=ANY, who=ANY, days=st.integers(1, 30), death=DEATH, again=st.booleans())
    def give_periods(
        self, which: int, who: int, days: int, death: Death | None, again: bool
    ) -> None:
        """By a link, which somebody opens, or nobody yet."""
        if lot := pick(self.stage.all(Lot, Lot.prepays_plan, Lot.is_open), which):
            self.stage.give(lot, 1 + which % (lot.units - lot.used), days, death, again=again)
            if again and (gift := pick(self.stage.all(Gift, Gift.status == "open"), -1)):
                self.stage.claim(gift.id, self._member(who), None, again=False)

    @rule(which=ANY, who=ANY, death=DEATH, again=st.booleans())
    def claim(self, which: int, who: int, death: Death | None, again: bool) -> None:
        gifts = self.stage.all(Gift, Gift.status == "open") or self.stage.all(Gift)
        if gift := pick(gifts, which):
            self.stage.claim(gift.id, self._member(who), death, again=again)

    @rule(which=ANY, death=DEATH, again=st.booleans())
    def take_a_gift_back(self, which: int, death: Death | None, again: bool) -> None:
        if gift := pick(self.stage.all(Gift), which):
            self.stage.withdraw(gift, death, again=again)

    @rule(which=ANY, death=DEATH, again=st.booleans())
    def refund_periods(self, which: int, death: Death | None, again: bool) -> None:
        """Who bought periods wants the money of those that nobody uses."""
        if lot := pick(self.stage.all(Lot, Lot.prepays_plan, Lot.is_open), which):
            order = self.stage.all(Order, Order.member_id == lot.buyer_id)[0]
            cups = 1 + which % (lot.units - lot.used)
            self.stage.refund(order, (lot, cups), death, again=again, by_finance=False)

    # Whose terms end, and whose clock runs.

    @rule(
        code=_sold, dearer_by=st.sampled_from((0, 30)), sharers=st.sampled_from((None, None, 0, 1))
    )
    def leave_behind(self, code: str, dearer_by: int, sharers: int | None) -> None:
        self.stage.leave_behind(code, dearer_by=dearer_by, sharers=sharers)

    @rule(which=ANY, by=_ahead, death=DEATH)
    def run_ahead(self, which: int, by: timedelta, death: Death | None) -> None:
        if one := self._live(which):
            self.stage.run_ahead(one.member_id, by, death)

    def check_now(self, *, with_books: bool) -> None:
        super().check_now(with_books=with_books)
        plan_company_truth.check_now()

    def teardown(self) -> None:
        super().teardown()
        plan_company_truth.check_at_the_end()

    def _member(self, which: int) -> UUID:
        found = pick(self.stage.members, which)
        assert found is not None
        return found
