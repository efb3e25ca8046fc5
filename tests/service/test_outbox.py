"""The outbox: what rooms tell each other never waits for notices, and a lease is one worker's."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from kernel import clock, outbox
from kernel.db import db
from kernel.outbox import Outbox
from kernel.transaction import transaction

pytestmark = pytest.mark.usefixtures("app")

_TOLD: list[tuple[str, str | None]] = []


@outbox.subscriber("test_outbox.effect")
def _effect(*, word: str, **_: object) -> None:
    _TOLD.append((word, None))


@outbox.subscriber("test_outbox.sending", sending=True)
def _sending(*, word: str, dedupe_key: str, **_: object) -> None:
    _TOLD.append((word, dedupe_key))
    if word == "slow":  # so slow that another worker took what was behind it
        with transaction():
            later = clock.now() + timedelta(minutes=1)
            db.session.execute(update(Outbox).values(leased_until=later))


@outbox.subscriber("test_outbox.broken")
def _broken(**_: object) -> None:
    raise ValueError


@pytest.fixture(autouse=True)
def told(app: Flask) -> Iterator[list[tuple[str, str | None]]]:
    del app
    yield _TOLD
    _TOLD.clear()


def emit(topic: str, word: str, *, is_notice: bool = False) -> None:
    with transaction():
        outbox.emit(f"test_outbox.{topic}", now=clock.now(), word=word, is_notice=is_notice)


def words(told: list[tuple[str, str | None]]) -> list[str]:
    return [word for word, _ in told]


def only_row() -> Outbox:
    with transaction():
        return db.session.scalars(select(Outbox)).one()


def test_what_rooms_tell_each_other_does_not_wait_for_notices(told) -> None:
    emit("sending", "a reminder", is_notice=True)
    emit("effect", "paid")
    outbox.drain()
    assert words(told) == ["paid"]
    outbox.send_notices()
    assert words(told) == ["paid", "a reminder"]


def test_each_of_the_two_duties_asks_for_its_own_rows() -> None:
    emit("sending", "a reminder", is_notice=True)
    with transaction():
        due = [db.session.scalar(duty.due(clock.now())) for duty in outbox.DUTIES]
    assert due == [None, only_row().id]


def test_a_sending_is_sent_under_its_row_s_id_and_done(told) -> None:
    emit("sending", "a code")
    outbox.drain()
    row = only_row()
    assert told == [("a code", str(row.id))]
    assert (row.is_open, row.done_at is None) == (False, False)


def test_a_sending_whose_lease_somebody_else_has_is_left_to_them(told) -> None:
    emit("sending", "slow")
    emit("sending", "a code")
    outbox.drain()
    assert words(told) == ["slow"]
    with transaction():
        left = db.session.scalars(select(Outbox).where(Outbox.is_open)).one()
    assert left.facts == {"word": "a code"}


def test_what_nobody_can_keep_is_given_up_after_ten_tries() -> None:
    emit("broken", "never")
    for _ in range(10):
        with transaction():
            db.session.execute(update(Outbox).values(due_at=clock.now()))
        outbox.drain()
    row = only_row()
    assert (row.tries, row.is_open, row.dead_at is None) == (10, False, False)


def test_a_promise_is_kept_once(told) -> None:
    emit("effect", "once")
    outbox.drain()
    outbox.drain()
    assert words(told) == ["once"]
