"""A play is made of its seed: the same amounts in the same order, whatever the ids are."""

from datetime import date

from flask import Flask
from sqlalchemy import text

from bench.trade import play
from kernel.db import db
from kernel.transaction import transaction
from tests.conftest import Engines, empty_database

_STORY = text("""
    SELECT entry.kind, entry.event_at, entry.occurred_on, entry.book_date, line.ordinal,
           store.code, debit, credit, amount, qty, other.code
    FROM entry
    JOIN line ON line.member_id = entry.member_id AND line.entry_id = entry.id
    JOIN store ON store.id = line.store_id
    LEFT JOIN store AS other ON other.id = line.counterpart_store_id
    ORDER BY entry.id, line.ordinal
""")


def story(application: Flask, engines: Engines, seed: int) -> list[tuple]:
    with empty_database(application, engines):
        play(seed, 2, 3, 1, date(2026, 1, 1))
        with transaction():
            return [tuple(row) for row in db.session.execute(_STORY)]


def test_the_same_seed_plays_the_same_movements_and_another_does_not(application, engines):
    first = story(application, engines, 3)

    assert len(first) > 50
    assert story(application, engines, 3) == first
    assert story(application, engines, 4) != first
