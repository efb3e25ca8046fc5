"""Offline in any order: phones fetch and show, tills lose the network, logs come back in pieces."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from redemption.models import REMEDIES
from tests.faults.offline_field import A_WHILE, DRINKS, Field, check_field

_any = st.integers(0, 99)
_member = st.integers(0, 2)
_branch = st.integers(0, 4)
_cups = st.integers(1, 2)
_drink = st.sampled_from(DRINKS)
_round = st.lists(_branch, min_size=1, max_size=4, unique=True)
_offer = st.sampled_from(("eleven", "mochas"))


class OfflineWorld(RuleBasedStateMachine):
    """One chain whose tills come and go. `field` is set up by whoever runs it."""

    field: Field
    books_every = 12
    steps_in_all = 0

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    @initialize(visits=st.lists(st.tuples(_member, _round, _cups), min_size=2, max_size=4))
    def open(self, visits: Any) -> None:
        for member, branches, cups in visits:
            self.field.visit(member, branches, cups, "latte")

    @rule(by=st.sampled_from(A_WHILE))
    def wait(self, by: timedelta) -> None:
        self.field.now += by

    @rule(branch=_branch, capsule=_any, cups=_cups, drink=_drink)
    def serve(self, branch: int, capsule: int, cups: int, drink: str) -> None:
        self.field.serve(branch, capsule, cups, drink)

    @rule(member=_member, branches=_round, cups=_cups, drink=_drink)
    def visit(self, member: int, branches: list[int], cups: int, drink: str) -> None:
        self.field.visit(member, branches, cups, drink)

    @rule(visits=st.lists(st.tuples(_member, _round, _cups), min_size=2, max_size=4))
    def go_offline_all_together(self, visits: Any) -> None:
        for member, branches, cups in visits:
            self.field.visit(member, branches, cups, "latte")

    @rule(which=st.lists(_any, min_size=1, max_size=6))
    def upload(self, which: list[int]) -> None:
        self.field.upload(which)

    @rule(branch=_branch)
    def hear(self, branch: int) -> None:
        self.field.hear(branch)

    @rule(branch=_branch, what=st.sampled_from(("save", "save", "restore", "steal", "key", "new")))
    def befall(self, branch: int, what: str) -> None:
        """A till's disk is copied, or put back; it is stolen, or enrolled again."""
        if what == "save":
            self.field.save(branch)
        elif what == "restore":
            self.field.restore(branch)
        elif what == "steal":
            self.field.steal(branch)
        else:
            self.field.enrol_again(branch, is_fresh=what == "new")

    @rule(member=_member, branch=_branch, cups=_cups)
    def come_again(self, member: int, branch: int, cups: int) -> None:
        self.field.come_again(member, branch, cups)

    @rule(members=st.permutations((0, 1, 2)), branch=_branch, hours=st.sampled_from((2, 3, 4, 5)))
    def stay_offline(self, members: list[int], branch: int, hours: int) -> None:
        self.field.stay_offline(members, branch, hours)

    @rule(member=_member, branches=st.permutations(range(5)), many=st.integers(2, 4))
    def walk(self, member: int, branches: list[int], many: int) -> None:
        self.field.walk(member, branches[:many])

    @rule(member=_member, branch=_branch, hours=st.sampled_from((71, 73, 100)))
    def bring_late(self, member: int, branch: int, hours: int) -> None:
        self.field.bring_late(member, branch, hours)

    @rule(members=st.permutations((0, 1, 2)), branch=_branch)
    def spend(self, members: list[int], branch: int) -> None:
        self.field.spend(members, branch)

    @rule(branch=_branch, knows=st.booleans(), numbers=st.lists(st.integers(1, 4), max_size=3))
    def betray(self, branch: int, knows: bool, numbers: list[int]) -> None:
        """A till is stolen that has just served; then somebody writes its past anew."""
        self.field.visit(0, [branch], 1, "latte")
        self.field.visit(2, [branch], 2, "latte")
        if knows:
            self.field.hear(branch)
        self.field.steal(branch)
        for number in numbers:
            self.field.forge(0, number, -1, 0)

    @rule(branch=_branch, number=st.integers(0, 3), capsule=_any, minutes=st.integers(-30, 30))
    def forge(self, branch: int, number: int, capsule: int, minutes: int) -> None:
        """Whoever has a till makes something up."""
        self.field.forge(branch, number, capsule, minutes)

    @rule(member=_member, cups=_cups, drink=_drink)
    def collect(self, member: int, cups: int, drink: str) -> None:
        self.field.collect(member, cups, drink)

    @rule(capsule=_any, cups=_cups)
    def collect_by_capsule(self, capsule: int, cups: int) -> None:
        self.field.collect_by_capsule(capsule, cups)

    @rule(which=_any, cups=_cups)
    def void(self, which: int, cups: int) -> None:
        self.field.void(which, cups)

    @rule(member=_member, what=st.sampled_from(("revoke", "block", "unblock", "unblock")))
    def end(self, member: int, what: str) -> None:
        """A phone is lost, or its wallet blocked for a while."""
        if what == "revoke":
            self.field.revoke(member)
        else:
            self.field.block(member, blocked=what == "block")

    @rule(member=_member, units=st.integers(1, 4), offer=_offer)
    def sell(self, member: int, units: int, offer: str) -> None:
        self.field.sell(member, units, offer)

    @rule(which=_any, remedy=st.sampled_from(REMEDIES))
    def decide(self, which: int, remedy: str) -> None:
        self.field.decide(which, remedy)

    @invariant()
    def holds(self) -> None:
        if self.steps:
            check_field(self.field, with_books=self.steps % self.books_every == 0)
            OfflineWorld.steps_in_all += 1
        self.steps += 1

    def teardown(self) -> None:
        """At last every log has come in."""
        self.field.hear_from_all()
        check_field(self.field, with_books=True)
