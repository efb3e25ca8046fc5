"""A process dies somewhere between paying and fulfilling; a retry completes everything once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from kernel import outbox
from kernel.db import db
from kernel.transaction import transaction
from payments import Payment, sweep
from tests.fakes import Crash, FakeGateway
from tests.service.vouchers.conftest import booked, key, lots_of, pay, read_order, settle
from tests.world import World
from vouchers import Ordered

pytestmark = pytest.mark.faults

Order = Callable[..., Ordered]
PassTime = Callable[[timedelta], datetime]

SALE = [("1111", "2131", 476, 11), ("1111", "2194", 24, 0)]
_MORE_THAN_ENOUGH = 200


def assert_done_once(placed: Any, provider: FakeGateway) -> None:
    """One charge, one set of lots, in the books once."""
    with transaction():
        ours = db.session.query(Payment).filter_by(purpose_id=placed.id, status="succeeded")
        (payment,) = ours.all()
    assert provider.taken.count(payment.id) == 1
    assert read_order(placed).status == "fulfilled"
    assert [lot.ordinal for lot in lots_of(placed.member_id)] == [1, 2]
    assert booked(placed.member_id) == SALE * 2


@contextmanager
def dying_at(number: int, when: str) -> Iterator[Callable[[], bool]]:
    """Die before or after the so-manieth statement; answers whether it came to that."""
    seen = 0

    def strike(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            raise Crash

    name = f"{when}_cursor_execute"
    event.listen(db.engine, name, strike)
    try:
        yield lambda: seen >= number
    finally:
        event.remove(db.engine, name, strike)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["make_customer", "charge"])
def test_a_crash_at_a_provider_step_and_a_retry_pay_once(
    provider: FakeGateway, world: World, order: Order, call: str, when: str
) -> None:
    placed = order(world.add_member(), eleven=2).order
    once = key(member_id=placed.member_id)
    provider.fail(call, when, Crash())
    with pytest.raises(Crash):
        pay(placed, key=once)
    assert pay(placed, key=once).outcome().status == "succeeded"
    settle()
    assert_done_once(placed, provider)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["make_customer", "charge"])
def test_a_crash_without_a_retry_is_completed_by_the_sweep(
    *, provider: FakeGateway, world: World, order: Order, pass_time: PassTime, call: str, when: str
) -> None:
    placed = order(world.add_member(), eleven=2).order
    provider.fail(call, when, Crash())
    with pytest.raises(Crash):
        pay(placed)
    pass_time(timedelta(seconds=61))
    sweep.ask_again()
    settle()
    assert_done_once(placed, provider)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_statement_of_paying_and_a_retry_pay_once(
    app: Flask, provider: FakeGateway, world: World, order: Order, when: str
) -> None:
    del app
    for number in range(1, _MORE_THAN_ENOUGH):
        placed = order(world.add_member(), eleven=2).order
        once = key(member_id=placed.member_id)
        with dying_at(number, when) as has_died:
            try:
                pay(placed, key=once)
            except Crash:
                db.session.remove()
        assert pay(placed, key=once).outcome().status == "succeeded"
        settle()
        assert_done_once(placed, provider)
        if not has_died():
            assert number > 10
            return
    raise AssertionError("there are more statements than were tried")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_statement_of_fulfilling_and_a_retry_issue_once(
    provider: FakeGateway, world: World, order: Order, pass_time: PassTime, when: str
) -> None:
    for number in range(1, _MORE_THAN_ENOUGH):
        placed = order(world.add_member(), eleven=2).order
        pay(placed)
        with dying_at(number, when) as has_died:
            try:
                outbox.drain()
            except Crash:
                db.session.remove()
        pass_time(timedelta(seconds=31))  # the lease of the dead runs out
        settle()
        assert_done_once(placed, provider)
        if not has_died():
            assert number > 10
            return
    raise AssertionError("there are more statements than were tried")
