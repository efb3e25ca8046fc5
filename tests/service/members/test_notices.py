import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Integer, delete, func, literal, select, text, values
from sqlalchemy import Uuid as UuidType
from sqlalchemy import column as column_

import members
from kernel import outbox
from kernel.config import config
from kernel.db import db
from kernel.ids import NOBODY, new_id
from kernel.outbox import Outbox
from kernel.transaction import transaction
from kernel.wording import Count, Money, Words
from members import SignedIn
from members.models import Member, MemberKey, MemberSession
from members.notices import NOTICES
from members.policy import code_of
from tests.mailbox import running_mailbox

PHONE = "0912345678"
E164 = "+886912345678"
WANTED = NOBODY

FACTS: dict[str, Any] = {
    "offer": "拿鐵 11 杯",
    "left": Count(3, "cup"),
    "paid": Money(500, "TWD"),
    "ends_on": date(2026, 12, 22),
    "noted_at": datetime(2026, 12, 1, 4, 0, tzinfo=UTC),
    "times": 2,
    "lot_id": WANTED,
}


def _is_wanted(facts: members.Facts) -> bool:
    assert db.session.scalar(select(literal(1)))  # it may ask the database
    return bool(facts["lot_id"] == WANTED)


def _declare(name: str, **more: Any) -> members.Notice:
    return members.notice(
        name,
        zh=Words(
            "{offer}：{left}，{paid}，{ends_on}，{noted_at}，{times}", subject="{left}即將到期"
        ),
        en=Words(
            "{offer}: {left}, {paid}, {ends_on}, {noted_at}, {times}", subject="{left} end soon"
        ),
        facts=FACTS,
        **more,
    )


@pytest.fixture(scope="module")
def lot_ending():
    yield _declare("test.lot_ending", still_wanted=_is_wanted)
    del NOTICES["test.lot_ending"]


@pytest.fixture(scope="module")
def urgent():
    yield _declare("test.urgent", is_urgent=True)
    del NOTICES["test.urgent"]


@pytest.fixture
def settings(engines, monkeypatch: pytest.MonkeyPatch):
    """Set settings for one test."""

    def configure(**chosen: str) -> None:
        for name, value in chosen.items():
            monkeypatch.setenv(name, value)
        config.cache_clear()

    monkeypatch.delenv("SMTP_URL", raising=False)
    yield configure
    monkeypatch.undo()
    config.cache_clear()


def _member(now: datetime, phone: str = PHONE, **told: Any) -> UUID:
    with transaction():
        asked = members.challenge(phone=phone, locale="zh-TW", now=now).id
    with transaction():
        signed_in = members.sign_in(challenge_id=asked, code=code_of(asked), now=now)
    assert isinstance(signed_in, SignedIn)
    with transaction():
        members.change_profile(member_id=signed_in.member_id, **told)
        db.session.execute(delete(Outbox))  # the code is no part of what is told here
    return signed_in.member_id


def _notify(member_id: UUID, notice: members.Notice, now: datetime, **change: Any) -> None:
    with transaction():
        members.notify(member_id, notice, now=now, **{**FACTS, **change})


def _send_all() -> None:
    outbox.drain()
    outbox.send_notices()


def _messages() -> list[dict[str, str]]:
    path = Path(str(config().message_file))
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


@pytest.mark.usefixtures("app")
def test_a_notice_goes_to_the_e_mail_in_the_members_language(
    now: datetime, lot_ending: members.Notice
):
    alice = _member(now, email="alice@example.com", locale="en")
    _notify(alice, lot_ending, now)
    row_id = db.session.scalars(select(Outbox.id)).one()
    db.session.rollback()

    _send_all()

    assert _messages() == [
        {
            "to": "alice@example.com",
            "subject": "3 cups end soon",
            "text": "拿鐵 11 杯: 3 cups, NT$500, 22 December 2026, 1 December 2026 12:00, 2",
            "dedupe_key": str(row_id),
        }
    ]


@pytest.mark.usefixtures("app")
def test_who_gave_no_e_mail_is_told_by_phone(now: datetime, lot_ending: members.Notice):
    _notify(_member(now), lot_ending, now)

    _send_all()

    (message,) = _messages()
    assert message["to"] == E164
    assert message["text"] == "拿鐵 11 杯：3 杯，NT$500，2026年12月22日，2026年12月1日 12:00，2"


@pytest.mark.usefixtures("app")
def test_what_is_urgent_goes_to_the_phone(now: datetime, urgent: members.Notice):
    _notify(_member(now, email="alice@example.com"), urgent, now)

    _send_all()

    assert [message["to"] for message in _messages()] == [E164]


@pytest.mark.usefixtures("app")
def test_what_is_urgent_does_not_wait_behind_reminders(
    now: datetime, lot_ending: members.Notice, urgent: members.Notice
):
    alice = _member(now)
    _notify(alice, lot_ending, now, times=1)
    _notify(alice, urgent, now, times=2)

    outbox.drain()
    told_at_once = [message["text"][-1] for message in _messages()]
    outbox.send_notices()

    assert told_at_once == ["2"]
    assert [message["text"][-1] for message in _messages()] == ["2", "1"]


sent: list[dict[str, str]] = []


def keep(**message: str) -> None:
    """A sender of the tests' own."""
    sent.append(message)


@pytest.mark.usefixtures("app")
def test_an_installation_without_e_mail_tells_by_phone(
    now: datetime, lot_ending: members.Notice, settings, monkeypatch: pytest.MonkeyPatch
):
    _notify(_member(now, email="alice@example.com"), lot_ending, now)
    settings(JIBEI_MODE="production", MESSAGE_PORT=f"{__name__}:keep")
    members.notices.messages.sender.cache_clear()

    _send_all()
    members.notices.messages.sender.cache_clear()

    assert [message["to"] for message in sent] == [E164]


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(("code", "told"), [(550, [E164]), (450, [])])
def test_who_gave_an_e_mail_that_is_none_is_told_by_phone(
    now: datetime, lot_ending: members.Notice, settings, code: int, told: list[str]
):
    _notify(_member(now, email="alice@example.com"), lot_ending, now)

    with running_mailbox() as server:
        settings(SMTP_URL=f"smtp://127.0.0.1:{server.port}", MAIL_FROM="no-reply@example.org")
        server.refusal = code
        _send_all()

    assert [message["to"] for message in _messages()] == told
    assert _undone() == (not told)  # what may go away is tried again


@pytest.mark.usefixtures("app")
def test_a_notice_is_told_once(now: datetime, lot_ending: members.Notice):
    _notify(_member(now), lot_ending, now)

    _send_all()
    _send_all()

    assert len(_messages()) == 1


@pytest.mark.usefixtures("app")
def test_what_is_not_wanted_any_more_is_not_told(now: datetime, lot_ending: members.Notice):
    alice = _member(now)
    _notify(alice, lot_ending, now, lot_id=new_id())

    _send_all()

    assert _messages() == []
    assert _undone() == 0


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("gone", [(MemberKey,), (MemberKey, MemberSession, Member)])
def test_a_member_who_is_gone_is_not_told(
    now: datetime, lot_ending: members.Notice, gone: tuple[Any, ...]
):
    _notify(_member(now), lot_ending, now)
    with transaction():
        for table in gone:
            db.session.execute(delete(table))

    _send_all()

    assert _messages() == []
    assert _undone() == 0


@pytest.mark.usefixtures("app")
def test_nothing_personal_waits_in_the_outbox(now: datetime, lot_ending: members.Notice):
    alice = _member(now, email="alice@example.com", name="Alice")

    _notify(alice, lot_ending, now)

    with transaction():
        (row,) = db.session.scalars(select(Outbox)).all()
        assert (row.topic, row.member_id) == ("member.notice", alice)
        assert row.facts == {
            "to": str(alice),
            "notice": "test.lot_ending",
            "facts": {
                "offer": "拿鐵 11 杯",
                "left": {"count": 3, "unit": "cup"},
                "paid": {"amount": 500, "currency": "TWD"},
                "ends_on": "2026-12-22",
                "noted_at": "2026-12-01T04:00:00+00:00",
                "times": 2,
                "lot_id": str(WANTED),
            },
        }


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    "facts", [{}, {**FACTS, "left": 3}, {**FACTS, "times": True}, {**FACTS, "name": "Alice"}]
)
def test_other_facts_than_the_declared_are_refused(
    now: datetime, lot_ending: members.Notice, facts: dict[str, Any]
):
    with pytest.raises(TypeError, match=r"test\.lot_ending"), transaction():
        members.notify(NOBODY, lot_ending, now=now, **facts)


def _found(*owners: UUID) -> Any:
    """What a job may find: members, and a count each."""
    rows = values(column_("member_id", UuidType), column_("units", Integer), name="lots").data(
        [(owner, number) for number, owner in enumerate(owners, 1)]
    )
    return select(
        rows.c.member_id,
        literal("拿鐵 11 杯").label("offer"),
        func.jsonb_build_object("count", rows.c.units, "unit", "cup").label("left"),
        func.jsonb_build_object("amount", 500, "currency", "TWD").label("paid"),
        literal(FACTS["ends_on"]).label("ends_on"),
        literal(FACTS["noted_at"]).label("noted_at"),
        literal(2).label("times"),
        literal(WANTED).label("lot_id"),
    )


@pytest.mark.usefixtures("app")
def test_many_are_told_by_one_statement(now: datetime, lot_ending: members.Notice):
    alice, bob = _member(now), _member(now, "0987654321", locale="en")

    with transaction():
        db.session.execute(members.notices_to(lot_ending, _found(alice, bob), now=now))
    _send_all()

    told = {message["to"]: message["text"] for message in _messages()}
    assert told == {
        E164: "拿鐵 11 杯：1 杯，NT$500，2026年12月22日，2026年12月1日 12:00，2",
        "+886987654321": ("拿鐵 11 杯: 2 cups, NT$500, 22 December 2026, 1 December 2026 12:00, 2"),
    }
    assert len({message["dedupe_key"] for message in _messages()}) == 2


@pytest.mark.usefixtures("app")
def test_a_statement_that_does_more_may_tell_as_well(now: datetime, lot_ending: members.Notice):
    alice = _member(now)
    found = _found(alice).cte("found")
    told = members.notices_to(lot_ending, found, now=now).cte("told")

    with transaction():
        counted = db.session.scalar(select(func.count()).select_from(found).add_cte(told))
    _send_all()

    assert counted == 1
    assert [message["to"] for message in _messages()] == [E164]


@pytest.mark.usefixtures("app")
def test_a_row_of_ones_own_sql_is_told_alike(now: datetime, lot_ending: members.Notice):
    alice = _member(now)
    own = """
        INSERT INTO outbox
            (member_id, id, topic, facts, created_at, due_at, is_notice, is_open, tries)
        SELECT id, gen_random_uuid(), 'member.notice', jsonb_build_object(
            'to', id, 'notice', 'test.lot_ending', 'facts', jsonb_build_object(
                'offer', 'Latte', 'left', jsonb_build_object('count', 1, 'unit', 'cup'),
                'paid', jsonb_build_object('amount', 500, 'currency', 'TWD'),
                'ends_on', date '2026-12-22', 'noted_at', CAST(:now AS timestamptz), 'times', 2,
                'lot_id', CAST(:lot_id AS uuid))),
            :now, :now, true, true, 0
        FROM member WHERE id = :alice"""

    with transaction():
        db.session.execute(text(own), {"now": now, "alice": alice, "lot_id": WANTED})
    _send_all()

    (message,) = _messages()
    assert message["text"] == "Latte：1 杯，NT$500，2026年12月22日，2026年1月14日 12:00，2"


@pytest.mark.usefixtures("app")
def test_a_notice_that_nobody_declares_waits(now: datetime, lot_ending: members.Notice):
    _notify(_member(now), lot_ending, now)
    with transaction():
        row = db.session.scalars(select(Outbox)).one()
        row.facts = {**row.facts, "notice": "test.of_a_newer_version"}

    _send_all()

    assert _messages() == []
    assert _undone() == 1


def _undone() -> int:
    found = db.session.scalar(select(func.count()).select_from(Outbox).where(Outbox.is_open))
    db.session.rollback()
    return found or 0


@pytest.fixture
def with_link():
    yield members.notice(
        "test.with_link",
        zh=Words("請開啟 {link}"),
        en=Words("Open {link}"),
        facts={"lot_id": NOBODY, "link": "https://jibei.example/x"},
        adds={"link": lambda facts: f"https://jibei.example/{facts['lot_id'].int}"},
        is_urgent=True,
    )
    del NOTICES["test.with_link"]


@pytest.mark.usefixtures("app")
def test_what_a_notice_adds_is_worked_out_when_it_is_sent_and_kept_nowhere(
    now: datetime, with_link: members.Notice, engines: Any
):
    with transaction():
        member_id = members.member_of_phone(phone=PHONE, now=now)
        members.notify(member_id, with_link, now=now, lot_id=UUID(int=77))
        (promised,) = db.session.scalars(select(Outbox.facts))
    assert promised["facts"] == {"lot_id": str(UUID(int=77))}

    outbox.drain()

    assert "https://jibei.example/77" in engines.message_file.read_text(encoding="utf-8")


def test_what_a_notice_adds_needs_an_example():
    with pytest.raises(ValueError, match="needs an example"):
        members.notice(
            "test.without_example",
            zh=Words("有"),
            en=Words("Some"),
            facts={},
            adds={"link": lambda _: ""},
            is_urgent=True,
        )
    assert "test.without_example" not in NOTICES
