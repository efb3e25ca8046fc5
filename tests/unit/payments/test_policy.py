from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from kernel.ids import new_id
from payments import policy

NOON = datetime(2026, 1, 14, 4, tzinfo=UTC)


@pytest.mark.parametrize("news", list(permutations(["requires_action", "failed", "succeeded"])))
def test_success_is_the_end_in_whatever_order_it_is_heard(news: tuple[str, ...]) -> None:
    status = "intent"
    for seen in news:
        status = policy.moved(status, seen)
    assert status == "succeeded"


@pytest.mark.parametrize("end", ["succeeded", "cancelled", "surplus"])
@pytest.mark.parametrize("seen", ["processing", "requires_action", "failed", "succeeded"])
def test_an_end_is_never_left(end: str, seen: str) -> None:
    assert policy.moved(end, seen) == end


def test_what_failed_may_still_be_paid_by_its_holder() -> None:
    assert policy.moved("failed", "succeeded") == "succeeded"
    assert policy.moved("failed", "processing") == "failed"


@pytest.mark.parametrize("failure", ["lost_card", "stolen_card", "expired_card", "pickup_card"])
def test_a_hard_decline_is_final(failure: str) -> None:
    assert policy.is_final(failure)


@pytest.mark.parametrize("failure", ["insufficient_funds", "generic_decline", None])
def test_another_decline_may_be_tried_again(failure: str | None) -> None:
    assert not policy.is_final(failure)


@pytest.mark.parametrize("failure", ["lost_card", "stolen_card", "fraudulent", None])
def test_the_holder_of_a_stolen_card_is_not_told(failure: str | None) -> None:
    assert policy.told(failure) == "generic_decline"


def test_the_holder_is_told_what_they_can_mend() -> None:
    assert policy.told("insufficient_funds") == "insufficient_funds"


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        (timedelta(0), timedelta(seconds=60)),
        (timedelta(minutes=5), timedelta(minutes=5)),
        (timedelta(days=2), timedelta(hours=1)),
    ],
)
def test_the_older_a_question_the_more_seldom_it_is_asked(age: timedelta, wait: timedelta) -> None:
    assert policy.next_look_at(age=age, now=NOON) == NOON + wait


def test_a_key_is_not_repeated_when_the_provider_may_have_forgotten_it() -> None:
    assert policy.may_repeat(age=timedelta(hours=22), is_off_session=True)
    assert not policy.may_repeat(age=timedelta(hours=24), is_off_session=True)


def test_a_holder_is_not_charged_for_what_they_have_given_up():
    assert policy.may_repeat(age=timedelta(minutes=29), is_off_session=False)
    assert not policy.may_repeat(age=timedelta(minutes=30), is_off_session=False)


@pytest.mark.parametrize("news", list(permutations(["processing", "succeeded", "failed"])))
def test_a_repayment_that_was_ever_seen_to_fail_has_failed(news: tuple[str, ...]) -> None:
    status = "intent"
    for seen in news:
        status = policy.returned(status, seen)
    assert status == "failed"


@pytest.mark.parametrize("seen", ["processing", "succeeded"])
def test_a_failed_repayment_is_never_anything_else(seen: str) -> None:
    assert policy.returned("failed", seen) == "failed"


@pytest.mark.parametrize("seen", ["intent", "failed"])
def test_a_form_waits_for_its_payer_as_long_as_it_is_open(seen: str) -> None:
    assert policy.in_form(seen) == "requires_action"
    assert policy.in_form("succeeded") == "succeeded"


@pytest.mark.parametrize("end", ["won", "lost"])
def test_a_dispute_that_was_decided_is_never_open_again(end: str) -> None:
    assert policy.decided(end, "open") == end
    assert policy.decided("open", end) == end


def test_a_clerk_is_answered_within_two_seconds_for_three_minutes() -> None:
    def wait(age: timedelta) -> timedelta:
        return policy.next_look_at(age=age, now=NOON, is_at_counter=True) - NOON

    assert wait(timedelta(0)) == timedelta(seconds=2)
    assert wait(timedelta(seconds=179)) == timedelta(seconds=2)
    assert wait(timedelta(minutes=3)) == timedelta(minutes=3)


def test_a_repayment_is_asked_about_more_and_more_seldom() -> None:
    def wait(age: timedelta) -> timedelta:
        return policy.next_repayment_look_at(age=age, now=NOON) - NOON

    assert wait(timedelta(0)) == timedelta(seconds=15)
    assert wait(timedelta(minutes=5)) == timedelta(minutes=5)
    assert wait(timedelta(days=5)) == timedelta(hours=1)


def test_a_surplus_is_tried_for_a_week() -> None:
    assert policy.surplus_again_at(attempts=6, now=NOON) == NOON + timedelta(days=1)
    assert policy.surplus_again_at(attempts=7, now=NOON) is None


def test_ids_that_are_made_later_are_above_the_first_of_a_moment() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    made = new_id()
    after = datetime.now(UTC) + timedelta(milliseconds=1)
    assert policy.first_id(before) < made < policy.first_id(after)
