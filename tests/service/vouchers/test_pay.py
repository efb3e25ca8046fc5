from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

import payments
from kernel import clock
from kernel.db import db
from kernel.errors import NotFound, Refusal
from kernel.idempotency import KeyReused
from kernel.ids import new_id
from kernel.transaction import transaction
from payments import Card, Payment
from tests.fakes import DECLINED, GOOD, LOST, SLOW, WANTS_HOLDER, FakeGateway
from tests.service.vouchers.conftest import key, lots_of, pay, read_order, settle
from tests.together import together
from tests.world import World
from vouchers import AlreadyPaid, Ordered, OrderEnded, Paid, PaymentDeclined, PaymentGivenUp
from vouchers.policy import PURPOSE

Order = Callable[..., Ordered]
PassTime = Callable[[timedelta], datetime]


def test_a_good_card_pays_the_order(provider: FakeGateway, world: World, order: Order) -> None:
    placed = order(world.add_member(), eleven=1).order
    payment = pay(placed).outcome()
    assert (payment.status, payment.amount, payment.currency) == ("succeeded", 500, "TWD")
    settle()
    assert read_order(placed).status == "fulfilled"
    assert provider.taken == [payment.id]


def test_a_paid_order_is_not_paid_again(provider: FakeGateway, world: World, order: Order) -> None:
    placed = order(world.add_member(), eleven=1).order
    pay(placed)
    with pytest.raises(AlreadyPaid):
        pay(placed)
    settle()
    with pytest.raises(AlreadyPaid):
        pay(placed)
    assert len(provider.taken) == 1


def test_an_order_is_paid_in_time_or_not_at_all(
    provider: FakeGateway, world: World, order: Order, pass_time: PassTime
) -> None:
    placed = order(world.add_member(), eleven=1).order
    pass_time(timedelta(minutes=31))
    with pytest.raises(OrderEnded):
        pay(placed)
    assert provider.calls == []


def test_somebody_elses_order_is_not_found(
    provider: FakeGateway, world: World, order: Order
) -> None:
    placed = order(world.add_member(), eleven=1).order
    bob = world.add_member()
    with pytest.raises(NotFound):
        pay(placed, member_id=bob, key=key(member_id=bob))
    assert provider.calls == []


@pytest.mark.parametrize(
    ("card", "told"), [(DECLINED, "generic_decline"), (LOST, "generic_decline")]
)
def test_after_a_refusal_another_card_pays(
    provider: FakeGateway, world: World, order: Order, card: str, told: str
) -> None:
    placed = order(world.add_member(), eleven=1).order
    with pytest.raises(PaymentDeclined) as refusal:
        pay(placed, card).outcome()
    assert refusal.value.facts == {"decline_code": told}
    assert read_order(placed).status == "pending"
    payment = pay(placed).outcome()
    assert (payment.status, payment.attempt) == ("succeeded", 2)
    assert provider.taken == [payment.id]


def test_a_key_that_comes_back_asks_about_its_own_attempt(
    provider: FakeGateway, world: World, order: Order
) -> None:
    member_id = world.add_member()
    placed = order(member_id, eleven=1).order
    once = key(member_id=member_id)
    first = pay(placed, key=once)
    settle()
    again = pay(placed, key=once)
    assert (first.is_replay, again.is_replay) == (False, True)
    assert again.outcome().id == first.outcome().id
    assert len(provider.taken) == 1


def test_a_refused_key_stays_refused(provider: FakeGateway, world: World, order: Order) -> None:
    member_id = world.add_member()
    placed = order(member_id, eleven=1).order
    once = key(member_id=member_id)
    pay(placed, DECLINED, key=once)
    pay(placed)
    with pytest.raises(PaymentDeclined):
        pay(placed, DECLINED, key=once).outcome()
    assert len(provider.taken) == 1


def test_racers_with_other_cards_are_not_told_that_theirs_was_refused(
    app: Flask, provider: FakeGateway, world: World, order: Order
) -> None:
    member_id = world.add_member()
    for _ in range(4):
        placed = order(member_id, eleven=1).order
        answers = together(
            app,
            [partial(paid_with, placed, f"{GOOD}_{turn}") for turn in range(6)],
            in_transactions=False,
        )
        refused = [one for one in answers if isinstance(one, Refusal)]
        assert {type(one) for one in refused} <= {AlreadyPaid, PaymentGivenUp}
        assert len({one.id for one in answers if isinstance(one, Payment)}) == 1
    assert len(provider.taken) == 4


def test_an_attempt_that_gave_way_was_not_refused_by_a_card(
    provider: FakeGateway, world: World, order: Order
) -> None:
    del provider
    placed = order(world.add_member(), eleven=1).order
    first, _ = [begun(placed, card) for card in (WANTS_HOLDER, GOOD)]
    with pytest.raises(PaymentGivenUp):
        Paid(payments.charge(payment_id=first), is_replay=False).outcome()


def paid_with(placed: Any, card: str) -> Payment:
    return pay(placed, card).outcome()


def begun(placed: Any, card: str) -> UUID:
    """An attempt that is written down, and of which no provider has heard."""
    with transaction():
        return payments.begin(
            member_id=placed.member_id,
            purpose=PURPOSE,
            purpose_id=placed.id,
            amount=placed.total,
            currency=placed.currency,
            payment_method=card,
            now=clock.now(),
        ).id


def test_a_key_is_for_one_request(provider: FakeGateway, world: World, order: Order) -> None:
    del provider
    member_id = world.add_member()
    placed, other = order(member_id, eleven=1).order, order(member_id, eleven=2).order
    pay(placed, key=key("k" * 16, member_id=member_id, of="one"))
    with pytest.raises(KeyReused):
        pay(other, key=key("k" * 16, member_id=member_id, of="two"))


def test_a_card_that_wants_its_holder_answers_with_the_secret(
    provider: FakeGateway, world: World, order: Order
) -> None:
    placed = order(world.add_member(), eleven=1).order
    payment = pay(placed, WANTS_HOLDER).outcome()
    assert payment.status == "requires_action"
    assert payment.client_secret == f"{payment.provider_ref}_secret"
    assert provider.taken == []


def test_another_card_gives_up_what_waits_for_its_holder(
    provider: FakeGateway, world: World, order: Order
) -> None:
    placed = order(world.add_member(), eleven=1).order
    waiting = pay(placed, WANTS_HOLDER).outcome()
    payment = pay(placed, GOOD).outcome()
    assert payment.status == "succeeded"
    assert provider.intents[str(waiting.provider_ref)].status == "cancelled"
    assert provider.taken == [payment.id]


def test_another_card_finds_out_when_the_first_was_authenticated_meanwhile(
    provider: FakeGateway, world: World, order: Order
) -> None:
    placed = order(world.add_member(), eleven=1).order
    waiting = pay(placed, WANTS_HOLDER).outcome()
    provider.authenticate(str(waiting.provider_ref))
    payment = pay(placed, GOOD).outcome()
    assert (payment.id, payment.status) == (waiting.id, "succeeded")
    assert provider.taken == [waiting.id]


@pytest.mark.parametrize("card", [GOOD, DECLINED])
def test_another_card_waits_for_what_nobody_knows_yet(
    provider: FakeGateway, world: World, order: Order, card: str
) -> None:
    placed = order(world.add_member(), eleven=1).order
    first = pay(placed, SLOW).outcome()
    assert pay(placed, card).outcome().id == first.id
    provider.is_silent = True
    assert pay(placed, card).outcome().status == "processing"
    assert provider.taken == []


def test_a_silent_provider_does_not_let_another_card_charge_too(
    provider: FakeGateway, world: World, order: Order
) -> None:
    placed = order(world.add_member(), eleven=1).order
    provider.fail("charge", "after")
    first = pay(placed, GOOD).outcome()
    assert first.status == "processing"
    second = pay(placed, "pm_card_mastercard").outcome()
    assert (second.id, second.status) == (first.id, "succeeded")
    assert provider.taken == [first.id]


def test_a_plan_keeps_the_card_for_its_renewals(
    provider: FakeGateway, world: World, order: Order
) -> None:
    placed = order(world.add_member(), monthly=1).order
    payment = pay(placed, save_card=False).outcome()
    with transaction():
        assert db.session.get_one(Card, payment.card_id).member_id == placed.member_id
    assert provider.taken == [payment.id]


def test_a_pack_keeps_no_card_unless_asked_to(
    provider: FakeGateway, world: World, order: Order
) -> None:
    del provider
    assert pay(order(world.add_member(), eleven=1).order).outcome().card_id is None
    kept = pay(order(world.add_member(), eleven=1).order, save_card=True).outcome()
    assert kept.card_id is not None


@pytest.mark.parametrize("cards", [[GOOD] * 8, [GOOD, "pm_card_jcb"] * 4, [GOOD, DECLINED] * 4])
def test_racers_for_one_order_charge_once(
    app: Flask, provider: FakeGateway, world: World, order: Order, cards: list[str]
) -> None:
    member_id = world.add_member()
    placed = order(member_id, eleven=1).order

    def race(card: str) -> Callable[[], str]:
        return lambda: pay(placed, card).payment.status

    answers = together(app, [race(card) for card in cards], in_transactions=False)
    assert len(provider.taken) == 1
    assert "succeeded" in answers
    settle()
    assert [lot.units for lot in lots_of(member_id)] == [11]
    with transaction():
        paid = db.session.query(Payment).filter_by(status="succeeded").count()
    assert paid == 1


def test_racers_with_one_key_are_one_payment(
    app: Flask, provider: FakeGateway, world: World, order: Order
) -> None:
    member_id = world.add_member()
    placed = order(member_id, eleven=1).order
    once = key(member_id=member_id)
    race = [lambda: str(pay(placed, key=once).payment.id)] * 8
    answers = together(app, race, in_transactions=False)
    assert len(set(map(str, answers))) == 1
    assert len(provider.taken) == 1


def test_racers_with_one_key_for_two_orders_pay_one(
    app: Flask, provider: FakeGateway, world: World, order: Order
) -> None:
    member_id = world.add_member()
    two = [order(member_id, eleven=1).order for _ in range(2)]
    name = new_id().hex
    works = [
        lambda one=one: pay(one, key=key(name, member_id=member_id, of=str(one.id))).payment.status
        for one in two
    ]
    answers = together(app, works, in_transactions=False)
    assert sorted(type(answer).__name__ for answer in answers) == ["KeyReused", "str"]
    assert len(provider.taken) == 1


def test_paying_takes_the_time_from_its_caller(
    provider: FakeGateway, world: World, order: Order
) -> None:
    del provider
    placed = order(world.add_member(), eleven=1).order
    with pytest.raises(OrderEnded):
        pay(placed, now=clock.now() + timedelta(minutes=30))
