from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

import members
from kernel import secrets
from kernel.db import db
from kernel.errors import RateLimited
from kernel.ids import new_id
from kernel.transaction import transaction
from members import CodeWrong, SignedIn
from members.models import Challenge, Member, MemberKey, MemberSession
from members.policy import code_of
from tests.together import together

PHONE = "0912345678"


def _challenge(now: datetime, phone: str = PHONE) -> UUID:
    with transaction():
        return members.challenge(phone=phone, locale="en", now=now).id


def _try(challenge_id: UUID, code: str, now: datetime) -> object:
    with transaction():
        return members.sign_in(challenge_id=challenge_id, code=code, now=now)


def _signed_in(challenge_id: UUID, now: datetime) -> SignedIn:
    answer = _try(challenge_id, code_of(challenge_id), now)
    assert isinstance(answer, SignedIn)
    return answer


def _wrong(challenge_id: UUID) -> str:
    return f"{(int(code_of(challenge_id)) + 1) % 1_000_000:06d}"


@pytest.mark.usefixtures("app")
def test_the_first_sign_in_makes_the_member(now: datetime):
    signed_in = _signed_in(_challenge(now), now)

    assert signed_in.is_new
    assert signed_in.ends_at == now + timedelta(days=30)
    assert members.phone_of(signed_in.member_id) == "+886912345678"
    assert members.locale_of(signed_in.member_id) == "en"
    assert members.time_zone_of(signed_in.member_id) == "Asia/Taipei"


@pytest.mark.usefixtures("app")
def test_the_next_sign_in_finds_the_member(now: datetime):
    first = _signed_in(_challenge(now), now)
    later = now + timedelta(hours=1)

    second = _signed_in(_challenge(later, "+886 912 345 678"), later)

    assert second.member_id == first.member_id
    assert not second.is_new
    assert second.token != first.token


@pytest.mark.usefixtures("app")
def test_the_token_is_kept_as_a_digest(now: datetime):
    signed_in = _signed_in(_challenge(now), now)

    row = db.session.get_one(MemberSession, signed_in.session_id)
    assert signed_in.token.startswith("mem_")
    assert row.token_digest == secrets.digest(signed_in.token)


@pytest.mark.usefixtures("app")
def test_two_members_have_two_keys(now: datetime):
    one = _signed_in(_challenge(now), now)
    other = _signed_in(_challenge(now, "0987654321"), now)

    kept = {row.member_id: row.key_sealed for row in db.session.scalars(select(MemberKey))}
    assert kept.keys() == {one.member_id, other.member_id}
    assert kept[one.member_id] != kept[other.member_id]


@pytest.mark.usefixtures("app")
def test_a_fifth_wrong_code_is_one_too_many(now: datetime):
    challenge_id = _challenge(now)

    answers = [_try(challenge_id, _wrong(challenge_id), now) for _ in range(5)]

    assert [type(answer) for answer in answers] == [CodeWrong] * 4 + [RateLimited]
    right = _try(challenge_id, code_of(challenge_id), now)
    assert isinstance(right, RateLimited)
    assert right.facts["retry_after"] == 300


@pytest.mark.usefixtures("app")
def test_four_wrong_codes_leave_one_right_one(now: datetime):
    challenge_id = _challenge(now)
    for _ in range(4):
        _try(challenge_id, _wrong(challenge_id), now)

    assert _signed_in(challenge_id, now).is_new


@pytest.mark.usefixtures("app")
def test_a_used_ended_or_unknown_challenge_looks_like_a_wrong_code(now: datetime):
    used, ended = _challenge(now), _challenge(now, "0987654321")
    _signed_in(used, now)

    answers = [
        _try(used, code_of(used), now),
        _try(ended, code_of(ended), now + timedelta(minutes=5)),
        _try(new_id(), "123456", now),
    ]

    assert [
        (type(answer), answer.facts) for answer in answers if isinstance(answer, CodeWrong)
    ] == [(CodeWrong, {})] * 3


def test_guesses_at_once_are_counted_one_by_one(app: Flask, now: datetime):
    challenge_id = _challenge(now)
    guess = _wrong(challenge_id)

    answers = together(
        app, [lambda: members.sign_in(challenge_id=challenge_id, code=guess, now=now)] * 12
    )

    assert sum(isinstance(answer, CodeWrong) for answer in answers) == 4
    assert sum(isinstance(answer, RateLimited) for answer in answers) == 8
    assert db.session.scalars(select(Challenge.tries)).all() == [5]


def test_a_code_used_twice_at_once_makes_one_session(app: Flask, now: datetime):
    challenge_id = _challenge(now)
    code = code_of(challenge_id)

    answers = together(
        app, [lambda: members.sign_in(challenge_id=challenge_id, code=code, now=now)] * 8
    )

    assert sum(isinstance(answer, SignedIn) for answer in answers) == 1
    assert db.session.scalar(select(func.count()).select_from(MemberSession)) == 1


def test_two_first_sign_ins_at_once_make_one_member(app: Flask, now: datetime):
    minutes = range(5)
    asked = [_challenge(now + timedelta(minutes=minute)) for minute in minutes]
    later = now + timedelta(minutes=4)

    def first_sign_in(challenge_id: UUID) -> object:
        return members.sign_in(challenge_id=challenge_id, code=code_of(challenge_id), now=later)

    answers = together(app, [lambda each=each: first_sign_in(each) for each in asked])

    signed_in = [answer for answer in answers if isinstance(answer, SignedIn)]
    assert len(signed_in) == 5
    assert len({answer.member_id for answer in signed_in}) == 1
    assert sum(answer.is_new for answer in signed_in) == 1
    assert db.session.scalar(select(func.count()).select_from(Member)) == 1
    assert db.session.scalar(select(func.count()).select_from(MemberKey)) == 1


@pytest.mark.usefixtures("app")
def test_signing_out_ends_the_session_once(now: datetime):
    signed_in = _signed_in(_challenge(now), now)

    for hours in (1, 2):
        with transaction():
            members.end_session(session_id=signed_in.session_id, now=now + timedelta(hours=hours))

    row = db.session.get_one(MemberSession, signed_in.session_id)
    assert row.ended_at == now + timedelta(hours=1)
