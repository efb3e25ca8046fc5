"""Where, through what and for which drink a cup is good: by the terms it was bought on."""

import pytest

from chain.models import Product
from redemption.errors import ChannelNotAccepted, CoversLess, ProductMismatch, StoreNotAccepted
from redemption.service.redeem import redeem
from tests.service.redemption.tills import change, lie_in, price, serve

MCD = ["counter", "kiosk", "drive-through"]


@pytest.fixture
def alice(world):
    return world.add_member()


@pytest.mark.parametrize("channel", MCD)
def test_an_accepted_channel_hands_over(world, alice, channel):
    world.add_offer("mcd-10", redeem_channels=MCD)
    world.add_lot(alice, "mcd-10")
    till = world.add_till("A")
    serve(till, channel)
    assert world.take(till, alice).cups == 1


def test_delivery_is_refused_with_the_reason_and_a_retry_hears_it_again(world, alice):
    world.add_offer("mcd-10", redeem_channels=MCD)
    world.add_lot(alice, "mcd-10")
    till = world.add_till("A")
    serve(till, "delivery")
    scan = world.scan(till, world.code(world.add_credential(alice)))
    for is_replay in (False, True):
        with pytest.raises(ChannelNotAccepted) as refusal:
            redeem(scan=scan, now=world.now)
        assert refusal.value.facts == {"channel": "delivery", "accepted": sorted(MCD)}
        assert refusal.value.is_replayed is is_replay


def test_terms_that_name_no_channel_accept_every_one(world, alice):
    world.add_lot(alice, "eleven")
    till = world.add_till("A")
    serve(till, "delivery")
    assert world.take(till, alice).cups == 1


@pytest.mark.parametrize("region", ["south", None])
def test_a_store_of_another_region_is_refused(world, alice, region):
    world.add_offer("north-only", accepted_at="regions", accepted_regions=["north", "east"])
    world.add_lot(alice, "north-only")
    lie_in(world.stores["B"], region)
    with pytest.raises(StoreNotAccepted):
        world.take(world.add_till("B"), alice)


def test_a_store_of_a_named_region_hands_over(world, alice):
    world.add_offer("north-only", accepted_at="regions", accepted_regions=["north", "east"])
    world.add_lot(alice, "north-only")
    lie_in(world.stores["B"], "east")
    assert world.take(world.add_till("B"), alice).cups == 1


def test_of_listed_stores_each_hands_over_and_no_other(world, alice):
    world.add_offer("two-stores", accepted_at="listed", stores=("A", "B"))
    world.add_lot(alice, "two-stores", store="C")
    assert [world.take(world.add_till(store), alice).left for store in ("A", "B")] == [10, 9]
    with pytest.raises(StoreNotAccepted):
        world.take(world.add_till("C"), alice)


def test_what_a_cup_does_not_cover_is_refused_and_a_retry_hears_it_again(world, alice):
    world.add_offer("fifty", covers_up_to=50)
    world.add_lot(alice, "fifty")
    price(world.products["latte"], 51)
    scan = world.scan(world.add_till("A"), world.code(world.add_credential(alice)))
    for is_replay in (False, True):
        with pytest.raises(CoversLess) as refusal:
            redeem(scan=scan, now=world.now)
        assert refusal.value.facts == {"covers": 50, "list_price": 51, "currency": "TWD"}
        assert refusal.value.is_replayed is is_replay


def test_a_bound_beside_a_list_keeps_to_the_list(world, alice):
    world.add_offer("fifty", covers_up_to=50)
    world.add_lot(alice, "fifty")
    with pytest.raises(ProductMismatch):
        world.take(world.add_till("A"), alice, product_id=world.products["mocha"])


def test_a_bound_without_a_list_covers_every_drink_up_to_it(world, alice):
    world.add_offer("any-drink", product=None, covers_up_to=50)
    world.add_lot(alice, "any-drink")
    till, mocha = world.add_till("A"), world.products["mocha"]
    assert world.take(till, alice, product_id=mocha).cups == 1
    price(mocha, 51)
    with pytest.raises(CoversLess):
        world.take(till, alice, product_id=mocha)


def test_a_drink_that_is_priced_in_another_currency_is_not_for_these_cups(world, alice):
    world.add_lot(alice, "eleven")
    change(Product, world.products["latte"], currency="GBP")
    with pytest.raises(ProductMismatch):
        world.take(world.add_till("A"), alice)
