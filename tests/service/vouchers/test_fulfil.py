from collections.abc import Callable
from datetime import timedelta

from flask import Flask

from kernel import clock
from kernel.db import db
from kernel.outbox import Outbox
from kernel.transaction import transaction
from subs.models import Subscription
from tests.fakes import FakeGateway
from tests.service.vouchers.conftest import booked, lots_of, pay, read_order, settle
from tests.together import together
from tests.world import World
from vouchers import Ordered, issue_lot
from vouchers.models import Lot, Wallet
from vouchers.service.fulfil import fulfil

Order = Callable[..., Ordered]


def test_each_pack_is_a_lot_with_the_same_money(
    provider: FakeGateway, world: World, order: Order
) -> None:
    del provider
    member_id = world.add_member()
    placed = order(member_id, eleven=3).order
    payment = pay(placed).outcome()
    settle()
    lots = lots_of(member_id)
    assert sorted(lot.ordinal for lot in lots) == [1, 2, 3]
    assert {(lot.units, lot.net, lot.vat, lot.account) for lot in lots} == {(11, 476, 24, "2131")}
    assert {lot.store_id for lot in lots} == {world.stores["W"]}
    assert {(lot.sold_at, lot.ends_at) for lot in lots} == {(payment.settled_at, None)}


def test_the_sale_of_each_pack_is_in_the_books(
    provider: FakeGateway, world: World, order: Order
) -> None:
    del provider
    member_id = world.add_member()
    pay(order(member_id, eleven=2).order)
    settle()
    assert booked(member_id) == [("1111", "2131", 476, 11), ("1111", "2194", 24, 0)] * 2


def test_the_order_says_when_it_was_paid_and_fulfilled(
    provider: FakeGateway, world: World, order: Order
) -> None:
    del provider
    placed = order(world.add_member(), eleven=1).order
    payment = pay(placed).outcome()
    settle()
    done = read_order(placed)
    assert (done.status, done.paid_at) == ("fulfilled", payment.settled_at)
    assert done.fulfilled_at is not None


def test_a_plan_in_the_order_begins(provider: FakeGateway, world: World, order: Order) -> None:
    del provider
    member_id = world.add_member()
    placed = order(member_id, eleven=1, monthly=2).order
    pay(placed)
    settle()
    with transaction():
        assert db.session.query(Subscription).filter_by(member_id=member_id).count() == 2
    assert sorted(lot.account for lot in lots_of(member_id)) == ["2131", "2132", "2132"]
    assert read_order(placed).status == "fulfilled"


def test_money_that_comes_after_the_end_still_buys_the_cups(
    provider: FakeGateway, world: World, order: Order
) -> None:
    del provider
    member_id = world.add_member()
    placed = order(member_id, eleven=1).order
    pay(placed)
    with transaction():
        row = db.session.get_one(type(placed), placed.id)
        row.status = "ended"
    settle()
    assert read_order(placed).status == "fulfilled"
    assert len(lots_of(member_id)) == 1


def test_racing_fulfilments_issue_once(app: Flask, world: World, order: Order) -> None:
    member_id = world.add_member()
    placed = order(member_id, eleven=2, monthly=1).order
    now = clock.now()
    together(app, [lambda: fulfil(order_id=placed.id, paid_at=now, now=now)] * 6)
    assert len(lots_of(member_id)) == 2
    assert len(booked(member_id)) == 4
    with transaction():
        assert db.session.query(Outbox).filter_by(topic="plan_item.paid").count() == 1


def issue(world: World, member_id: object, source_id: object) -> Lot:
    version_id = world.offers["monthly"][1]
    now = clock.now()
    return issue_lot(
        member_id=member_id,  # type: ignore[arg-type]
        offer_version_id=version_id,
        store_id=world.stores["W"],
        source="period",
        source_id=source_id,  # type: ignore[arg-type]
        account="2132",
        net=475,
        vat=24,
        sold_at=now,
        ends_at=now + timedelta(days=30),
    )


def test_a_lot_is_issued_once_for_its_source(app: Flask, world: World) -> None:
    member_id, source_id = world.add_member(), world.stores["A"]
    answers = together(app, [lambda: issue(world, member_id, source_id).id] * 6)
    assert len(set(map(str, answers))) == 1
    assert booked(member_id) == [("1111", "2132", 475, 10), ("1111", "2194", 24, 0)]


def test_the_first_lot_makes_the_wallet(world: World) -> None:
    stranger = world.stores["B"]
    with transaction():
        issue(world, stranger, world.stores["A"])
    with transaction():
        assert db.session.get_one(Wallet, stranger).version == 1
