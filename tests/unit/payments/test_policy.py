from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

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
    assert policy.next_look_at(asked_at=NOON - age, now=NOON) == NOON + wait


def test_a_key_is_not_repeated_when_the_provider_may_have_forgotten_it() -> None:
    off_session = {"now": NOON, "is_off_session": True}
    assert policy.may_repeat(asked_at=NOON - timedelta(hours=22), **off_session)
    assert not policy.may_repeat(asked_at=NOON - timedelta(hours=24), **off_session)


def test_a_holder_is_not_charged_for_what_they_have_given_up():
    on_session = {"now": NOON, "is_off_session": False}
    assert policy.may_repeat(asked_at=NOON - timedelta(minutes=29), **on_session)
    assert not policy.may_repeat(asked_at=NOON - timedelta(minutes=30), **on_session)
