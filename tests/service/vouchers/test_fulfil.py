from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import event

import invoicing
import payments
import vouchers
from kernel import clock
from kernel.db import db
from kernel.ids import new_id
from kernel.outbox import Outbox
from kernel.transaction import transaction
from payments.models import Dispute
from subs.models import Subscription
from tests.fakes import FakeGateway
from tests.service.vouchers.conftest import booked, lots_of, pay, read_order, settle
from tests.together import together
from tests.world import World
from vouchers import Ordered, issue_lot
from vouchers.models import Lot, Wallet
from vouchers.service.fulfil import fulfil

Order = Callable[..., Ordered]

NOON = datetime(2026, 1, 14, 4, tzinfo=UTC)


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


def test_money_that_comes_after_the_end_goes_back_and_is_told_once(
    provider: FakeGateway, world: World, order: Order
) -> None:
    member_id = world.add_member()
    placed = order(member_id, eleven=1).order
    payment = pay(placed).outcome()
    with transaction():
        row = db.session.get_one(type(placed), placed.id)
        row.status = "ended"
    settle()
    with transaction():
        fulfil(order_id=placed.id, paid_at=clock.now(), now=clock.now())
    assert read_order(placed).status == "ended"
    assert lots_of(member_id) == []
    with transaction():
        (repayment,) = payments.list_repayments(payment_id=payment.id)
        assert (repayment.purpose, repayment.amount) == ("surplus", 500)
        told = db.session.query(Outbox).filter_by(topic="member.notice", member_id=member_id)
        assert [row.facts["notice"] for row in told] == ["voucher_order.paid_too_late"]
    assert booked(member_id, "surplus") == [("1111", "2133", 500, 0)]
    assert provider.taken == [payment.id]


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


def statements_of(work: Callable[[], object]) -> int:
    """How many statements some work takes."""
    seen = 0

    def count(*_: object) -> None:
        nonlocal seen
        seen += 1

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        with transaction():
            work()
    finally:
        event.remove(db.engine, "before_cursor_execute", count)
    return seen


def test_hundreds_of_packs_take_as_many_statements_as_one(world: World, order: Order) -> None:
    now = clock.now()
    small = order(world.add_member(), eleven=1).order
    items = [{"offer_id": world.offers["eleven"][0], "quantity": 99}] * 4
    member_id = world.add_member()
    with transaction():
        large = vouchers.place_order(member_id=member_id, items=items, now=now).order
    few = statements_of(lambda: fulfil(order_id=small.id, paid_at=now, now=now))
    many = statements_of(lambda: fulfil(order_id=large.id, paid_at=now, now=now))
    assert many == few
    assert len(lots_of(member_id)) == 396


def test_fulfilling_changes_the_wallet_once(world: World, order: Order) -> None:
    member_id = world.add_member()
    placed, now = order(member_id, eleven=9).order, clock.now()
    with transaction():
        fulfil(order_id=placed.id, paid_at=now, now=now)
    with transaction():
        assert db.session.get_one(Wallet, member_id).version == 1


def fulfilled(world: World, order: Order, **terms: object) -> list[Lot]:
    """The lots of one pack on these terms, sold at noon on 14 January in Taipei."""
    world.add_offer("pack", **terms)
    member_id = world.add_member()
    placed, now = order(member_id, pack=1).order, clock.now()
    with transaction():
        fulfil(order_id=placed.id, paid_at=NOON, now=now)
    return sorted(lots_of(member_id), key=lambda lot: lot.ordinal)


OWN_BONUS = {
    "list_price": 60,
    "bonus_after_count": 60,
    "bonus_after_unit": "day",
    "bonus_use_bp": 7_000,
}


def test_bonus_cups_that_end_by_themselves_are_a_lot_of_their_own(
    world: World, order: Order
) -> None:
    paid, bonus = fulfilled(world, order, **OWN_BONUS)
    assert (paid.units, paid.net, paid.vat, paid.expiry_mode) == (10, 445, 22, "never")
    assert (bonus.units, bonus.net, bonus.vat, bonus.expiry_mode) == (1, 31, 2, "lapse")
    assert (paid.is_bonus, bonus.is_bonus) == (False, True)
    assert (paid.ordinal, bonus.ordinal) == (1, 101)
    assert bonus.ends_at == datetime(2026, 3, 15, 16, tzinfo=UTC)
    assert bonus.due_at == datetime(2026, 2, 13, 2, tzinfo=UTC)


@pytest.mark.parametrize("mode", ["lapse", "top_up", "refund"])
def test_cups_end_by_the_terms_they_were_sold_at(world: World, order: Order, mode: str) -> None:
    span = {"expires_after_count": 1, "expires_after_unit": "year"}
    (lot,) = fulfilled(world, order, expiry_mode=mode, **span)
    assert lot.expiry_mode == mode
    assert lot.ends_at == datetime(2027, 1, 14, 16, tzinfo=UTC)
    assert lot.due_at == datetime(2026, 12, 15, 2, tzinfo=UTC)


def test_a_cash_value_pack_carries_all_its_price_and_is_not_invoiced(
    world: World, order: Order
) -> None:
    (lot,) = fulfilled(world, order, vat_timing="redemption")
    assert (lot.net, lot.vat) == (500, 0)
    assert booked(lot.member_id) == [("1111", "2131", 500, 11)]
    with transaction():
        assert invoicing.invoices_of_member(lot.member_id, after=None, limit=9) == []


def test_an_order_has_one_invoice_of_its_packs(world: World, order: Order) -> None:
    world.add_offer("cash", vat_timing="redemption")
    member_id = world.add_member()
    buyer = invoicing.Buyer(tax_id="04595257")
    items = [
        {"offer_id": world.offers[code][0], "quantity": quantity}
        for code, quantity in (("eleven", 2), ("cash", 1), ("monthly", 1))
    ]
    now = clock.now()
    with transaction():
        placed = vouchers.place_order(member_id=member_id, items=items, buyer=buyer, now=now)
    with transaction():
        fulfil(order_id=placed.order.id, paid_at=now, now=now)
    with transaction():
        invoice = invoicing.find_invoice(source="order", source_id=placed.order.id)
        assert invoice is not None
        assert (invoice.gross, invoice.net, invoice.vat) == (1000, 952, 48)
        assert invoice.buyer_tax_id == "04595257"


def test_each_period_of_a_plan_is_invoiced_to_the_buyer_of_its_order(
    world: World, order: Order
) -> None:
    member_id, now = world.add_member(), clock.now()
    items = [{"offer_id": world.offers["monthly"][0], "quantity": 1}]
    buyer = invoicing.Buyer(carrier="/ABC+123")
    with transaction():
        placed = vouchers.place_order(member_id=member_id, items=items, buyer=buyer, now=now)
    with transaction():
        fulfil(order_id=placed.order.id, paid_at=now, now=now)
    settle()
    (lot,) = lots_of(member_id)
    assert lot.order_item_id == placed.items[0].item.id
    with transaction():
        (invoice,) = invoicing.invoices_of_member(member_id, after=None, limit=9)
        assert (invoice.source, invoice.source_id) == ("period", lot.source_id)
        assert (invoice.gross, invoice.buyer_carrier) == (499, "/ABC+123")


def test_cups_of_a_payment_that_is_disputed_already_are_frozen(
    provider: FakeGateway, world: World, order: Order
) -> None:
    del provider
    member_id = world.add_member()
    placed = order(member_id, eleven=1).order
    payment = pay(placed).outcome()
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
    with transaction():
        fulfil(order_id=placed.id, paid_at=clock.now(), now=clock.now())
    assert [lot.frozen_at is None for lot in lots_of(member_id)] == [False]
