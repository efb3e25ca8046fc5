"""How often a failed charge is tried again, and what falls first."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subs.policy import (
    Pause,
    Step,
    Turn,
    Unpaid,
    first_turn,
    is_moved,
    lapse_limit,
    next_attempt_at,
    next_step,
)

PAID_UNTIL = datetime(2026, 2, 28, 7, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def attempts_made(
    dunning_days: Sequence[int], *, grace_days: int, final_at: int = 0
) -> list[datetime]:
    """Play a card that always declines; with `final_at`, that attempt is a hard decline."""
    lapses_at = lapse_limit(starts_at=PAID_UNTIL, now=PAID_UNTIL, grace_days=grace_days)
    made: list[datetime] = []
    retry_at: datetime | None = PAID_UNTIL
    while retry_at is not None:
        made.append(retry_at)
        retry_at = next_attempt_at(
            attempts=len(made),
            dunning_days=dunning_days,
            is_final=len(made) == final_at,
            failed_at=retry_at,
            lapses_at=lapses_at,
        )
    return made


def test_the_usual_schedule_makes_five_attempts_in_all():
    made = attempts_made([2, 5, 7, 7], grace_days=28)

    assert [(at - PAID_UNTIL).days for at in made] == [0, 2, 7, 14, 21]


def test_a_hard_decline_is_not_tried_again():
    assert len(attempts_made([2, 5, 7, 7], grace_days=28, final_at=1)) == 1
    assert len(attempts_made([2, 5, 7, 7], grace_days=28, final_at=3)) == 3


def test_nothing_is_tried_after_the_grace():
    assert len(attempts_made([2, 5, 7, 7], grace_days=10)) == 3
    assert len(attempts_made([2, 5, 7, 7], grace_days=0)) == 1


def test_a_plan_without_dunning_is_tried_once():
    assert attempts_made([], grace_days=28) == [PAID_UNTIL]


@given(st.lists(st.integers(1, 60), max_size=12), st.integers(0, 365))
def test_attempts_are_bounded_in_number_and_time(dunning_days: list[int], grace_days: int):
    made = attempts_made(dunning_days, grace_days=grace_days)

    assert len(made) <= len(dunning_days) + 1
    assert made[-1] <= PAID_UNTIL + grace_days * DAY
    assert made == sorted(set(made))


@pytest.mark.parametrize(
    "turns", list(permutations(Turn)), ids=lambda turns: "-".join(map(str, turns))
)
def test_end_beats_pause_beats_change_beats_renewal_whatever_their_order(turns: tuple[Turn, ...]):
    left = list(turns)

    happened = []
    while left:
        happened.append(first_turn(left))
        left.remove(happened[-1])

    assert happened == [Turn.END, Turn.PAUSE, Turn.CHANGE, Turn.RENEWAL]


def step(
    *,
    after: timedelta = timedelta(0),
    cancel_at_end: bool = False,
    unpaid: Unpaid | None = None,
    pause: Pause | None = None,
) -> Step:
    return next_step(
        now=PAID_UNTIL + after,
        paid_until=PAID_UNTIL,
        cancel_at_end=cancel_at_end,
        unpaid=unpaid,
        pause=pause,
    )


ASKED = Pause(PAID_UNTIL, PAID_UNTIL + 20 * DAY)
BEGUN = Pause(PAID_UNTIL, PAID_UNTIL + 20 * DAY, has_begun=True)


def test_a_pause_begins_with_the_end_of_what_is_paid_and_not_before():
    assert step(after=-DAY, pause=ASKED) is Step.WAIT
    assert step(pause=ASKED) is Step.PAUSE
    assert step(cancel_at_end=True, pause=ASKED) is Step.END


def test_a_pause_lasts_until_its_end_and_then_the_plan_renews():
    assert step(after=19 * DAY, pause=BEGUN) is Step.WAIT
    assert step(after=20 * DAY, pause=BEGUN) is Step.RENEW
    assert step(after=70 * DAY, pause=BEGUN) is Step.RENEW


def test_a_plan_that_is_cancelled_in_its_pause_ends():
    assert step(after=DAY, cancel_at_end=True, pause=BEGUN) is Step.END


def test_what_is_being_charged_is_not_paused():
    unpaid = Unpaid(PAID_UNTIL, lapses_at=PAID_UNTIL + 28 * DAY)

    assert step(pause=ASKED, unpaid=unpaid) is Step.RENEW
    assert step(after=20 * DAY, pause=BEGUN, unpaid=unpaid) is Step.RENEW


@pytest.mark.parametrize(
    ("back_dates", "failed_attempts", "late", "expected"),
    [
        (True, 3, DAY, False),
        (False, 0, 70 * DAY, False),
        (False, 1, DAY, True),
        (False, 1, -DAY, False),
    ],
)
def test_only_who_pays_late_themselves_moves_the_dates(
    back_dates: bool, failed_attempts: int, late: timedelta, expected: bool
):
    moved = is_moved(
        back_dates=back_dates,
        failed_attempts=failed_attempts,
        starts_at=PAID_UNTIL,
        paid_at=PAID_UNTIL + late,
    )

    assert moved is expected


def test_nothing_happens_before_the_period_ends():
    assert step(after=-timedelta(microseconds=1)) is Step.WAIT
    assert step(after=-timedelta(microseconds=1), cancel_at_end=True) is Step.WAIT


def test_a_period_that_ended_is_renewed():
    assert step() is Step.RENEW


def test_a_cancelled_plan_ends_instead_of_renewing():
    assert step(cancel_at_end=True) is Step.END


def test_a_plan_cancelled_during_an_outage_still_ends():
    assert step(after=70 * DAY, cancel_at_end=True) is Step.END


def test_a_charge_under_way_is_seen_through_whatever_else_falls_on_that_moment():
    under_way = Unpaid(PAID_UNTIL, lapses_at=PAID_UNTIL, is_under_way=True)

    assert step(after=DAY, cancel_at_end=True, unpaid=under_way) is Step.RENEW


@pytest.mark.parametrize(
    ("after", "retry_after", "expected"),
    [
        (1 * DAY, 2 * DAY, Step.WAIT),
        (2 * DAY, 2 * DAY, Step.RENEW),
        (27 * DAY, None, Step.WAIT),
        (28 * DAY, None, Step.LAPSE),
        (28 * DAY, 28 * DAY, Step.RENEW),
        (70 * DAY, 2 * DAY, Step.RENEW),
    ],
)
def test_an_unpaid_period_waits_then_is_tried_then_lapses(
    after: timedelta, retry_after: timedelta | None, expected: Step
):
    retry_at = None if retry_after is None else PAID_UNTIL + retry_after
    unpaid = Unpaid(retry_at, lapses_at=PAID_UNTIL + 28 * DAY)

    assert step(after=after, unpaid=unpaid) is expected


def test_the_grace_of_a_period_missed_in_an_outage_counts_from_its_first_attempt():
    found_at = PAID_UNTIL + 70 * DAY

    assert lapse_limit(starts_at=PAID_UNTIL, now=found_at, grace_days=28) == found_at + 28 * DAY
