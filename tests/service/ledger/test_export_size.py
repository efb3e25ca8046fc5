"""An export of any size takes the memory of a small one."""

import tracemalloc
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

import ledger
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import snapshot, transaction
from ledger import Event, export
from ledger.policy import Pair
from tests.conftest import empty_database
from tests.service.ledger.exporting import JANUARY, close
from tests.world import small_world

ENTRIES = 8_000


@pytest.fixture(scope="module")
def busy(application, engines):
    """A day of many entries, for tests that only read."""
    with empty_database(application, engines):
        world = small_world(datetime(2026, 1, 14, 4, 0, tzinfo=UTC))
        moved = [Pair(world.stores["A"], "1111", "4115", 5)]
        with transaction():
            ledger.post_all(
                [
                    Event(
                        member_id=new_id(),
                        kind="top_up",
                        source_id=new_id(),
                        pairs=moved,
                        event_at=datetime(2026, 1, 5, tzinfo=UTC),
                        occurred_on=date(2026, 1, 5),
                        currency="TWD",
                    )
                    for _ in range(ENTRIES)
                ]
            )
        close(JANUARY)
        yield


@pytest.mark.parametrize("form", export.FORMS)
def test_memory_does_not_grow_with_the_month(busy, form):
    size, longest = 0, 0
    with snapshot():
        next(export.chunks(month=JANUARY, form=form, offers={}))  # what is loaded once
        tracemalloc.start()
        for piece in export.chunks(month=JANUARY, form=form, offers={}):
            size += len(piece)
            longest = max(longest, len(piece))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert size > ENTRIES * 100
    assert longest < 70_000
    assert peak < 1_500_000 < 2 * size


@pytest.mark.parametrize("form", export.FORMS)
def test_what_is_not_read_yet_stays_in_the_database(busy, form):
    with snapshot():
        pieces = export.chunks(month=JANUARY, form=form, offers={})
        assert next(pieces)
        assert db.session.scalar(text("SELECT count(*) FROM pg_cursors WHERE name <> ''")) == 1
