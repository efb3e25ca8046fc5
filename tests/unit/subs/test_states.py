"""The table of a subscription's states."""

import pytest

from subs import states
from subs.models.subscription import ENDED, LIVE
from subs.states import BEGINNING, REMARKS, TRANSITIONS, TransitionError


def test_every_state_is_reached_from_the_beginning():
    reached: set[str | None] = {BEGINNING}
    for _ in LIVE + ENDED:
        reached |= {after for before, after in TRANSITIONS if before in reached}

    assert reached - {BEGINNING} == {*LIVE, *ENDED}


def test_every_live_state_leads_to_an_end_and_no_ended_one_leads_anywhere():
    left = {before for before, _ in TRANSITIONS}

    assert left - {BEGINNING} == set(LIVE)
    assert {before for before, after in TRANSITIONS if after in ENDED} == set(LIVE)


def test_what_changes_a_state_is_never_a_mere_remark():
    causes = frozenset().union(*TRANSITIONS.values())

    assert causes & REMARKS == frozenset()


def test_a_change_that_is_in_the_table_passes():
    states.check(before="active", after="paused", cause="paused")
    states.check_remark("cancel_asked")


@pytest.mark.parametrize(
    ("before", "after", "cause"),
    [
        ("lapsed", "active", "recovered"),
        ("cancelled", "active", "resumed"),
        ("active", "paused", "cancelled"),
        ("active", "active", "renewed"),
        (BEGINNING, "paused", "paused"),
        ("trialing", "paused", "paused"),
    ],
)
def test_a_change_that_is_not_in_it_is_a_defect(before: str | None, after: str, cause: str):
    with pytest.raises(TransitionError):
        states.check(before=before, after=after, cause=cause)


def test_an_unknown_remark_is_a_defect():
    with pytest.raises(TransitionError):
        states.check_remark("paused")
