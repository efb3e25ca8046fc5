import json
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

import members
from kernel import clock, outbox
from kernel.config import config
from kernel.db import db
from kernel.errors import RateLimited
from kernel.outbox import Outbox
from kernel.transaction import transaction
from members import jobs, phones
from members.models import Challenge
from members.policy import code_of
from tests.together import together

PHONE = "0912345678"


def _ask(now: datetime, phone: str = PHONE, locale: str = "zh-TW") -> Challenge:
    with transaction():
        return members.challenge(phone=phone, locale=locale, now=now)


def _refused_for(now: datetime) -> int:
    with pytest.raises(RateLimited) as refused:
        _ask(now)
    return int(refused.value.facts["retry_after"])


def _messages() -> list[dict[str, str]]:
    path = Path(str(config().message_file))
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


@pytest.mark.usefixtures("app")
def test_a_challenge_ends_after_five_minutes(now: datetime):
    asked = _ask(now)

    assert asked.ends_at == now + timedelta(minutes=5)


@pytest.mark.usefixtures("app")
def test_a_code_has_six_digits_and_belongs_to_its_challenge():
    codes = [code_of(UUID(int=number)) for number in range(50)]

    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert len(set(codes)) > 45
    assert codes == [code_of(UUID(int=number)) for number in range(50)]


@pytest.mark.usefixtures("app")
def test_neither_the_phone_nor_the_code_is_readable_at_rest(now: datetime):
    asked = _ask(now)

    with transaction():
        row = db.session.get_one(Challenge, asked.id)
        promised = db.session.scalars(select(Outbox)).one()
    stored = repr((row.__dict__, promised.facts))
    assert "912345678" not in stored
    assert code_of(asked.id) not in stored
    assert promised.facts == {"challenge_id": str(asked.id), "purpose": "sign-in"}


@pytest.mark.usefixtures("app")
def test_a_resend_waits_a_minute(now: datetime):
    _ask(now)

    assert _refused_for(now + timedelta(seconds=59)) == 1
    assert _ask(now + timedelta(seconds=60)).sent_at == now + timedelta(seconds=60)


@pytest.mark.usefixtures("app")
def test_a_sixth_send_in_an_hour_is_refused(now: datetime):
    for minute in range(5):
        _ask(now + timedelta(minutes=minute))

    assert _refused_for(now + timedelta(minutes=5)) == 55 * 60


@pytest.mark.usefixtures("app")
def test_an_eleventh_send_in_a_day_is_refused(now: datetime):
    for hour in range(10):
        _ask(now + timedelta(hours=hour))

    assert _refused_for(now + timedelta(hours=11)) == 13 * 3600


@pytest.mark.usefixtures("app")
def test_one_phone_does_not_limit_another(now: datetime):
    _ask(now)

    assert _ask(now, phone="0987654321").sent_at == now


def test_askers_at_once_are_sent_one_code(app: Flask, now: datetime):
    asks = [lambda: members.challenge(phone=PHONE, locale="en", now=now)] * 12

    answers = together(app, asks)

    assert sum(isinstance(answer, Challenge) for answer in answers) == 1
    assert sum(isinstance(answer, RateLimited) for answer in answers) == 11
    assert db.session.scalar(select(func.count()).select_from(Challenge)) == 1


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(("locale", "word"), [("zh-TW", "驗證碼"), ("en", "sign-in code")])
def test_the_code_is_sent_in_the_askers_language(now: datetime, locale: str, word: str):
    asked = _ask(now, locale=locale)

    jobs.send_code(challenge_id=str(asked.id), now=now, dedupe_key="row-1")

    (message,) = _messages()
    assert message["to"] == phones.e164(PHONE)
    assert message["dedupe_key"] == "row-1"
    assert word in message["text"]
    assert code_of(asked.id) in message["text"]


@pytest.mark.usefixtures("app")
def test_a_worker_sends_the_code_once():
    asked = _ask(clock.now())

    outbox.drain()
    outbox.drain()

    assert [code_of(asked.id) in message["text"] for message in _messages()] == [True]


@pytest.mark.usefixtures("app")
def test_a_code_that_came_too_late_is_not_sent(now: datetime):
    asked = _ask(now)

    jobs.send_code(challenge_id=str(asked.id), now=asked.ends_at, dedupe_key="row-1")

    assert _messages() == []


@pytest.mark.usefixtures("app")
def test_a_code_that_was_used_is_not_sent_again(now: datetime):
    asked = _ask(now)
    with transaction():
        members.sign_in(challenge_id=asked.id, code=code_of(asked.id), now=now)

    jobs.send_code(challenge_id=str(asked.id), now=now, dedupe_key="row-1")

    assert _messages() == []


@pytest.mark.usefixtures("app")
def test_challenges_that_no_limit_counts_are_forgotten(
    now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    _ask(now)
    kept = _ask(now + timedelta(hours=24))
    _clock_at(now + timedelta(hours=26), tmp_path, monkeypatch)

    jobs.forget_challenges()

    assert db.session.scalars(select(Challenge.id)).all() == [kept.id]


def _clock_at(moment: datetime, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = (moment - clock.now()).total_seconds()
    (folder / "clock").write_text(f"{ahead}\n")
    monkeypatch.setenv("CLOCK_FILE", str(folder / "clock"))
