from datetime import datetime, timedelta

import pytest
from flask import Flask

import chain
from chain import SignInRefused, StaffSignedIn
from chain.models import OfficeSession
from kernel import secrets
from kernel.db import db
from kernel.errors import RateLimited
from kernel.transaction import transaction
from tests.service.chain.staffing import PASSWORD, TOTP, add_staff
from tests.together import together


def _work(number: str, now: datetime, *, password: str = PASSWORD, totp: str = "") -> object:
    return chain.start_office_session(
        staff_number=number, password=password, totp=totp or TOTP.at(now), now=now
    )


def _start(number: str, now: datetime, *, password: str = PASSWORD, totp: str = "") -> object:
    with transaction():
        return _work(number, now, password=password, totp=totp)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(("role", "hours"), [("manager", 8), ("finance", 1), ("admin", 1)])
def test_a_desk_is_signed_in_for_hours_that_depend_on_the_role(
    now: datetime, role: str, hours: int
):
    staff_id = add_staff("2001", role)

    started = _start("2001", now)

    assert isinstance(started, StaffSignedIn)
    assert (started.staff_id, started.role) == (staff_id, role)
    assert started.token.startswith("off_")
    assert started.ends_at == now + timedelta(hours=hours)
    row = db.session.get_one(OfficeSession, started.id)
    assert row.token_digest == secrets.digest(started.token)


@pytest.mark.usefixtures("app")
def test_a_one_time_code_is_good_once(now: datetime):
    add_staff("4001", "admin")
    _start("4001", now)

    assert isinstance(_start("4001", now + timedelta(seconds=1)), SignInRefused)
    assert isinstance(_start("4001", now + timedelta(seconds=30)), StaffSignedIn)


@pytest.mark.usefixtures("app")
def test_a_code_before_one_that_was_used_is_refused(now: datetime):
    add_staff("4001", "admin")
    _start("4001", now)

    earlier = TOTP.at(now - timedelta(seconds=30))

    assert isinstance(_start("4001", now, totp=earlier), SignInRefused)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("seconds", "is_taken"), [(-60, False), (-30, True), (30, True), (60, False)]
)
def test_a_clock_may_be_half_a_minute_off(now: datetime, seconds: int, is_taken: bool):
    add_staff("4001", "admin")

    answer = _start("4001", now, totp=TOTP.at(now + timedelta(seconds=seconds)))

    assert isinstance(answer, StaffSignedIn) is is_taken


def test_one_code_used_twice_at_once_signs_in_once(app: Flask, now: datetime):
    add_staff("4001", "admin")

    answers = together(app, [lambda: _work("4001", now)] * 6)

    assert sum(isinstance(answer, StaffSignedIn) for answer in answers) == 1


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("number", ["4001", "9999"])
def test_five_failures_lock_for_a_quarter_of_an_hour(now: datetime, number: str):
    add_staff("4001", "admin")
    wrong = [{"password": "wrong"}, {"totp": "000000"}, {"password": "wrong"}, {"totp": "000000"}]

    answers = [_start(number, now, **each) for each in [*wrong, {"password": "wrong"}]]

    assert [type(answer) for answer in answers] == [SignInRefused] * 4 + [RateLimited]
    assert isinstance(_start(number, now + timedelta(minutes=14)), RateLimited)


@pytest.mark.usefixtures("app")
def test_a_clerk_has_no_desk(now: datetime):
    add_staff("1001", "clerk")

    assert isinstance(_start("1001", now), SignInRefused)


@pytest.mark.usefixtures("app")
def test_a_desk_is_signed_out_once(now: datetime):
    add_staff("4001", "admin")
    started = _start("4001", now)
    assert isinstance(started, StaffSignedIn)

    for minutes in (1, 2):
        with transaction():
            chain.end_office_session(session_id=started.id, now=now + timedelta(minutes=minutes))

    row = db.session.get_one(OfficeSession, started.id)
    assert row.ended_at == now + timedelta(minutes=1)
