"""What happens to gifts that nobody claims: a reminder, then the way back, each once."""

from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import event

from kernel import clock
from kernel.db import db
from kernel.outbox import Outbox
from kernel.transaction import transaction
from ledger.models import Entry
from tests.service.vouchers.gifts.conftest import BACK
from tests.together import together
from vouchers import gift_jobs
from vouchers.gift_notices import UNCLAIMED
from vouchers.models import Gift, Wallet
from vouchers.service.expiry import expire_some
from vouchers.service.gift_ending import end_some


def test_an_unclaimed_gift_is_back_in_the_very_lot(friends):
    gift_id = friends.give()
    friends.pass_time(days=7)
    assert friends.end_due() == 1
    gift, lot = friends.gift(gift_id), friends.read_lot()
    assert (gift.status, gift.closed_at, gift.due_at) == ("returned", friends.now, None)
    assert (lot.used, lot.net_recognised, lot.vat_gone) == (0, 0, 0)
    assert friends.told(friends.alice) == ["gift.returned"]


def test_each_gift_goes_back_once(friends):
    friends.give()
    friends.pass_time(days=8)
    while friends.end_due():
        pass
    assert friends.end_due() == 0
    assert len(friends.booked(BACK)) == 1


def test_a_gift_that_ended_days_ago_is_dated_with_its_end(friends):
    gift_id = friends.give()
    ended_at = friends.gift(gift_id).ends_at
    friends.pass_time(days=30)
    friends.end_due()
    with transaction():
        entry = db.session.query(Entry).filter_by(kind=BACK).one()
        assert (entry.event_at, entry.occurred_on) == (ended_at, ended_at.date())


def test_the_giver_is_reminded_once_a_day_ahead(friends):
    gift_id = friends.give()
    assert friends.end_due() == 0
    friends.pass_time(days=6)
    assert (friends.end_due(), friends.end_due()) == (1, 0)
    assert friends.told(friends.alice) == ["gift.unclaimed"]
    assert friends.gift(gift_id).due_at == friends.gift(gift_id).ends_at


def test_after_days_without_a_worker_nobody_is_reminded_of_what_is_over(friends):
    friends.give()
    friends.pass_time(days=9)
    friends.end_due()
    assert friends.told(friends.alice) == ["gift.returned"]


def test_a_gift_for_a_day_is_not_worth_a_reminder(friends):
    gift = friends.gift(friends.give(days=1))
    assert gift.due_at == gift.ends_at


def test_a_claimed_gift_is_not_reminded_of(friends):
    gift_id = friends.give()
    friends.pass_time(days=6)
    friends.end_due()
    friends.claim(gift_id)
    with transaction():
        row = db.session.query(Outbox).order_by(Outbox.id).first()
        assert row.facts["notice"] == UNCLAIMED.name
        assert not UNCLAIMED.still_wanted({"gift_id": gift_id})


def test_a_frozen_gift_waits_for_what_froze_it(friends):
    gift_id = friends.give()
    friends.freeze(gift_id)
    friends.pass_time(days=9)
    assert friends.end_due() == 0

    def unfreeze():
        db.session.get_one(Gift, gift_id).frozen_at = None

    friends.change(unfreeze)
    assert friends.end_due() == 1


def test_cups_that_ended_while_under_way_come_back_and_lapse(friends, world):
    ends_at = world.now + timedelta(days=3)
    lot_id = world.add_lot(friends.alice, "eleven", ends_at=ends_at)
    friends.give(11, lot_id=lot_id)
    friends.pass_time(days=3)
    friends.change(lambda: expire_some(limit=9, now=friends.now))

    friends.end_due()
    assert friends.read_lot(lot_id).is_open
    friends.change(lambda: expire_some(limit=9, now=friends.now))

    lot = friends.read_lot(lot_id)
    assert (lot.is_open, lot.net_recognised) == (False, 476)
    assert friends.booked("lapse") == [("2131", "4113", 476, 11)]


def test_the_wallet_says_that_it_has_changed(friends):
    friends.give()
    friends.pass_time(days=7)

    def version():
        return db.session.get_one(Wallet, friends.alice).version

    before = friends.change(version)
    friends.end_due()
    assert friends.change(version) == before + 1


def crowd(friends, size):
    """So many givers, with two gifts each."""
    for _ in range(size):
        giver = friends.world.add_member()
        friends.world.add_lot(giver, "eleven")
        for cups in (1, 2):
            friends.give(cups, by=giver)


def test_many_gifts_go_back_in_few_statements(friends, app):
    counts = []
    for size in (2, 10):
        crowd(friends, size)
        friends.pass_time(days=7)
        with transaction(), counting() as seen:
            end_some(limit=100, now=friends.now)
        counts.append(len(seen))
    assert counts[0] == counts[1]


@contextmanager
def counting():
    """The statements that run meanwhile."""
    seen = []

    def remember(_connection, _cursor, statement, *_):
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", remember)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", remember)


def test_workers_side_by_side_bring_each_gift_back_once(friends, app):
    crowd(friends, 12)
    friends.pass_time(days=7)
    now = friends.now

    def work():
        taken = 0
        while True:
            with transaction():
                some = end_some(limit=2, now=now)
            if not some:
                return taken
            taken += some

    together(app, [work] * 4, in_transactions=False)

    while friends.end_due():
        pass
    assert len(friends.booked(BACK)) == 24
    with transaction():
        assert {gift.status for gift in db.session.query(Gift)} == {"returned"}


def test_the_job_ends_what_is_due(friends, world, at):
    world.now = clock.now()
    lot_id = world.add_lot(friends.alice, "eleven")
    gift_id = friends.give(11, lot_id=lot_id, days=1)
    clock_ahead(at, days=2)
    gift_jobs.end_due()
    assert friends.gift(gift_id).status == "returned"


def clock_ahead(at, *, days):
    later = clock.now() + timedelta(days=days)
    at(later.year, later.month, later.day, 23, 59)
