from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

import members
from kernel.db import db
from kernel.transaction import transaction
from members import SignedIn
from members.models import Member
from members.policy import code_of
from tests.together import together


def _alice(now: datetime) -> UUID:
    with transaction():
        asked = members.challenge(phone="0912345678", locale="zh-TW", now=now).id
    with transaction():
        signed_in = members.sign_in(challenge_id=asked, code=code_of(asked), now=now)
    assert isinstance(signed_in, SignedIn)
    return signed_in.member_id


@pytest.mark.usefixtures("app")
def test_a_new_member_has_told_nothing_but_a_phone(now: datetime):
    profile = members.get_profile(member_id=_alice(now))

    assert profile.phone_masked == "+8869•••••678"
    assert (profile.name, profile.birthday, profile.email) == (None, None, None)
    assert (profile.locale, profile.joined_at) == ("zh-TW", now)


@pytest.mark.usefixtures("app")
def test_what_is_told_is_kept_and_what_is_not_given_stays(now: datetime):
    alice = _alice(now)
    with transaction():
        members.change_profile(member_id=alice, name="Alice", birthday=date(1990, 2, 28))
    with transaction():
        members.change_profile(member_id=alice, email="alice@example.com", locale="en")

    profile = members.get_profile(member_id=alice)

    assert (profile.name, profile.birthday) == ("Alice", date(1990, 2, 28))
    assert (profile.email, profile.locale) == ("alice@example.com", "en")


@pytest.mark.usefixtures("app")
def test_what_was_told_can_be_taken_back(now: datetime):
    alice = _alice(now)
    with transaction():
        members.change_profile(member_id=alice, name="Alice", birthday=date(1990, 2, 28))
    with transaction():
        profile = members.change_profile(member_id=alice, name=None, birthday=None)

    assert (profile.name, profile.birthday) == (None, None)


@pytest.mark.usefixtures("app")
def test_nothing_that_was_told_is_readable_at_rest(now: datetime):
    alice = _alice(now)
    with transaction():
        members.change_profile(member_id=alice, name="Alice", email="alice@example.com")

    row = db.session.get_one(Member, alice)

    assert b"lice" not in bytes(row.profile_sealed or b"lice")
    assert b"912345678" not in row.phone_sealed


def test_changes_at_once_do_not_undo_each_other(app: Flask, now: datetime):
    alice = _alice(now)

    for year in range(1970, 1990):
        told: dict[str, Any] = {
            "name": f"Alice {year}",
            "email": f"alice-{year}@example.com",
            "birthday": date(year, 1, 1),
        }
        together(app, [partial(_tell, alice, {name: told[name]}) for name in told])

        profile = members.get_profile(member_id=alice)
        db.session.rollback()
        assert {name: getattr(profile, name) for name in told} == told


def _tell(member_id: UUID, change: dict[str, Any]) -> members.Profile:
    return members.change_profile(member_id=member_id, **change)
