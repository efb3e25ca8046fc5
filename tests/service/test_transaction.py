"""A snapshot: all of it as of one moment, and nothing but reading."""

from datetime import UTC, datetime
from threading import Thread

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import InternalError

from chain.models import LegalEntity
from kernel import outbox
from kernel.db import db
from kernel.errors import TryAgain
from kernel.ids import new_id
from kernel.transaction import after_commit, is_open, snapshot, transaction


def add(name="Alice"):
    db.session.add(LegalEntity(id=new_id(), code=str(new_id()), name=name))


def count():
    return db.session.scalar(select(func.count()).select_from(LegalEntity))


def modes():
    return [
        db.session.scalar(text(f"SHOW {name}"))
        for name in ("transaction_isolation", "transaction_read_only")
    ]


def meanwhile(app, work):
    """Commit work in another thread, and so on another connection."""

    def run():
        with app.app_context(), transaction():
            work()

    thread = Thread(target=run)
    thread.start()
    thread.join()


def test_what_others_commit_meanwhile_is_not_seen(app):
    with snapshot():
        before = count()
        meanwhile(app, add)
        after = count()

    assert (before, after) == (0, 0)
    with snapshot():
        assert count() == 1


def test_in_a_plain_transaction_it_would_be_seen(app):
    with transaction():
        before = count()
        meanwhile(app, add)
        after = count()

    assert (before, after) == (0, 1)


def test_a_write_is_refused(app):
    with pytest.raises(InternalError, match="read-only"), snapshot():
        add()

    with transaction():
        assert count() == 0


def test_a_bell_is_refused(app):
    with pytest.raises(RuntimeError, match="only reads"), snapshot():
        after_commit(lambda: None)


def test_news_is_refused(app):
    now = datetime(2026, 1, 14, 4, tzinfo=UTC)

    with pytest.raises(RuntimeError, match="only reads"), snapshot():
        outbox.emit("voucher_order.paid", now=now)

    with transaction():
        assert db.session.scalar(select(func.count()).select_from(outbox.Outbox)) == 0


def test_the_next_transaction_on_this_connection_writes_again(app):
    db.engine.dispose()  # then there is only one
    rung = []
    with snapshot():
        mine = db.session.scalar(text("SELECT pg_backend_pid()"))
        assert modes() == ["repeatable read", "on"]

    with transaction():
        assert db.session.scalar(text("SELECT pg_backend_pid()")) == mine
        assert modes() == ["read committed", "off"]
        add()
        after_commit(lambda: rung.append("rung"))

    assert rung == ["rung"]


def test_after_a_bug_in_it_the_next_transaction_writes_again(app):
    with pytest.raises(ValueError, match="a bug"), snapshot():
        raise ValueError("a bug")

    with transaction():
        add()
        after_commit(lambda: None)


def test_it_is_opened_once(app):
    with snapshot():
        assert is_open()
        with pytest.raises(RuntimeError, match="already open"), transaction():
            pass
    with transaction():
        count()
        with pytest.raises(RuntimeError, match="already open"), snapshot():
            pass
    assert not is_open()


def test_a_snapshot_inside_another_leaves_the_outer_one_a_snapshot(app):
    with snapshot():
        with pytest.raises(RuntimeError, match="already open"), snapshot():
            pass
        with pytest.raises(RuntimeError, match="only reads"):
            after_commit(lambda: None)


def test_what_postgresql_would_have_again_is_tried_again(app):
    with pytest.raises(TryAgain), snapshot():
        db.session.execute(text("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$"))
