"""The hot road: what a restart or a slow database looks like from it."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Thread

import psycopg
import pytest
from flask import Flask
from psycopg.errors import ForeignKeyViolation

from kernel import hot
from kernel.config import config
from kernel.errors import Unavailable
from kernel.ids import NOBODY, new_id


@pytest.fixture(autouse=True)
def _fresh_pool(app: Flask) -> Iterator[None]:
    """No test meets what another has killed."""
    hot.close()
    yield
    hot.close()


def kill_connections() -> None:
    """Fill the pool, and end every connection in it at the server, as a restart does."""
    with ExitStack() as all_of_them:
        pids = [
            all_of_them.enter_context(hot.pool().connection()).info.backend_pid
            for _ in range(hot.pool().max_size)
        ]
    with psycopg.connect(config().database_url.replace("+psycopg", "")) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [pids])


def test_after_a_restart_a_read_and_the_write_that_follows_meet_no_dead_connection():
    kill_connections()

    assert hot.read("SELECT 1", {}) == (1,)
    for _ in range(hot.pool().max_size):
        assert hot.rows("SELECT 2", {}) == [(2,)]


def test_a_write_whose_connection_has_died_is_not_run_again_by_itself():
    kill_connections()

    with pytest.raises(Unavailable):
        hot.rows("SELECT 1", {})


def test_a_statement_that_takes_too_long_is_unavailable_and_not_tried_again(monkeypatch):
    run, runs = hot.rows, []
    monkeypatch.setattr(hot, "rows", lambda *asked: runs.append(asked) or run(*asked))

    with pytest.raises(Unavailable):
        hot.read("SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5)", {})

    assert len(runs) == 1


def test_a_lock_that_nobody_gives_up_is_unavailable():
    lock = "SELECT pg_advisory_xact_lock(7)"
    with hot.together() as run:
        run(lock, {})
        with pytest.raises(Unavailable):
            hot.rows(lock, {})


def test_other_threads_run_while_one_waits_for_its_answer():
    waiting = Thread(target=lambda: hot.rows("SELECT pg_sleep(0.4)", {}))
    waiting.start()
    looked = 0
    while waiting.is_alive():
        looked += 1
        time.sleep(0.01)
    assert looked > 5


def test_so_many_statements_are_kept_prepared_and_the_eldest_is_let_go():
    with hot.together() as run:
        for number in range(250):
            assert run(f"SELECT {number}, %(one)s::int", {"one": 1}) == [(number, 1)]
        assert run("SELECT count(*) FROM pg_prepared_statements", {}) == [(200,)]
        assert run("SELECT 0, %(one)s::int", {"one": 2}) == [(0, 2)]


def test_what_the_server_says_is_told_by_its_class_and_constraint(app):
    with pytest.raises(ForeignKeyViolation) as seen:
        hot.rows(
            "INSERT INTO wrong_code (device_id, hour_at, times) VALUES (%(id)s, now(), 1)",
            {"id": NOBODY},
        )
    assert seen.value.diag.table_name == "wrong_code"


def test_a_parameter_may_stand_anywhere_and_a_percent_sign_is_one():
    asked = "SELECT %(second)s::int, %(first)s::int, %(second)s::int, 'ten %%'"
    assert hot.rows(asked, {"first": 1, "second": 2, "unasked": 3}) == [(2, 1, 2, "ten %")]


def test_postgresql_reads_a_list_as_it_was():
    lists = {"ids": [new_id(), None, new_id()], "codes": ["2131", "null", ""], "cups": [7, -1, 0]}
    written = {name: hot.array(values) for name, values in lists.items()}
    asked = "SELECT %(ids)s::uuid[], %(codes)s::text[], %(cups)s::bigint[]"
    assert hot.read(asked, written) == tuple(lists.values())
    assert hot.read("SELECT %(none)s::uuid[]", {"none": hot.array([])}) == ([],)
