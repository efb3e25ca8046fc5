"""Orders that were paid at the same time are fulfilled together, each as if it were alone."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

import invoicing
import payments
from kernel import clock
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.outbox import Outbox
from kernel.transaction import transaction
from payments.models import Dispute
from tests.fakes import FakeGateway
from tests.service.vouchers.conftest import booked, lots_of, pay, read_order, settle
from tests.service.vouchers.test_fulfil import statements_of
from tests.together import together
from tests.world import World
from vouchers import Ordered
from vouchers.models import Order as Placed
from vouchers.models import Wallet
from vouchers.service.fulfil import fulfil_all

Order = Callable[..., Ordered]

SALE = [("1111", "2131", 476, 11), ("1111", "2194", 24, 0)]


def end(placed: Placed) -> None:
    with transaction():
        db.session.execute(update(Placed).where(Placed.id == placed.id).values(status="ended"))


def test_twenty_orders_take_as_many_statements_as_one(world: World, order: Order) -> None:
    now = clock.now()
    alone = order(world.add_member(), eleven=1).order
    many = [order(world.add_member(), eleven=2).order for _ in range(20)]
    few = statements_of(lambda: fulfil_all({alone.id: now}, now=now))
    assert statements_of(lambda: fulfil_all({one.id: now for one in many}, now=now)) == few
    assert [len(lots_of(one.member_id)) for one in many] == [2] * 20
    with transaction():
        owed = [invoicing.find_invoice(source="order", source_id=one.id) for one in many]
        assert [invoice and (invoice.gross, invoice.member_id) for invoice in owed] == [
            (1000, one.member_id) for one in many
        ]
        assert {len(invoicing.lines_of(invoice.id)) for invoice in owed if invoice} == {1}


def test_two_orders_of_a_member_in_one_set_are_both_fulfilled(world: World, order: Order) -> None:
    member_id, now = world.add_member(), clock.now()
    placed = [order(member_id, eleven=1).order for _ in range(2)]
    with transaction():
        fulfil_all({one.id: now for one in placed}, now=now)
    assert [read_order(one).status for one in placed] == ["fulfilled"] * 2
    assert booked(member_id) == SALE * 2
    with transaction():
        assert db.session.get_one(Wallet, member_id).version == 1


def test_each_order_of_a_set_keeps_the_time_at_which_it_was_paid(
    world: World, order: Order
) -> None:
    now = clock.now()
    placed = [order(world.add_member(), eleven=1).order for _ in range(3)]
    paid_at = {one.id: now - timedelta(days=40 * days) for days, one in enumerate(placed)}
    with transaction():
        fulfil_all(paid_at, now=now)
    assert [read_order(one).paid_at for one in placed] == list(paid_at.values())
    sold_at = [lot.sold_at for one in placed for lot in lots_of(one.member_id)]
    assert sold_at == list(paid_at.values())


def test_an_order_that_has_ended_gives_its_money_back_beside_the_others(
    provider: FakeGateway, world: World, order: Order
) -> None:
    del provider
    ended, good = (order(world.add_member(), eleven=1).order for _ in range(2))
    paid = [pay(one).outcome() for one in (ended, good)]
    end(ended)
    settle()
    assert [read_order(one).status for one in (ended, good)] == ["ended", "fulfilled"]
    assert (lots_of(ended.member_id), len(lots_of(good.member_id))) == ([], 1)
    with transaction():
        back = [payments.list_repayments(payment_id=one.id) for one in paid]
        assert [[one.amount for one in some] for some in back] == [[500], []]


def test_a_dispute_freezes_the_lots_of_its_own_order_only(
    provider: FakeGateway, world: World, order: Order
) -> None:
    del provider
    member_id = world.add_member()
    disputed, good = (order(member_id, eleven=1) for _ in range(2))
    payment = pay(disputed.order).outcome()
    pay(good.order)
    with transaction():
        db.session.add(
            Dispute(
                id=new_id(),
                provider_ref="dp_1",
                payment_id=payment.id,
                amount=500,
                currency="TWD",
                reason="fraudulent",
                status="open",
                opened_at=clock.now(),
            )
        )
    settle()
    frozen = {lot.order_item_id: lot.frozen_at is not None for lot in lots_of(member_id)}
    assert frozen == {disputed.items[0].item.id: True, good.items[0].item.id: False}


def test_an_order_that_is_not_there_is_refused_and_none_is_fulfilled(
    world: World, order: Order
) -> None:
    now = clock.now()
    placed = order(world.add_member(), eleven=1).order
    with pytest.raises(NotFound), transaction():
        fulfil_all({placed.id: now, new_id(): now}, now=now)
    assert read_order(placed).status == "pending"


def test_an_order_that_cannot_be_fulfilled_is_put_off_and_stops_no_other(
    provider: FakeGateway, world: World, order: Order
) -> None:
    del provider
    bad, *good = [order(world.add_member(), eleven=1).order for _ in range(4)]
    with transaction():  # no company has this number, so no invoice can be owed to it
        wrong = update(Placed).where(Placed.id == bad.id)
        db.session.execute(wrong.values(buyer_tax_id="12345678"))
    for one in (good[0], bad, *good[1:]):
        pay(one)
    settle()
    assert [read_order(one).status for one in good] == ["fulfilled"] * 3
    assert [booked(one.member_id) for one in good] == [SALE] * 3
    assert read_order(bad).status == "pending"
    with transaction():
        left = db.session.scalars(select(Outbox).where(Outbox.topic == "voucher_order.paid"))
        tries = {row.member_id: (row.tries, row.is_open) for row in left}
    assert tries == {bad.member_id: (1, True)} | {one.member_id: (0, False) for one in good}


def test_racing_drains_over_crossing_wallets_give_each_cup_once(
    app: Flask, world: World, order: Order
) -> None:
    now = clock.now()
    members = [world.add_member() for _ in range(6)]
    placed = [order(member_id, eleven=1).order.id for member_id in members * 2]
    there, back = dict.fromkeys(placed, now), dict.fromkeys(reversed(placed), now)
    together(app, [lambda: fulfil_all(there, now=now), lambda: fulfil_all(back, now=now)] * 3)
    assert [booked(member_id) for member_id in members] == [SALE * 2] * 6
