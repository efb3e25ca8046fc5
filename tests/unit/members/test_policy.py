from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from members.policy import next_send_at

NOON = datetime(2026, 1, 14, 4, 0, tzinfo=UTC)


def _minutes_before(*minutes: float) -> list[datetime]:
    return [NOON - timedelta(minutes=ago) for ago in minutes]


def test_the_first_code_may_be_sent_at_once():
    assert next_send_at([]) is None


def test_a_second_code_waits_a_minute():
    assert next_send_at([NOON]) == NOON + timedelta(seconds=60)


def test_a_sixth_code_waits_until_the_first_of_five_is_an_hour_old():
    sent = _minutes_before(2, 4, 6, 8, 50)

    assert next_send_at(sent) == NOON + timedelta(minutes=10)


def test_an_eleventh_code_waits_until_the_first_of_ten_is_a_day_old():
    sent = _minutes_before(61, 122, 183, 244, 305, 366, 427, 488, 549, 610)

    assert next_send_at(sent) == NOON - timedelta(minutes=610) + timedelta(days=1)


@given(st.lists(st.integers(1, 100_000), max_size=300))
def test_no_window_ever_holds_more_than_its_limit(waits: list[int]):
    sent: list[datetime] = []
    at = NOON
    for wait in waits:
        at += timedelta(seconds=wait)
        free_at = next_send_at(sent)
        if free_at is None or free_at <= at:
            sent.insert(0, at)

    for limit, window in ((1, 60), (5, 3_600), (10, 86_400)):
        for first, later in zip(sent[limit:], sent, strict=False):
            assert later - first >= timedelta(seconds=window)
