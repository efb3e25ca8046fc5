from collections.abc import Callable
from datetime import timedelta

import pytest

import vouchers
from kernel import clock
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.transaction import transaction
from tests.world import World
from vouchers import MixedCurrencies, NotOnSale, Ordered, OrderTooLarge
from vouchers.models import OfferVersion

Order = Callable[..., Ordered]


def add_version(world: World, code: str, number: int, **terms: object) -> None:
    """A further version of an offer, otherwise on the terms of the first."""
    offer_id, version_id = world.offers[code]
    with transaction():
        first = db.session.get_one(OfferVersion, version_id)
        same = ("name", "price", "currency", "vat_code", "cups", "bonus_cups", "expiry_mode")
        then = {name: getattr(first, name) for name in (*same, "sale_starts_at", "sale_ends_at")}
        db.session.add(
            OfferVersion(
                id=new_id(),
                offer_id=offer_id,
                version=number,
                approved_at=world.now,
                **(then | terms),
            )
        )


def test_an_order_adds_up_with_its_vat(world: World, order: Order) -> None:
    placed = order(world.add_member(), eleven=3, monthly=1)
    pack, plan = (line.item for line in placed.items)
    assert (pack.gross, pack.net, pack.vat) == (1500, 3 * 476, 3 * 24)
    assert (plan.gross, plan.net, plan.vat) == (499, 475, 24)
    assert (placed.order.total, placed.order.currency) == (1999, "TWD")
    assert placed.order.status == "pending"
    assert placed.order.ends_at - placed.order.ordered_at == timedelta(minutes=30)


def test_the_online_store_sells_unless_another_is_named(world: World, order: Order) -> None:
    assert order(world.add_member(), eleven=1).order.store_id == world.stores["W"]
    with transaction():
        there = vouchers.place_order(
            member_id=new_id(),
            items=[{"offer_id": world.offers["eleven"][0], "quantity": 1}],
            store_id=world.stores["B"],
            now=clock.now(),
        )
    assert there.order.store_id == world.stores["B"]


@pytest.mark.parametrize("what", ["offer_id", "store_id"])
def test_an_unknown_offer_or_store_is_not_found(world: World, what: str) -> None:
    offer_id = world.offers["eleven"][0]
    with pytest.raises(NotFound), transaction():
        vouchers.place_order(
            member_id=new_id(),
            items=[{"offer_id": new_id() if what == "offer_id" else offer_id, "quantity": 1}],
            store_id=new_id() if what == "store_id" else None,
            now=clock.now(),
        )


def test_the_highest_version_on_sale_is_sold(world: World, order: Order) -> None:
    add_version(world, "eleven", 2, price=480)
    add_version(world, "eleven", 3, price=1, sale_starts_at=clock.now() + timedelta(days=1))
    add_version(world, "eleven", 4, price=2, sale_ends_at=clock.now() - timedelta(days=1))
    assert order(world.add_member(), eleven=1).order.total == 480


def test_what_is_not_on_sale_is_refused(world: World, order: Order) -> None:
    with transaction():
        version = db.session.get_one(OfferVersion, world.offers["eleven"][1])
        version.sale_ends_at = clock.now()
    with pytest.raises(NotOnSale) as refusal:
        order(world.add_member(), eleven=1)
    assert refusal.value.facts == {"offer_id": str(world.offers["eleven"][0])}


def test_one_order_is_in_one_currency(world: World, order: Order) -> None:
    world.add_offer("yen", currency="JPY")
    with pytest.raises(MixedCurrencies):
        order(world.add_member(), eleven=1, yen=1)


def test_one_payment_can_only_be_so_much(world: World, order: Order) -> None:
    world.add_offer("dear", price=900_000)
    with pytest.raises(OrderTooLarge):
        order(world.add_member(), dear=2)


def test_members_see_their_own_orders_only(world: World, order: Order) -> None:
    alice, bob = world.add_member(), world.add_member()
    first, second = order(alice, eleven=1).order.id, order(alice, eleven=2).order.id
    others = order(bob, eleven=1).order.id
    with transaction():
        listed = vouchers.list_orders(member_id=alice, before=None, limit=10)
        assert [one.order.id for one in listed] == [second, first]
        after = vouchers.list_orders(member_id=alice, before=second, limit=10)
        assert [one.order.id for one in after] == [first]
        with pytest.raises(NotFound):
            vouchers.get_order(member_id=alice, order_id=others)


def test_the_catalogue_shows_what_is_on_sale(world: World) -> None:
    add_version(world, "eleven", 2, price=480)
    with transaction():
        (pack,) = vouchers.list_offers(kind="pack", after=None, limit=10, now=clock.now())
        (plan,) = vouchers.list_offers(kind="plan", after=None, limit=10, now=clock.now())
        after = vouchers.list_offers(kind="pack", after=pack.offer.id, limit=10, now=clock.now())
    assert (pack.offer.code, pack.version.price, plan.offer.code) == ("eleven", 480, "monthly")
    assert after == []
    assert plan.product_ids == [world.products["latte"]]
