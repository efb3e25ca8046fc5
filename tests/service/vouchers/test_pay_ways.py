"""Saved cards, and the provider's own form."""

from collections.abc import Callable
from typing import Any

import pytest

import payments
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.transaction import transaction
from payments import Card
from tests.fakes import DECLINED, GOOD, FakeGateway
from tests.service.vouchers.conftest import key, lots_of, pay, read_order, settle
from tests.world import World
from vouchers import Ordered, WayOfPayingMissing
from vouchers.service.pay import Way

Order = Callable[..., Ordered]


@pytest.mark.parametrize(
    "ways",
    [
        {"payment_method": GOOD, "card_id": new_id()},
        {"payment_method": GOOD, "by_holder": True},
        {"card_id": new_id(), "by_holder": True},
    ],
)
def test_an_order_is_paid_in_one_way(ways: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="one way"):
        Way(**ways)


def test_what_costs_something_is_not_paid_with_nothing(
    provider: FakeGateway, world: World, order: Order
) -> None:
    placed = order(world.add_member(), eleven=1).order
    with pytest.raises(WayOfPayingMissing):
        pay(placed, None)
    assert provider.calls == []


def saved(placed: Any) -> Card:
    """A card that was kept when another order was paid."""
    payment = pay(placed, save_card=True).outcome()
    with transaction():
        return db.session.get_one(Card, payment.card_id)


def test_a_saved_card_pays(provider: FakeGateway, world: World, order: Order) -> None:
    alice = world.add_member()
    card = saved(order(alice, eleven=1).order)
    placed = order(alice, eleven=1).order
    payment = pay(placed, None, card_id=card.id).outcome()
    assert (payment.status, payment.card_id, payment.method_ref) == (
        "succeeded", card.id, card.provider_ref
    )  # fmt: skip
    assert provider.taken[-1] == payment.id


def test_somebody_elses_card_does_not_pay(
    provider: FakeGateway, world: World, order: Order
) -> None:
    card = saved(order(world.add_member(), eleven=1).order)
    placed = order(world.add_member(), eleven=1).order
    with pytest.raises(NotFound):
        pay(placed, None, card_id=card.id)
    assert len(provider.taken) == 1


def test_the_payer_pays_in_the_providers_form(
    provider: FakeGateway, world: World, order: Order
) -> None:
    member_id = world.add_member()
    placed = order(member_id, eleven=1).order
    once = key(member_id=member_id)
    begun = pay(placed, None, by_holder=True, key=once).outcome()
    assert (begun.status, begun.by_holder, begun.method_ref) == ("requires_action", True, None)
    assert begun.client_secret is not None
    again = pay(placed, None, by_holder=True, key=once)
    assert (again.is_replay, again.payment.id) == (True, begun.id)
    assert again.payment.client_secret == begun.client_secret
    provider.authenticate(str(begun.provider_ref))
    assert pay(placed, None, by_holder=True, key=once).outcome().status == "succeeded"
    settle()
    assert read_order(placed).status == "fulfilled"
    assert len(lots_of(member_id)) == 1


def test_a_form_that_is_opened_again_is_the_same_attempt(
    provider: FakeGateway, world: World, order: Order
) -> None:
    placed = order(world.add_member(), eleven=1).order
    first = pay(placed, None, by_holder=True).outcome()
    second = pay(placed, None, by_holder=True).outcome()
    assert (first.id, first.client_secret) == (second.id, second.client_secret)
    assert provider.taken == []


@pytest.mark.parametrize("is_form_first", [True, False])
def test_another_way_gives_the_first_attempt_up(
    *, provider: FakeGateway, world: World, order: Order, is_form_first: bool
) -> None:
    placed = order(world.add_member(), eleven=1).order
    ways: list[tuple[str | None, dict[str, Any]]] = [
        (None, {"by_holder": True}), ("pm_card_authenticationRequired", {})
    ]  # fmt: skip
    (method, other), (then, and_then) = ways if is_form_first else ways[::-1]
    first = pay(placed, method, **other).outcome()
    second = pay(placed, then, **and_then).outcome()
    assert second.attempt == first.attempt + 1
    assert provider.intents[str(first.provider_ref)].status == "cancelled"
    provider.authenticate(str(second.provider_ref))
    assert pay(placed, GOOD).outcome().id == second.id
    assert provider.taken == [second.id]


def test_a_refused_card_leaves_room_for_the_form(
    provider: FakeGateway, world: World, order: Order
) -> None:
    placed = order(world.add_member(), eleven=1).order
    pay(placed, DECLINED)
    begun = pay(placed, None, by_holder=True).outcome()
    assert (begun.attempt, begun.status) == (2, "requires_action")
    assert provider.taken == []


def test_cards_are_shown_and_forgotten(provider: FakeGateway, world: World, order: Order) -> None:
    del provider
    alice, bob = world.add_member(), world.add_member()
    card = saved(order(alice, eleven=1).order)
    with transaction():
        assert [one.id for one in payments.list_cards(member_id=alice)] == [card.id]
        assert payments.list_cards(member_id=bob) == []
    with pytest.raises(NotFound), transaction():
        payments.forget_card(member_id=bob, card_id=card.id)
    with transaction():
        payments.forget_card(member_id=alice, card_id=card.id)
    with transaction():
        assert payments.list_cards(member_id=alice) == []
    with pytest.raises(NotFound):
        pay(order(alice, eleven=1).order, None, card_id=card.id)
