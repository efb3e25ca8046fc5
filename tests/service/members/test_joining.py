from datetime import datetime

import pytest
from flask import Flask

import members
from kernel import clock
from kernel.db import db
from kernel.transaction import transaction
from members import PhoneUnsupported
from members.models import Member
from members.policy import code_of
from tests.together import together

PHONE = "0912345678"


def joined(phone: str = PHONE) -> object:
    return members.member_of_phone(phone=phone, now=clock.now())


def test_a_phone_is_one_member_however_it_is_written(app: Flask) -> None:
    with transaction():
        first = joined()
    with transaction():
        assert joined("+886 912 345 678") == first
        assert db.session.query(Member).count() == 1


def test_who_joined_at_a_counter_is_who_signs_in_later(app: Flask, now: datetime) -> None:
    with transaction():
        member_id = members.member_of_phone(phone=PHONE, now=now)
    with transaction():
        asked = members.challenge(phone=PHONE, locale="en", now=now)
    with transaction():
        signed_in = members.sign_in(challenge_id=asked.id, code=code_of(asked.id), now=now)
    assert isinstance(signed_in, members.SignedIn)
    assert (signed_in.member_id, signed_in.is_new) == (member_id, False)
    with transaction():
        assert members.phone_of(member_id) == "+886912345678"
        assert members.locale_of(member_id) == "zh-TW"


@pytest.mark.parametrize("phone", ["0223456789", "+81901234567", "junk"])
def test_another_phone_is_refused(app: Flask, phone: str) -> None:
    with pytest.raises(PhoneUnsupported), transaction():
        joined(phone)


def test_racers_with_one_phone_are_one_member(app: Flask) -> None:
    answers = together(app, [joined] * 8)
    assert len(set(map(str, answers))) == 1
    with transaction():
        assert db.session.query(Member).count() == 1
