"""A worker dies between any two statements, or two work at once: each lot once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from kernel import clock, hot
from kernel.db import db
from kernel.transaction import transaction
from redemption.errors import InsufficientCups
from redemption.statements import WRITE
from tests.fakes import Crash
from tests.service.vouchers.conftest import booked
from tests.service.vouchers.test_crashes import dying_at
from tests.together import together
from vouchers import jobs
from vouchers.models import Wallet

pytestmark = pytest.mark.faults

LAST_ON = date(2026, 6, 30)
_MORE_THAN_ENOUGH = 100


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_statement_and_another_run_end_each_lot_once(ends, when):
    ends.at(2026, 7, 1, 12)
    for number in range(1, _MORE_THAN_ENOUGH):
        member_id = ends.world.add_member()
        for mode, last_on in (
            ("lapse", LAST_ON),
            ("top_up", LAST_ON),
            ("lapse", date(2026, 7, 7)),
        ):
            sold_at = clock.now().replace(month=1)
            ends.add_lot(member_id, mode, last_on, sold_at=sold_at)
        with dying_at(number, when) as has_died:
            try:
                jobs.expire_due()
            except Crash:
                db.session.remove()
        jobs.expire_due()
        assert booked(member_id, "lapse") == [("2131", "4113", 476, 11)]
        assert sorted(notice for notice, _ in ends.told(member_id)) == [
            "lot.ending",
            "lot.lapsed",
            "lot.top_up",
        ]
        if not has_died():
            assert number > 10
            return
    raise AssertionError("there are more statements than were tried")


def test_workers_side_by_side_do_each_lot_once(app, ends):
    members = [ends.world.add_member() for _ in range(30)]
    for member_id in members:
        ends.add_lot(member_id, "lapse", LAST_ON)
        ends.add_lot(member_id, "top_up", LAST_ON)
    ends.at(2026, 7, 1)
    together(app, [jobs.expire_due] * 4, in_transactions=False)
    jobs.expire_due()  # what a worker left since another held it
    for member_id in members:
        assert len(booked(member_id, "lapse")) == 1
        assert sorted(told for told, _ in ends.told(member_id)) == ["lot.lapsed", "lot.top_up"]
        with transaction():
            assert db.session.get_one(Wallet, member_id).version == 1


def test_a_redemption_that_was_decided_before_the_end_decides_again(app, ends, alice, monkeypatch):
    """The job comes between its reading and its writing."""
    till = ends.world.add_till("A")
    ends.add_lot(alice, "lapse", LAST_ON)
    ends.at(2026, 6, 30, 23, 59, 59)
    before, rows, writings = clock.now(), hot.rows, []
    ends.at(2026, 7, 1)

    def expire():
        with app.app_context():
            jobs.expire_due()

    def expire_before_writing(sql, params):
        if sql == WRITE:
            writings.append(sql)
            with ThreadPoolExecutor(1) as elsewhere:
                elsewhere.submit(expire).result()
        return rows(sql, params)

    monkeypatch.setattr(hot, "rows", expire_before_writing)
    with pytest.raises(InsufficientCups):
        ends.world.take(till, alice, now=before)
    assert len(writings) == 1
    assert booked(alice, "redemption") == []
    assert booked(alice, "lapse") == [("2131", "4113", 476, 11)]


def test_either_the_cup_is_handed_over_or_it_lapses(app, ends):
    """The till's clock is a second behind: at its time the cups are still good."""
    till = ends.world.add_till("A")
    members = [ends.world.add_member() for _ in range(8)]
    for member_id in members:
        ends.add_lot(member_id, "lapse", LAST_ON)
    ends.at(2026, 6, 30, 23, 59, 59)
    before = clock.now()
    ends.at(2026, 7, 1)
    tries = [
        lambda member_id=member_id: ends.world.take(till, member_id, 11, now=before)
        for member_id in members
    ]
    answers = together(app, [jobs.expire_due, *tries], in_transactions=False)
    jobs.expire_due()
    for member_id, answer in zip(members, answers[1:], strict=True):
        taken = booked(member_id, "redemption")
        lapsed = booked(member_id, "lapse")
        assert len(taken) + len(lapsed) == 1
        assert isinstance(answer, InsufficientCups) == bool(lapsed)
