from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

import vouchers
from chain.models import LegalEntity
from invoicing import Buyer, BuyerInvalid
from kernel import clock
from kernel.db import db
from kernel.transaction import transaction
from tests.fakes import SLOW, FakeGateway
from tests.service.vouchers.conftest import pay, read_order, settle
from tests.service.vouchers.test_order import add_version
from tests.together import together
from tests.world import World
from vouchers import ChannelNotSold, MemberLimit, Ordered, StoreNotSelling, jobs

Order = Callable[..., Ordered]
PassTime = Callable[[timedelta], datetime]


@pytest.fixture
def limited(world: World) -> World:
    """An offer of which everybody may buy three."""
    world.add_offer("limited", member_limit=3)
    return world


def placing(world: World, member_id: UUID, quantity: int = 1, **other: Any) -> Ordered:
    return vouchers.place_order(
        member_id=member_id,
        items=[{"offer_id": world.offers["limited"][0], "quantity": quantity}],
        **{"now": clock.now(), **other},
    )


def test_a_limit_counts_what_was_bought_and_what_can_be_paid_yet(
    provider: FakeGateway, limited: World, order: Order
) -> None:
    del provider
    member_id = limited.add_member()
    pay(order(member_id, limited=1).order)
    settle()
    order(member_id, limited=1)
    with pytest.raises(MemberLimit) as refusal:
        order(member_id, limited=2)
    offer_id = str(limited.offers["limited"][0])
    assert refusal.value.facts == {"offer_id": offer_id, "limit": 3, "held": 2, "wanted": 2}
    order(member_id, limited=1)
    order(limited.add_member(), limited=3)


def test_two_lines_of_one_offer_count_together(limited: World) -> None:
    items = [{"offer_id": limited.offers["limited"][0], "quantity": 2}] * 2
    with pytest.raises(MemberLimit), transaction():
        vouchers.place_order(member_id=limited.add_member(), items=items, now=clock.now())


def test_what_was_bought_at_earlier_terms_counts(limited: World, order: Order) -> None:
    member_id = limited.add_member()
    order(member_id, limited=3)
    add_version(limited, "limited", 2, member_limit=4)
    with pytest.raises(MemberLimit) as refusal:
        order(member_id, limited=2)
    assert (refusal.value.facts["limit"], refusal.value.facts["held"]) == (4, 3)
    order(member_id, limited=1)


def test_an_order_that_nobody_paid_in_time_counts_no_more(
    limited: World, order: Order, pass_time: PassTime
) -> None:
    member_id = limited.add_member()
    order(member_id, limited=3)
    pass_time(timedelta(minutes=30))
    order(member_id, limited=3)


def test_money_that_may_come_yet_counts_after_the_time_is_over(
    provider: FakeGateway, limited: World, order: Order, pass_time: PassTime
) -> None:
    del provider
    member_id = limited.add_member()
    placed = order(member_id, limited=3).order
    pay(placed, SLOW)
    pass_time(timedelta(minutes=31))
    with pytest.raises(MemberLimit):
        order(member_id, limited=1)
    jobs.end_unpaid()
    assert read_order(placed).status == "ended"
    order(member_id, limited=3)


def test_eight_racers_keep_the_limit(app: Flask, limited: World) -> None:
    member_id = limited.add_member()
    answers = together(app, [lambda: placing(limited, member_id).order.id] * 8)
    refused = [answer for answer in answers if isinstance(answer, MemberLimit)]
    assert (len(answers) - len(refused), len(refused)) == (3, 5)


def test_an_offer_is_sold_through_its_channels_only(world: World) -> None:
    world.add_offer("limited", sale_channels=["web", "counter"])
    member_id = world.add_member()
    with pytest.raises(ChannelNotSold) as refusal, transaction():
        placing(world, member_id)
    assert refusal.value.facts["channels"] == ["counter", "web"]
    with transaction():
        assert placing(world, member_id, channel="web").order.channel == "web"


def test_a_store_under_another_law_does_not_sell_it(world: World) -> None:
    world.add_offer("limited", jurisdiction="JP")
    member_id = world.add_member()
    with pytest.raises(StoreNotSelling) as refusal, transaction():
        placing(world, member_id)
    assert refusal.value.facts["store_id"] == str(world.stores["W"])
    with transaction():
        entity = db.session.query(LegalEntity).filter_by(code="entity-B").one()
        entity.jurisdiction = "JP"
    with transaction():
        placing(world, member_id, store_id=world.stores["B"])


@pytest.mark.parametrize(
    ("buyer", "field"),
    [
        (Buyer(tax_id="12345678"), "tax_id"),
        (Buyer(carrier="ABC"), "carrier"),
        (Buyer(donation_code="1"), "donation_code"),
        (Buyer(tax_id="04595257", donation_code="919"), "several"),
    ],
)
def test_an_order_is_not_placed_for_a_buyer_that_is_none(
    world: World, buyer: Buyer, field: str
) -> None:
    world.add_offer("limited")
    with pytest.raises(BuyerInvalid) as refusal, transaction():
        placing(world, world.add_member(), buyer=buyer)
    assert refusal.value.facts == {"field": field}


def test_an_order_keeps_its_buyer(world: World) -> None:
    world.add_offer("limited")
    with transaction():
        placed = placing(world, world.add_member(), buyer=Buyer(tax_id="04595257")).order
    assert read_order(placed).buyer_tax_id == "04595257"
