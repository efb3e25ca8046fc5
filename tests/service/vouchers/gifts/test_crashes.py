"""A process dies at any statement of a verb; done again, it has happened once and whole."""

import time

import pytest

from kernel.db import db
from tests.fakes import Crash
from tests.service.vouchers.gifts.conftest import BACK, GIVEN, TAKEN
from tests.service.vouchers.test_crashes import dying_at
from vouchers.models import Gift

pytestmark = pytest.mark.faults

_MORE_THAN_ENOUGH = 200


def each_statement(when, act):
    """Run an act that dies at its first statement, then one at its second, and so on to its end."""
    for number in range(1, _MORE_THAN_ENOUGH):
        with dying_at(number, when) as has_died:
            try:
                act()
            except Crash:
                db.session.remove()
        yield
        if not has_died():
            assert number > 5
            return
    raise AssertionError("there are more statements than were tried")


@pytest.fixture
def plenty(friends):
    """Enough cups for an attempt at every statement."""
    friends.world.add_lot(friends.alice, "eleven", units=300, net=13_000, vat=650)
    return friends


def still_open(friends):
    """The gifts that are open."""
    found = friends.change(lambda: db.session.query(Gift).filter_by(status="open").all())
    return [gift.id for gift in found]


@pytest.mark.parametrize("when", ["before", "after"])
def test_giving_happens_whole_or_not_at_all(plenty, when):
    for _ in each_statement(when, lambda: plenty.give(2)):
        for gift_id in still_open(plenty):  # it was committed, whatever died after that
            plenty.withdraw(gift_id)
        assert plenty.read_lot().used == 0
    assert len(plenty.booked(GIVEN)) == len(plenty.booked(BACK)) > 0


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("verb", "kind"), [("claim", TAKEN), ("withdraw", BACK), ("decline", BACK)]
)
def test_what_ends_a_gift_happens_once(plenty, when, verb, kind):
    made = []

    def act():
        made.append(plenty.give(2))
        getattr(plenty, verb)(made[-1])

    for _ in each_statement(when, act):
        for gift_id in still_open(plenty):
            getattr(plenty, verb)(gift_id)
    ended = plenty.change(lambda: db.session.query(Gift).count())
    assert sum(cups for *_, cups in plenty.booked(kind)) == 2 * ended
    assert still_open(plenty) == []


def end_all(friends):
    """End what is due as ticks do: what the dead one held is free a moment after its death."""
    patience = time.monotonic() + 10
    while still_open(friends):
        assert time.monotonic() < patience
        friends.end_due()


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_end_happens_once_though_the_worker_dies(plenty, when):
    started_at = plenty.now

    def act():
        plenty.end_due()

    def prepared():
        """A gift that has just ended, whenever it was given."""
        plenty.world.now = started_at
        plenty.give(2, days=1)
        plenty.pass_time(days=1)

    prepared()
    for _ in each_statement(when, act):
        end_all(plenty)
        prepared()
    end_all(plenty)
    gifts = plenty.change(lambda: db.session.query(Gift).count())
    assert sum(cups for *_, cups in plenty.booked(BACK)) == 2 * gifts
