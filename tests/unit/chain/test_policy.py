from datetime import UTC, date, datetime, timedelta

import pytest

from chain import policy


def test_the_local_day_is_the_stores_own():
    late = datetime(2026, 1, 31, 16, 30, tzinfo=UTC)

    assert policy.local_day(late, time_zone="Asia/Taipei") == date(2026, 2, 1)
    assert policy.local_day(late, time_zone="Europe/London") == date(2026, 1, 31)


def test_who_moves_money_is_signed_out_after_an_hour():
    assert policy.office_session_lives("manager") == timedelta(hours=8)
    assert policy.office_session_lives("finance") == timedelta(hours=1)
    assert policy.office_session_lives("admin") == timedelta(hours=1)


@pytest.mark.parametrize(
    ("version", "least", "is_outdated"),
    [
        ("1.9.0", "1.10", True),
        ("1.10", "1.10.0", False),
        ("1.10.0-beta.3", "1.10", False),
        ("2", "1.99.99", False),
        ("0.9", "1", True),
        (None, "1.0", False),
        ("0.1", None, False),
    ],
)
def test_versions_are_compared_by_their_numbers(version, least, is_outdated):
    assert policy.is_outdated(version, least=least) is is_outdated


@pytest.mark.parametrize("pin", ["000000", "777777", "123456", "345678", "654321", "567890"])
def test_a_pin_that_everybody_tries_is_guessable(pin: str):
    assert policy.is_guessable(pin)


@pytest.mark.parametrize("pin", ["271828", "135790", "112233", "100000"])
def test_other_pins_are_good_enough(pin: str):
    assert not policy.is_guessable(pin)


def test_a_profile_that_may_do_more_may_do_all_that_another_may():
    till, scanner, screen = (policy.MAY_CALL[name] for name in ("till", "scanner", "screen"))

    assert screen < scanner < till
