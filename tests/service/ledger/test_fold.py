"""The fold: everything that is posted gets into the roll-ups once, and into the seal in order."""

import hashlib
import threading
import time
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import text

import ledger
from kernel.db import db
from kernel.due import is_due
from kernel.errors import Unavailable
from kernel.ids import new_id
from kernel.queue import bell
from kernel.transaction import snapshot, transaction
from ledger import reports
from ledger.month import Month
from ledger.policy import Pair
from ledger.service import fold

# What roll-ups and the tail add up to, and what the lines do: one statement, one moment.
AGREEMENT = """
WITH tail AS (
    SELECT line.* FROM unfolded
    JOIN line USING (member_id, book_date, entry_id)
), days AS (
    SELECT sum(debit) AS debit, sum(credit) AS credit, sum(abs(cups)) AS cups FROM rollup_day
), months AS (
    SELECT sum(debit) AS debit, sum(credit) AS credit, sum(abs(cups)) AS cups FROM rollup_month
), waiting AS (
    SELECT coalesce(sum(amount), 0) AS amount, coalesce(sum(2 * qty), 0) AS cups FROM tail
), whole AS (
    SELECT coalesce(sum(amount), 0) AS amount, coalesce(sum(2 * qty), 0) AS cups FROM line
)
SELECT coalesce(days.debit, 0) + waiting.amount, coalesce(days.credit, 0) + waiting.amount,
       coalesce(days.cups, 0) + waiting.cups, coalesce(months.debit, 0) + waiting.amount,
       coalesce(months.credit, 0) + waiting.amount, coalesce(months.cups, 0) + waiting.cups,
       whole.amount, whole.cups
FROM days, months, waiting, whole
"""


def post(world, times=1, *, amount=7):
    """Sales at one store, so that roll-ups have few cells and much to add."""
    pair = Pair(world.stores["A"], "1111", "2131", amount, 1, None, new_id(), None)
    events = [
        ledger.Event(
            member_id=new_id(),
            kind="sale",
            source_id=new_id(),
            pairs=[pair],
            event_at=world.now,
            occurred_on=world.now.date(),
            currency="TWD",
        )
        for _ in range(times)
    ]
    with transaction():
        return ledger.post_all(events)


def fold_once(limit=fold.BATCH):
    with transaction():
        return fold.fold_some(limit=limit)


def count(table):
    with transaction():
        return db.session.scalar(text(f"SELECT count(*) FROM {table}"))


def rollups():
    with transaction():
        return [
            [
                tuple(row)
                for row in db.session.execute(text(f"SELECT * FROM {table} ORDER BY 1,2,3,4"))
            ]
            for table in ("rollup_day", "rollup_month", "rollup_forward")
        ]


def check_agreement():
    with transaction():
        found = db.session.execute(text(AGREEMENT)).one()
    *sums, amount, cups = found
    assert sums == [amount, amount, cups, amount, amount, cups]


def seals():
    with transaction():
        return db.session.execute(
            text(
                "SELECT number, entry_id, chain, content_hash FROM seal "
                "JOIN entry ON entry.member_id = seal.member_id AND entry.id = seal.entry_id "
                "ORDER BY number"
            )
        ).all()


def check_seals(*, are):
    """Numbers from 1 without a gap, each chain out of the one before."""
    chain = bytes(32)
    found = seals()
    assert [seal.number for seal in found] == list(range(1, are + 1))
    for seal in found:
        chain = hashlib.sha256(chain + seal.content_hash).digest()
        assert seal.chain == chain


@contextmanager
def threads(application, *works):
    """Run works beside the test; what breaks in one breaks the test."""
    broken = []

    def run(work):
        with application.app_context():
            try:
                work()
            except BaseException as problem:  # noqa: BLE001
                broken.append(problem)
            finally:
                db.session.remove()

    running = [threading.Thread(target=run, args=(work,)) for work in works]
    for one in running:
        one.start()
    try:
        yield
    finally:
        for one in running:
            one.join(60)
    assert broken == []


def test_what_is_folded_is_summed_sealed_and_waits_no_more(world):
    ids = post(world, 5)
    assert fold_once() == 5
    assert [seal.entry_id for seal in seals()] == sorted(ids)
    assert count("unfolded") == 0
    check_agreement()
    check_seals(are=5)


def test_batches_go_on_where_the_last_one_ended(world):
    post(world, 7)
    assert [fold_once(limit=3) for _ in range(4)] == [3, 3, 1, 0]
    check_agreement()
    check_seals(are=7)


def test_nothing_to_fold_is_no_work(world):
    assert fold_once() == 0
    assert count("seal") == 0


def test_the_duty_is_due_while_something_waits(world):
    with transaction():
        assert not is_due(fold.DUTY, world.now)
    post(world)
    with transaction():
        assert is_due(fold.DUTY, world.now)
    fold.drain()
    with transaction():
        assert not is_due(fold.DUTY, world.now)


def test_a_run_ends_and_rings_for_the_next_when_much_is_left(world, monkeypatch):
    monkeypatch.setattr(fold, "BATCH", 2)
    post(world, 9)
    bell().delete("jibei:rung:ledger.service.fold.drain")
    fold.drain()
    assert count("unfolded") == 1
    assert bell().get("jibei:rung:ledger.service.fold.drain") == b"1"
    fold.drain()
    assert count("unfolded") == 0
    assert bell().get("jibei:rung:ledger.service.fold.drain") is None
    check_seals(are=9)


def test_a_run_leaves_it_to_whoever_is_at_it(world, engines):
    post(world, 3)
    with psycopg.connect(engines.postgres.url("jibei_app", "jibei")) as other:
        other.execute("SELECT pg_advisory_xact_lock(books_lock(), 0)")
        fold.drain()
        assert count("unfolded") == 3


def test_who_folds_in_a_transaction_waits_for_the_turn(world, engines, application):
    post(world, 3)
    folded = []
    with psycopg.connect(engines.postgres.url("jibei_app", "jibei")) as other:
        other.execute("SELECT pg_advisory_xact_lock(books_lock(), 0)")
        with threads(application, lambda: folded.append(fold_once())):
            time.sleep(0.3)
            assert folded == []
            other.rollback()
    assert folded == [3]


def test_two_folds_at_once_fold_everything_once(world, application):
    post(world, 120)

    def fold_all():
        while fold_once(limit=7):
            pass

    with threads(application, fold_all, fold_all):
        pass
    check_agreement()
    check_seals(are=120)


def test_a_fold_that_is_killed_between_its_statements_has_done_nothing(world, engines, application):
    post(world, 4)
    fold_once(limit=1)
    before = rollups()
    died = []

    def fold_and_die():
        try:
            fold_once()
        except Unavailable as silence:
            died.append(silence)

    # Whoever holds the seals keeps the fold waiting after its roll-ups, before its numbers.
    url = engines.postgres.url("postgres", "jibei")
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as killer:
        holder.execute("LOCK TABLE seal IN EXCLUSIVE MODE")
        with threads(application, fold_and_die):
            kill_who_waits_for_seals(killer)
    assert len(died) == 1
    assert rollups() == before
    assert count("unfolded") == 3
    fold_once()
    check_agreement()
    check_seals(are=4)


def kill_who_waits_for_seals(killer):
    waiting = "SELECT pid FROM pg_locks WHERE relation = 'seal'::regclass AND NOT granted"
    for _ in range(500):
        found = killer.execute(waiting).fetchone()
        if found:
            killer.execute("SELECT pg_terminate_backend(%s)", found)
            return
        time.sleep(0.01)
    pytest.fail("the fold never came to its seals")


def test_reports_are_exact_while_others_post_and_fold(world, application):
    posted = threading.Event()

    def post_many():
        for _ in range(40):
            post(world, 3)
        posted.set()

    def fold_many():
        while not posted.is_set() or fold_once(limit=11):
            fold_once(limit=11)

    looks = 0
    with threads(application, post_many, fold_many):
        while not posted.is_set() or looks < 5:
            looks += 1
            check_agreement()
            check_report_is_exact(world)
    assert looks >= 5
    fold_once()
    check_agreement()
    check_seals(are=120)


def check_report_is_exact(world):
    """Two statements of one snapshot: what the report says, and what the lines say."""
    with snapshot():
        rows = reports.roll_forward(Month.of(world.now.date()))
        held = ledger.reports.liability_on(world.now.date())
        amount, cups = db.session.execute(
            text("SELECT coalesce(sum(amount), 0), coalesce(sum(qty), 0) FROM line")
        ).one()
    assert sum(row.sold for row in rows) == sum(row.closing for row in rows) == amount
    assert sum(row.cups_closing for row in rows) == cups
    assert sum(row.balance for row in held) == amount


def test_a_rebuild_sums_all_that_was_folded_and_leaves_what_waits(world):
    post(world, 5)
    fold_once(limit=3)
    before = rollups()
    with transaction():
        db.session.execute(text("UPDATE rollup_day SET debit = debit + 1"))
        db.session.execute(text("DELETE FROM rollup_month"))
        db.session.execute(text("UPDATE rollup_forward SET cups_sold = 0"))
    with transaction():
        fold.rebuild()
    assert rollups() == before
    assert count("unfolded") == 2
    fold_once()
    check_agreement()
    check_seals(are=5)
