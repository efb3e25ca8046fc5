from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

import payments
import vouchers
from invoicing import Buyer
from kernel import clock
from kernel.db import db
from kernel.errors import NotFound
from kernel.idempotency import Key
from kernel.transaction import transaction
from payments import Payment, PaymentUnderWay, ShiftClosed
from subs.models import PlanSchedule, Subscription
from tests.fakes import Crash, FakeGateway
from tests.service.vouchers.conftest import key, lots_of, pay, read_order, settle
from tests.service.vouchers.terminal import FakeTerminal, fake_terminal
from tests.service.vouchers.test_crashes import dying_at
from tests.together import together
from tests.world import Till, World
from vouchers import AlreadyPaid, AtTill, CounterSale, MemberLimit, OrderEnded, OwnOrder, jobs
from vouchers.service.order import Wanted

PassTime = Callable[[timedelta], datetime]


@pytest.fixture
def terminal(app: Flask) -> Iterator[FakeTerminal]:
    with fake_terminal() as fake:
        yield fake


@pytest.fixture
def till(world: World) -> Till:
    return world.add_till("A")


def at(till: Till) -> AtTill:
    return AtTill(till.shift_id, till.device_id, till.store_id, till.staff_id)


def sell(world: World, till: Till, method: str = "cash", **other: Any) -> CounterSale:
    member_id = other.pop("member_id", None) or world.add_member()
    items = [{"offer_id": world.offers["eleven"][0], "quantity": other.pop("quantity", 1)}]
    return vouchers.sell_at_counter(
        **{
            "till": at(till),
            "buyer_id": lambda: member_id,
            "items": items,
            "method": method,
            "invoice_to": None,
            "key": key(member_id=till.device_id),
            "now": clock.now(),
            **other,
        }
    )


def pay_again(sale: CounterSale, till: Till, method: str, once: Key | None = None) -> CounterSale:
    return vouchers.pay_at_counter(
        till=at(till),
        order_id=sale.ordered.order.id,
        method=method,  # type: ignore[arg-type]
        key=once or key(member_id=till.device_id),
        now=clock.now(),
    )


def payment_of(sale: CounterSale) -> Payment:
    assert sale.payment is not None
    return sale.payment


def test_cash_gives_the_cups_at_once(world: World, till: Till) -> None:
    member_id = world.add_member()
    sale = sell(world, till, member_id=member_id, quantity=2, invoice_to=Buyer(tax_id="04595257"))
    order = sale.ordered.order
    assert (order.status, order.channel, order.total) == ("fulfilled", "counter", 1000)
    assert (order.store_id, order.shift_id) == (world.stores["A"], till.shift_id)
    assert order.buyer_tax_id == "04595257"
    assert (payment_of(sale).provider, payment_of(sale).status) == ("cash", "succeeded")
    assert [lot.units for lot in lots_of(member_id)] == [11, 11]
    settle()
    assert len(lots_of(member_id)) == 2
    with transaction():
        (total,) = payments.shift_sums(till.shift_id)
    assert (total.cash, total.terminal) == (1000, 0)


def test_a_key_that_comes_back_sells_nothing_twice(world: World, till: Till) -> None:
    member_id, once = world.add_member(), key(member_id=till.device_id)
    first = sell(world, till, member_id=member_id, key=once)

    def ask_nobody() -> UUID:
        raise AssertionError("nobody is asked who buys for a key that is known")

    again = sell(world, till, buyer_id=ask_nobody, key=once)
    assert (first.is_replay, again.is_replay) == (False, True)
    assert again.ordered.order.id == first.ordered.order.id
    assert len(lots_of(member_id)) == 1


def test_racers_with_one_key_sell_once(app: Flask, world: World, till: Till) -> None:
    member_id, once = world.add_member(), key(member_id=till.device_id)

    def race() -> str:
        return str(sell(world, till, member_id=member_id, key=once).ordered.order.id)

    answers = together(app, [race] * 6, in_transactions=False)
    assert len(set(map(str, answers))) == 1
    assert len(lots_of(member_id)) == 1


def test_a_limit_holds_at_the_counter_too(world: World, till: Till) -> None:
    world.add_offer("few", member_limit=1)
    world.offers["eleven"] = world.offers["few"]
    member_id = world.add_member()
    sell(world, till, member_id=member_id)
    with pytest.raises(MemberLimit):
        sell(world, till, member_id=member_id)
    with transaction():
        (total,) = payments.shift_sums(till.shift_id)
    assert total.cash == 500


def test_clerks_do_not_sell_to_themselves(world: World) -> None:
    own = world.add_member()
    with pytest.raises(OwnOrder):
        sell(world, world.add_till("A", own=own), member_id=own)
    assert lots_of(own) == []


def test_a_closed_shift_takes_no_more_money(
    terminal: FakeTerminal, world: World, till: Till
) -> None:
    sell(world, till)
    with transaction():
        payments.close_shift(
            shift_id=till.shift_id,
            counted={"TWD": 500},
            note=None,
            by_id=till.staff_id,
            now=clock.now(),
        )
    member_id = world.add_member()
    for method in ("cash", "terminal"):
        with pytest.raises(ShiftClosed):
            sell(world, till, method, member_id=member_id)
    assert lots_of(member_id) == []
    assert terminal.calls == []


def test_the_terminal_waits_for_the_card_and_then_gives_the_cups(
    terminal: FakeTerminal, world: World, till: Till
) -> None:
    member_id, once = world.add_member(), key(member_id=till.device_id)
    sale = sell(world, till, "terminal", member_id=member_id, key=once)
    payment = payment_of(sale)
    assert (sale.ordered.order.status, payment.status) == ("pending", "processing")
    assert (payment.provider, payment.method_ref) == ("terminal", str(till.device_id))
    assert payment_of(pay_again(sale, till, "terminal")).id == payment.id
    terminal.tap(payment.id)
    again = sell(world, till, "terminal", key=once)
    assert (again.ordered.order.status, payment_of(again).status) == ("fulfilled", "succeeded")
    settle()
    assert len(lots_of(member_id)) == 1
    with transaction():
        (total,) = payments.shift_sums(till.shift_id)
    assert (total.cash, total.terminal) == (0, 500)


def test_after_a_refused_card_a_new_key_tries_again(
    terminal: FakeTerminal, world: World, till: Till
) -> None:
    once = key(member_id=till.device_id)
    sale = sell(world, till, "terminal", key=once)
    terminal.refuse(payment_of(sale).id)
    refused = pay_again(sale, till, "terminal")
    assert (payment_of(refused).status, payment_of(refused).attempt) == ("failed", 1)
    assert payment_of(sell(world, till, "terminal", key=once)).status == "failed"
    second = pay_again(sale, till, "terminal")
    assert (payment_of(second).status, payment_of(second).attempt) == ("processing", 2)
    terminal.tap(payment_of(second).id)
    assert pay_again(sale, till, "terminal").ordered.order.status == "fulfilled"


def test_cash_gives_up_what_the_terminal_waits_for(
    terminal: FakeTerminal, world: World, till: Till
) -> None:
    sale = sell(world, till, "terminal")
    waiting, once = payment_of(sale), key(member_id=till.device_id)
    paid = pay_again(sale, till, "cash", once)
    assert (payment_of(paid).provider, paid.ordered.order.status) == ("cash", "fulfilled")
    with transaction():
        assert payments.get_payment(waiting.id).status == "cancelled"
    assert pay_again(sale, till, "cash", once).is_replay
    with pytest.raises(AlreadyPaid):
        pay_again(sale, till, "cash")
    assert terminal.taken == []


def test_no_cash_is_taken_while_nobody_knows_of_the_card(
    terminal: FakeTerminal, world: World, till: Till
) -> None:
    sale = sell(world, till, "terminal")
    terminal.is_silent = True
    with pytest.raises(PaymentUnderWay):
        pay_again(sale, till, "cash")
    with transaction():
        assert payments.shift_sums(till.shift_id) == []


def test_a_card_that_was_good_meanwhile_is_not_paid_in_cash_too(
    terminal: FakeTerminal, world: World, till: Till
) -> None:
    sale = sell(world, till, "terminal")
    terminal.tap(payment_of(sale).id)
    with pytest.raises(AlreadyPaid):
        pay_again(sale, till, "cash")
    settle()
    assert read_order(sale.ordered.order).status == "fulfilled"


def test_two_tills_take_the_cash_once(
    app: Flask, terminal: FakeTerminal, world: World, till: Till
) -> None:
    other = world.add_till("A")
    sale = sell(world, till, "terminal")
    terminal.refuse(payment_of(sale).id)
    pay_again(sale, till, "terminal")
    works = [lambda one=one: payment_of(pay_again(sale, one, "cash")).id for one in (till, other)]
    answers = together(app, works * 2, in_transactions=False)
    assert sum(isinstance(answer, AlreadyPaid) for answer in answers) == 3
    with transaction():
        taken = [payments.shift_sums(one.shift_id) for one in (till, other)]
    assert sum(total.cash for sums in taken for total in sums) == 500


def test_the_member_may_pay_in_the_app_instead(
    provider: FakeGateway, terminal: FakeTerminal, world: World, till: Till
) -> None:
    sale = sell(world, till, "terminal")
    paid = pay(sale.ordered.order).outcome()
    settle()
    with pytest.raises(AlreadyPaid):
        pay_again(sale, till, "terminal")
    assert provider.taken == [paid.id]
    assert terminal.taken == []
    with transaction():
        found = vouchers.get_counter_sale(till=at(till), order_id=sale.ordered.order.id)
    assert payment_of(found).id == paid.id


def test_an_order_of_a_counter_ends_as_others_do(
    terminal: FakeTerminal, world: World, till: Till, pass_time: PassTime
) -> None:
    sale = sell(world, till, "terminal")
    pass_time(timedelta(minutes=31))
    jobs.end_unpaid()
    assert read_order(sale.ordered.order).status == "ended"
    assert [seen.status for seen in terminal.intents.values()] == ["cancelled"]
    with pytest.raises(OrderEnded):
        pay_again(sale, till, "cash")


def test_another_store_and_another_channel_are_not_there(
    provider: FakeGateway, terminal: FakeTerminal, world: World, till: Till, order: Any
) -> None:
    del provider
    sale, elsewhere = sell(world, till, "terminal"), world.add_till("B")
    online = order(world.add_member(), eleven=1).order.id
    with pytest.raises(NotFound):
        pay_again(sale, elsewhere, "cash")
    for wrong_till, order_id in ((elsewhere, sale.ordered.order.id), (till, online)):
        with pytest.raises(NotFound), transaction():
            vouchers.get_counter_sale(till=at(wrong_till), order_id=order_id)


@pytest.mark.faults
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("method", ["cash", "terminal"])
def test_a_crash_at_any_statement_of_selling_and_a_retry_sell_once(
    terminal: FakeTerminal, world: World, till: Till, method: str, when: str
) -> None:
    for number in range(1, 200):
        member_id, once = world.add_member(), key(member_id=till.device_id)
        with dying_at(number, when) as has_died:
            try:
                sell(world, till, method, member_id=member_id, key=once)
            except Crash:
                db.session.remove()
        sale = sell(world, till, method, member_id=member_id, key=once)
        if method == "terminal":
            terminal.tap(payment_of(sale).id)
            sale = sell(world, till, method, member_id=member_id, key=once)
        assert sale.ordered.order.status == "fulfilled"
        settle()
        assert len(lots_of(member_id)) == 1
        with transaction():
            assert len(vouchers.list_orders(member_id=member_id, before=None, limit=9)) == 1
        if not has_died():
            assert number > 10
            return
    raise AssertionError("there are more statements than were tried")


def free_plan(world: World) -> list[Wanted]:
    """A plan that costs nothing, as it is wanted at a counter."""
    version_id = world.add_offer("free", kind="plan", price=0, cups=0, bonus_cups=0, product=None)
    schedule = PlanSchedule(
        offer_version_id=version_id,
        every_count=1,
        every_unit="month",
        grace_days=7,
        dunning_days=[],
    )
    with transaction():
        db.session.add(schedule)
    return [{"offer_id": world.offers["free"][0], "quantity": 1}]


@pytest.mark.parametrize("method", ["cash", "terminal"])
def test_what_costs_nothing_is_had_at_the_counter_without_a_payment(
    world: World, till: Till, terminal: FakeTerminal, method: str
) -> None:
    once, member_id = key(member_id=till.device_id), world.add_member()
    wanted = {"items": free_plan(world), "member_id": member_id, "key": once}

    sale, again = (sell(world, till, method, **wanted) for _ in range(2))
    settle()

    assert (sale.payment, sale.is_replay, again.is_replay) == (None, False, True)
    assert again.ordered.order.id == sale.ordered.order.id
    assert read_order(sale.ordered.order).status == "fulfilled"
    with transaction():
        begun = db.session.scalars(select(Subscription)).one()
        assert (begun.member_id, begun.channel, begun.card_id) == (member_id, "counter", None)
        assert begun.store_id == till.store_id
    assert terminal.calls == []
