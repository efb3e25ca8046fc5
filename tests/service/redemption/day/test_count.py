"""A store's cups alone, as its screens ask for them all the time."""

from sqlalchemy import event

from kernel.db import db
from kernel.transaction import snapshot
from redemption.day import count_day, day_sheet
from tests.service.redemption.tills import undo


def test_the_cups_alone_are_read_by_one_statement_and_are_those_of_the_sheet(world):
    till, alice = world.add_till("B"), world.add_member()
    world.add_lot(alice, "eleven", store="A")
    undo(till, world.take(till, alice, 2), now=world.now)
    world.take(till, alice, 1)
    ran = []

    def note(_connection, _cursor, statement, *_):
        ran.append(statement)

    day = {"store_id": till.store_id, "on": world.now.date()}

    with snapshot():
        told = day_sheet(**day)
        event.listen(db.engine, "before_cursor_execute", note)
        try:
            counted = count_day(**day)
        finally:
            event.remove(db.engine, "before_cursor_execute", note)

    assert len(ran) == 1
    assert (counted.cups, counted.cups_voided, counted.cups_offline) == (3, 2, 0)
    assert counted.by_product == told.by_product
