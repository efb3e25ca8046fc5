"""The outbox: what rooms tell each other never waits for notices, and a lease is one worker's."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, update

from kernel import clock, outbox
from kernel.config import config
from kernel.db import db
from kernel.ids import NOBODY, new_id
from kernel.outbox import Outbox
from kernel.transaction import transaction
from tests.together import together
from vouchers.models import Wallet

pytestmark = pytest.mark.usefixtures("app")

_TOLD: list[tuple[str, str | None]] = []
_SETS: list[list[str]] = []


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


@outbox.subscriber("test_outbox.clashing")
def _clashing(**_: object) -> None:
    for _ in range(2):
        db.session.execute(insert(Wallet).values(member_id=NOBODY, version=0))


@outbox.subscriber("test_outbox.set", many=True)
def _set(*, news: Sequence[Mapping[str, str]], **_: object) -> None:
    _SETS.append([one["word"] for one in news])
    for one in news:
        if one["word"] == "bad":
            raise ValueError
        db.session.execute(insert(Wallet).values(member_id=new_id(), version=0))


@outbox.subscriber("test_outbox.ending_others")
def _ending_others(*, now: datetime, **_: object) -> None:
    """As another worker does that has taken over a row whose lease ran out."""
    one = update(Outbox).where(Outbox.facts["word"].astext == "a")
    db.session.execute(one.values(done_at=now, is_open=False))


@outbox.subscriber("test_outbox.broken")
def _broken(**_: object) -> None:
    raise ValueError


@outbox.subscriber("test_outbox.unsendable", sending=True)
def _unsendable(**_: object) -> None:
    raise ValueError


@pytest.fixture(autouse=True)
def told(app: Flask) -> Iterator[list[tuple[str, str | None]]]:
    del app
    yield _TOLD
    _TOLD.clear()
    _SETS.clear()


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


@pytest.fixture
def with_alerts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ALERT_TO", "+886912345678")
    config.cache_clear()
    yield
    monkeypatch.undo()
    config.cache_clear()


def fail_ten_times() -> None:
    for _ in range(10):
        with transaction():
            db.session.execute(update(Outbox).values(due_at=clock.now()))
        outbox.drain()


def test_what_nobody_can_keep_is_given_up_after_ten_tries() -> None:
    emit("broken", "never")
    fail_ten_times()
    row = only_row()
    assert (row.tries, row.is_open, row.dead_at is None) == (10, False, False)


@pytest.mark.usefixtures("with_alerts")
@pytest.mark.parametrize(("kind", "alerts"), [("broken", 1), ("unsendable", 0)])
def test_somebody_is_told_of_what_was_given_up_unless_it_was_a_letter(
    kind: str, alerts: int
) -> None:
    emit(kind, "never")
    fail_ten_times()
    with transaction():
        raised = db.session.scalars(select(Outbox).where(Outbox.topic == "alert.raised")).all()
    assert len(raised) == alerts
    assert all("test_outbox.broken" in row.facts["text"] for row in raised)


def test_what_the_database_quotes_of_a_row_is_not_kept() -> None:
    emit("clashing", "secret")
    outbox.drain()
    assert only_row().last_error == "IntegrityError: 23505 pk_wallet"


def test_a_promise_is_kept_once(told) -> None:
    emit("effect", "once")
    outbox.drain()
    outbox.drain()
    assert words(told) == ["once"]


def wallets() -> int:
    with transaction():
        return db.session.scalars(select(func.count()).select_from(Wallet)).one()


def test_who_takes_many_gets_what_is_due_at_once_and_the_others_each_alone(told) -> None:
    for word in ("a", "b", "c"):
        emit("set", word)
        emit("effect", word)
    outbox.drain()
    assert _SETS == [["a", "b", "c"]]
    assert words(told) == ["a", "b", "c"]
    outbox.drain()
    assert (len(_SETS), wallets()) == (1, 3)


def test_a_bad_row_of_a_set_is_put_off_and_stops_none_of_the_others() -> None:
    for word in ("a", "bad", "c"):
        emit("set", word)
    outbox.drain()
    assert _SETS == [["a", "bad", "c"], ["a"], ["bad"], ["c"]]
    assert wallets() == 2
    with transaction():
        (left,) = db.session.scalars(select(Outbox).where(Outbox.is_open))
        assert (left.facts, left.tries, left.last_error) == ({"word": "bad"}, 1, "ValueError: ")


def test_of_a_set_only_what_is_still_to_be_done_is_acted_on() -> None:
    emit("ending_others", "first of all")
    for word in ("a", "b"):
        emit("set", word)
    outbox.drain()
    assert _SETS == [["b"]]


def test_a_set_of_racing_workers_is_acted_on_once(app: Flask) -> None:
    for number in range(30):
        emit("set", str(number))
    together(app, [outbox.drain] * 4, in_transactions=False)
    assert sorted(int(word) for some in _SETS for word in some) == list(range(30))
    assert wallets() == 30
