"""A run goes through the books part by part: stopped, taken up again, in the middle of trade."""

import dataclasses
import threading

import pytest
from sqlalchemy import select

from kernel import clock
from kernel.db import db
from kernel.errors import Refusal
from kernel.transaction import transaction
from ledger import proof
from ledger.models import BooksCheck, Entry, Finding
from ledger.proof import registry
from tests.service.ledger.trade import fold_all

_ROUNDS = 8
_ROWS = 3


@pytest.fixture
def narrow(monkeypatch):
    """Parts of a few rows each, so that a little trade has many."""
    for name, one in registry.CHECKS.items():
        if hasattr(one.walk, "rows"):
            walk = dataclasses.replace(one.walk, rows=_ROWS)
            monkeypatch.setitem(registry.CHECKS, name, dataclasses.replace(one, walk=walk))


def begin():
    with transaction():
        return proof.begin(now=clock.now())


def run_of(check_id):
    with transaction():
        run = db.session.get_one(BooksCheck, check_id)
        db.session.expunge(run)
        return run


def test_parts_are_narrow_and_nothing_is_lost_between_them(narrow, traded, tamper):
    tamper("UPDATE entry SET event_at = event_at + interval '1 hour'")
    steps = list(proof.go_on(begin()))
    found = [one for step in steps for one in step.found]
    with transaction():
        entries = set(db.session.scalars(select(Entry.id)))
    assert len(steps) > 12
    assert {one.facts["entry_id"] for one in found} == {str(one) for one in entries}
    assert len(found) == len(entries)


def test_a_run_that_was_killed_goes_on_where_it_was(narrow, traded, tamper):
    tamper("UPDATE entry SET event_at = event_at + interval '1 hour'")
    whole = [step.label for step in proof.go_on(begin())]
    check_id = begin()
    steps = proof.go_on(check_id)
    walk = [next(steps).label for _ in range(9)]
    steps.close()  # as by a kill: nothing is said to anybody
    with transaction():
        assert proof.resume() == check_id
    walk += [step.label for step in proof.go_on(check_id)]
    assert walk == whole
    run = run_of(check_id)
    assert run.finished_at is not None
    with transaction():
        kept = list(proof.findings_of(check_id))
    assert len(kept) == run.findings > 0
    assert len({one.facts["entry_id"] for one in kept}) == run.findings


def test_there_is_nothing_to_resume_after_the_end(traded):
    list(proof.go_on(begin()))
    with pytest.raises(proof.NothingToResume), transaction():
        proof.resume()


def test_a_run_that_another_process_goes_on_with_is_left_to_it(narrow, traded):
    check_id = begin()
    steps = proof.go_on(check_id)
    next(steps)
    everything = list(proof.go_on(check_id))
    assert everything
    assert list(steps) == []  # it has come to its end elsewhere


def test_two_processes_on_one_part_keep_it_once(narrow, traded, tamper, monkeypatch):
    tamper("UPDATE entry SET event_at = event_at + interval '1 hour'")
    check_id = begin()
    content = registry.CHECKS["content"]
    other = []

    def meanwhile(part):
        if not other:
            other.append("begun")
            other.extend(elsewhere(lambda: list(proof.go_on(check_id))))
        return content.find(part)

    slow = dataclasses.replace(content, find=meanwhile)
    monkeypatch.setitem(registry.CHECKS, "content", slow)
    with pytest.raises(proof.TakenOver):
        list(proof.go_on(check_id))
    with transaction():
        rows = db.session.scalars(select(Finding).where(Finding.check_id == check_id)).all()
        assert len({row.facts["entry_id"] for row in rows}) == len(rows) > 0


def elsewhere(work):
    """Do something in a thread with a session of its own."""
    from flask import current_app  # noqa: PLC0415

    application, done = current_app._get_current_object(), []  # noqa: SLF001

    def act():
        with application.app_context():
            done.append(work())

    thread = threading.Thread(target=act)
    thread.start()
    thread.join(60)
    return done[0]


def test_trade_that_goes_on_meanwhile_is_never_found(narrow, traded, app):
    world, problems, found = traded.world, [], []
    tills = [world.add_till("A"), world.add_till("B")]
    members = [world.add_member() for _ in tills]

    def sell(till, member):
        with app.app_context():
            try:
                for _ in range(_ROUNDS):
                    world.add_lot(member, "eleven")
                    world.take(till, member, 3)
                    fold_all()
            except Refusal as problem:
                problems.append(problem)

    threads = [
        threading.Thread(target=sell, args=pair) for pair in zip(tills, members, strict=True)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        found += [one for step in proof.go_on(begin()) for one in step.found]
    assert problems == []
    assert found == []
    with transaction():
        entries = db.session.scalar(select(db.func.count()).select_from(Entry))
    assert entries > 4 * _ROUNDS


def test_a_position_of_a_walk_that_is_gone_begins_anew(traded):
    check_id = begin()
    with transaction():
        db.session.get_one(BooksCheck, check_id).position = {"walk": "gone", "after": ["1"]}
    assert next(proof.go_on(check_id)).label == "lines"


def test_a_word_names_one_check():
    with pytest.raises(RuntimeError, match="already"):
        proof.check("content", invariant=11, walk=proof.ENTRIES)(lambda _: [])
