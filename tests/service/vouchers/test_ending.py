from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event
from time import sleep

from flask import Flask

import payments
from kernel import clock
from kernel.due import is_due
from kernel.transaction import transaction
from payments import Payment, sweep
from tests.fakes import GOOD, SLOW, WANTS_HOLDER, FakeGateway
from tests.service.vouchers.conftest import lots_of, pay, read_order, settle
from tests.together import together
from tests.world import World
from vouchers import Ordered, jobs
from vouchers.models import Order as OrderRow
from vouchers.policy import PURPOSE
from vouchers.service.fulfil import fulfil

Order = Callable[..., Ordered]
PassTime = Callable[[timedelta], datetime]
LATER = timedelta(minutes=31)


def payments_of(placed: OrderRow) -> list[Payment]:
    with transaction():
        return list(payments.list_payments(purpose=PURPOSE, purpose_id=placed.id))


def status_of(payment: Payment) -> str:
    with transaction():
        return payments.get_payment(payment.id).status


def test_an_unpaid_order_ends(
    provider: FakeGateway, world: World, order: Order, pass_time: PassTime
) -> None:
    placed = order(world.add_member(), eleven=1).order
    jobs.end_unpaid()
    assert read_order(placed).status == "pending"
    pass_time(LATER)
    jobs.end_unpaid()
    assert read_order(placed).status == "ended"
    assert provider.calls == []


def test_a_paid_order_gets_its_cups_although_the_news_of_its_money_is_late(
    provider: FakeGateway, world: World, order: Order, pass_time: PassTime
) -> None:
    del provider
    member_id = world.add_member()
    placed = order(member_id, eleven=1).order
    pay(placed)
    pass_time(LATER)
    jobs.end_unpaid()
    assert read_order(placed).status == "fulfilled"
    with transaction():
        assert not is_due(jobs.ENDING, clock.now())
    settle()
    assert len(lots_of(member_id)) == 1


def test_what_waits_for_its_holder_is_given_up_with_the_order(
    provider: FakeGateway, world: World, order: Order, pass_time: PassTime
) -> None:
    placed = order(world.add_member(), eleven=1).order
    waiting = pay(placed, WANTS_HOLDER).outcome()
    pass_time(LATER)
    jobs.end_unpaid()
    assert read_order(placed).status == "ended"
    assert provider.intents[str(waiting.provider_ref)].status == "cancelled"


def test_an_order_that_was_paid_unheard_is_fulfilled_instead(
    provider: FakeGateway, world: World, order: Order, pass_time: PassTime
) -> None:
    member_id = world.add_member()
    placed = order(member_id, eleven=1).order
    waiting = pay(placed, WANTS_HOLDER).outcome()
    provider.authenticate(str(waiting.provider_ref))
    pass_time(LATER)
    jobs.end_unpaid()
    settle()
    assert read_order(placed).status == "fulfilled"
    assert len(lots_of(member_id)) == 1


def test_one_order_that_breaks_does_not_stop_the_others(
    provider: FakeGateway, world: World, order: Order, pass_time: PassTime
) -> None:
    bad, good = (order(world.add_member(), eleven=1).order for _ in range(2))
    pay(bad, WANTS_HOLDER)
    provider.fail("cancel", "before", RuntimeError("broken"))
    pass_time(LATER)
    jobs.end_unpaid()
    assert [read_order(bad).status, read_order(good).status] == ["pending", "ended"]
    jobs.end_unpaid()
    assert read_order(bad).status == "ended"


def test_a_payment_under_way_does_not_keep_an_order_open(
    provider: FakeGateway, world: World, order: Order, pass_time: PassTime
) -> None:
    member_id = world.add_member()
    placed = order(member_id, eleven=1).order
    slow = pay(placed, SLOW).outcome()
    pass_time(LATER)
    jobs.end_unpaid()
    assert read_order(placed).status == "ended"
    provider.finish(str(slow.provider_ref))
    pass_time(timedelta(hours=1))
    sweep.ask_again()
    settle()
    assert read_order(placed).status == "ended"
    assert lots_of(member_id) == []
    assert status_of(slow) == "surplus"


def test_what_the_payer_left_in_the_providers_form_is_given_up_with_the_order(
    provider: FakeGateway, world: World, order: Order, pass_time: PassTime
) -> None:
    placed = order(world.add_member(), eleven=1).order
    left = pay(placed, None, by_holder=True).outcome()
    pass_time(LATER)
    jobs.end_unpaid()
    assert read_order(placed).status == "ended"
    assert provider.intents[str(left.provider_ref)].status == "cancelled"


def test_paying_and_ending_race_to_one_of_two_ends(
    app: Flask, provider: FakeGateway, world: World, order: Order, pass_time: PassTime
) -> None:
    member_id = world.add_member()
    placed = order(member_id, eleven=1).order
    in_time = clock.now()
    pass_time(LATER)
    together(app, [lambda: pay(placed, GOOD, now=in_time), jobs.end_unpaid], in_transactions=False)
    settle()
    is_kept = any(status_of(payment) == "succeeded" for payment in payments_of(placed))
    assert read_order(placed).status == ("fulfilled" if is_kept else "ended")
    assert len(lots_of(member_id)) == int(is_kept)
    assert all(
        status_of(payment) in ("succeeded", "surplus")
        for payment in payments_of(placed)
        if payment.id in provider.taken
    )


def test_an_order_that_is_being_fulfilled_does_not_end(
    app: Flask, provider: FakeGateway, world: World, order: Order, pass_time: PassTime
) -> None:
    placed = order(world.add_member(), eleven=1).order
    now = pass_time(LATER)
    is_at_work = Event()

    def fulfil_slowly() -> None:
        with transaction():
            fulfil(order_id=placed.id, paid_at=now, now=now)
            is_at_work.set()
            sleep(0.3)

    def end() -> None:
        is_at_work.wait(timeout=10)
        jobs.end_unpaid()

    together(app, [fulfil_slowly, end], in_transactions=False)
    assert read_order(placed).status == "fulfilled"


def test_the_duty_calls_only_for_what_is_due(
    provider: FakeGateway, world: World, order: Order, pass_time: PassTime
) -> None:
    del provider
    order(world.add_member(), eleven=1)
    with transaction():
        assert not is_due(jobs.ENDING, clock.now())
    pass_time(LATER)
    with transaction():
        assert is_due(jobs.ENDING, clock.now())
    jobs.end_unpaid()
    with transaction():
        assert not is_due(jobs.ENDING, clock.now())
