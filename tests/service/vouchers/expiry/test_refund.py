"""Cups whose money goes back by itself at their end."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import event, select, text

from kernel import clock
from kernel.db import db
from kernel.due import is_due
from kernel.transaction import transaction
from tests.fakes import Crash, FakeGateway, fake_provider
from tests.service.vouchers.conftest import JOBS, booked
from tests.service.vouchers.refunds.shop import Shop
from tests.service.vouchers.test_crashes import dying_at
from tests.together import together
from tests.world import small_world
from vouchers import jobs
from vouchers.models import Lot, Refund

assert JOBS  # they subscribe


_MORE_THAN_ENOUGH = 200


@pytest.fixture
def bank(app) -> Iterator[FakeGateway]:
    with fake_provider() as fake:
        yield fake


@pytest.fixture
def shop(bank, at) -> Shop:
    """The pack of eleven for 500, whose unused cups are repaid after 30 days."""
    at(2026, 1, 5, 12)
    world = small_world(clock.now())
    world.add_offer("sure", expiry_mode="refund", expires_after_count=30, expires_after_unit="day")
    return Shop(world, bank, at)


@pytest.fixture
def member(shop):
    return shop.world.add_member()


def refunds():
    with transaction():
        return db.session.scalars(select(Refund)).all()


def test_what_is_left_at_the_end_is_repaid_by_itself_and_free_of_charge(shop, member):
    shop.buy(member, sure=1)
    shop.take(member, 5)
    shop.at(2026, 2, 5)
    jobs.expire_due()
    (made,) = refunds()
    assert (made.reason, made.gross, made.fee, made.payable) == ("expiry", 273, 0, 273)
    shop.send_money()
    assert refunds()[0].status == "paid"
    assert shop.left(member) == 0


def test_nothing_is_repaid_before_the_end(shop, member):
    shop.buy(member, sure=1)
    shop.at(2026, 2, 4, 23, 59, 59)
    jobs.expire_due()
    assert refunds() == []


def test_the_end_is_announced_before(shop, member):
    shop.buy(member, sure=1)
    shop.at(2026, 1, 28, 10)
    with transaction():
        assert is_due(jobs.EXPIRY, clock.now())
    jobs.expire_due()
    with transaction():
        assert not is_due(jobs.EXPIRY, clock.now())
        told = db.session.execute(
            text("SELECT facts ->> 'notice' FROM outbox WHERE is_notice AND member_id = :member"),
            {"member": member},
        ).scalars()
        assert "lot.ending_refund" in list(told)


def test_many_are_repaid_once_each_in_a_run_of_their_own(shop, monkeypatch):
    members = [shop.world.add_member() for _ in range(5)]
    for one in members:
        shop.buy(one, sure=1)
    shop.at(2026, 2, 5)
    monkeypatch.setattr(jobs, "_REFUNDS", 2)
    jobs.expire_due()
    jobs.expire_due()
    assert len(refunds()) == 5
    with transaction():
        assert not is_due(jobs.EXPIRY, clock.now())


def test_workers_side_by_side_repay_once(app, shop):
    members = [shop.world.add_member() for _ in range(6)]
    for one in members:
        shop.buy(one, sure=1)
    shop.at(2026, 2, 5)
    together(app, [jobs.expire_due] * 3, in_transactions=False)
    jobs.expire_due()
    assert sorted(made.payer_id for made in refunds()) == sorted(members)


def test_either_the_cup_or_the_money(app, shop):
    members = [shop.world.add_member() for _ in range(5)]
    for one in members:
        shop.buy(one, sure=1)
    till = shop.world.add_till("A")
    shop.at(2026, 2, 4, 23, 59, 59)
    before = clock.now()
    shop.at(2026, 2, 5)
    tries = [lambda one=one: shop.world.take(till, one, 11, now=before) for one in members]
    together(app, [jobs.expire_due, *tries], in_transactions=False)
    jobs.expire_due()
    for one in members:
        assert len(booked(one, "redemption")) + len({made.id for made in of(one)}) == 1


def of(member_id):
    return [made for made in refunds() if made.payer_id == member_id]


@pytest.mark.faults
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_statement_and_another_run_repay_once(shop, when):
    for number in range(1, _MORE_THAN_ENOUGH):
        shop.at(2026, 1, 5, 12)
        one = shop.world.add_member()
        shop.buy(one, sure=1)
        shop.at(2026, 2, 5)
        with dying_at(number, when) as has_died:
            try:
                jobs.expire_due()
            except Crash:
                db.session.remove()
        jobs.expire_due()
        assert [made.payable for made in of(one)] == [500]
        if not has_died():
            assert number > 10
            return
    raise AssertionError("there are more statements than were tried")


def test_a_wallet_that_somebody_holds_is_repaid_later(shop, member):
    shop.buy(member, sure=1)
    shop.at(2026, 2, 5)
    with db.engine.begin() as elsewhere:
        elsewhere.execute(
            text("SELECT 1 FROM wallet WHERE member_id = :held FOR UPDATE"), {"held": member}
        )
        jobs.expire_due()
        assert refunds() == []
    jobs.expire_due()
    assert len(refunds()) == 1


def test_cups_that_nobody_is_known_to_have_paid_for_are_owed_all_the_same(shop, member):
    lot_id = shop.world.add_lot(
        member, "sure", ends_at=clock.now() + timedelta(days=9), expiry_mode="refund"
    )
    shop.at(2026, 2, 5)
    jobs.expire_due()
    assert [(made.status, made.payable) for made in refunds()] == [("failed", 500)]
    with transaction():
        assert not db.session.get_one(Lot, (member, lot_id)).is_open


def test_a_wallet_at_which_it_breaks_does_not_stop_the_others(shop, member):
    other = shop.world.add_member()
    for one in (member, other):
        shop.buy(one, sure=1)
    shop.at(2026, 2, 5)
    broken = []

    def break_once(_connection, _cursor, statement, *_: object):
        if statement.startswith("INSERT INTO refund ") and not broken:
            broken.append(statement)
            raise RuntimeError

    event.listen(db.engine, "before_cursor_execute", break_once)
    try:
        jobs.expire_due()
    finally:
        event.remove(db.engine, "before_cursor_execute", break_once)
    assert [made.payer_id for made in refunds()] == [other]
    jobs.expire_due()
    assert sorted(made.payer_id for made in refunds()) == [member, other]
