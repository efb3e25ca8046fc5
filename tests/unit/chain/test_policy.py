from datetime import UTC, date, datetime, timedelta

from chain import policy


def test_the_local_day_is_the_stores_own():
    late = datetime(2026, 1, 31, 16, 30, tzinfo=UTC)

    assert policy.local_day(late, time_zone="Asia/Taipei") == date(2026, 2, 1)
    assert policy.local_day(late, time_zone="Europe/London") == date(2026, 1, 31)


def test_an_enrolment_code_has_nothing_to_mistake():
    letters = set("".join(policy.new_enrolment_code() for _ in range(500)))

    assert not letters & set("01ILOU")
    assert len(policy.new_enrolment_code()) == 8


def test_a_code_may_be_typed_in_any_case_with_gaps():
    assert policy.as_typed("ab2d-ef 3h") == "AB2DEF3H"


def test_who_moves_money_is_signed_out_after_an_hour():
    assert policy.office_session_lives("manager") == timedelta(hours=8)
    assert policy.office_session_lives("finance") == timedelta(hours=1)
    assert policy.office_session_lives("admin") == timedelta(hours=1)
