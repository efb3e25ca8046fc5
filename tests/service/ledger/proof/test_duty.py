"""Every night the books are checked, and what is wrong wakes somebody."""

import json
from datetime import timedelta

import pytest
import structlog
from sqlalchemy import select

from kernel import clock, outbox
from kernel.config import config
from kernel.db import db
from kernel.due import is_due
from kernel.transaction import transaction
from ledger.models import BooksCheck
from ledger.proof import duty, registry


@pytest.fixture
def alerted(engines, monkeypatch):
    """Alerts go to Alice; answers what has reached her."""
    monkeypatch.setenv("ALERT_TO", "+886912345678")
    config.cache_clear()

    def texts():
        outbox.drain()
        if not engines.message_file.exists():
            return []
        return [json.loads(line)["text"] for line in engines.message_file.read_text().splitlines()]

    yield texts
    monkeypatch.undo()
    config.cache_clear()


def due(now):
    with transaction():
        return is_due(duty.DUTY, now)


def runs():
    with transaction():
        rows = db.session.scalars(select(BooksCheck).order_by(BooksCheck.id)).all()
        db.session.expunge_all()
        return rows


def test_it_is_due_once_after_three_in_the_morning(traded, at):
    at(2026, 1, 15, 2, 59)
    duty.check_books()  # that of the day before
    assert not due(clock.now())
    at(2026, 1, 15, 3, 0)
    assert due(clock.now())
    duty.check_books()
    assert not due(clock.now())
    assert not due(clock.now() + timedelta(hours=23))
    assert due(clock.now() + timedelta(hours=24))
    assert [run.findings for run in runs()] == [0, 0]


def test_a_chain_that_is_not_set_up_has_nothing_to_check(app):
    assert not due(clock.now())
    duty.check_books()
    assert runs() == []


def test_findings_reach_somebody_and_the_log(traded, tamper, alerted):
    tamper("UPDATE entry SET event_at = event_at + interval '1 hour' WHERE kind = 'void'")
    with structlog.testing.capture_logs() as said:
        duty.check_books()
    assert [one["event"] for one in said] == ["books.finding", "books.wrong"]
    assert {one["log_level"] for one in said} == {"error"}
    (text,) = alerted()
    assert "has 1 findings" in text
    assert "jibei books findings" in text


def test_nobody_is_woken_when_all_is_well(traded, alerted):
    duty.check_books()
    assert alerted() == []


def test_findings_are_only_logged_where_nobody_is_named(traded, tamper, engines):
    tamper("UPDATE entry SET event_at = event_at + interval '1 hour' WHERE kind = 'void'")
    duty.check_books()
    outbox.drain()
    assert not engines.message_file.exists()


def test_a_check_that_breaks_wakes_somebody_and_goes_on_an_hour_later(
    traded, alerted, at, monkeypatch
):
    at(2026, 11, 22, 12)  # far from three in the morning, when it begins anew

    def broken(_part):
        raise RuntimeError("out of order")

    content = registry.CHECKS["content"]
    worse = registry.Check(content.name, 11, content.walk, broken, content.says)
    with monkeypatch.context() as meanwhile:
        meanwhile.setitem(registry.CHECKS, "content", worse)
        with pytest.raises(RuntimeError, match="out of order"):
            duty.check_books()
    (text,) = alerted()
    assert "could not go on" in text
    assert not due(clock.now() + timedelta(minutes=59))
    assert due(clock.now() + timedelta(minutes=61))


def test_a_run_that_was_left_is_taken_up_again(traded, monkeypatch):
    monkeypatch.setattr(duty, "_SLICE_S", 0.0)
    duty.check_books()
    (run,) = runs()
    assert run.finished_at is None
    assert due(clock.now())
    monkeypatch.setattr(duty, "_SLICE_S", 600.0)
    duty.check_books()
    (again,) = runs()
    assert again.id == run.id
    assert again.finished_at is not None
    assert not due(clock.now())


def test_a_run_that_somebody_is_at_is_left_alone(traded):
    with transaction():
        db.session.add(
            BooksCheck(
                id=traded.alice,
                started_at=clock.now(),
                due_at=clock.now() + timedelta(minutes=5),
                position={},
            )
        )
    assert not due(clock.now())
    duty.check_books()
    (run,) = runs()
    assert (run.checked, run.finished_at) == (0, None)
