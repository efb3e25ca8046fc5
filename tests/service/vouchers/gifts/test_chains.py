"""Cups given on and on: the buyer stays the buyer, and gets the money back whoever holds them."""

from datetime import timedelta

import pytest

from kernel import clock
from kernel.db import db
from kernel.transaction import transaction
from tests.service.vouchers.conftest import pay, settle
from tests.service.vouchers.gifts.conftest import BACK, Friends
from vouchers.gift_errors import GivenCupsFrozen
from vouchers.models import Lot, Refund, RefundLine
from vouchers.service.gift_ending import end_some
from vouchers.service.refund import Part, refund_lots
from vouchers.wallet import change_wallet


@pytest.fixture
def shopping(world, provider, order):
    """Let Alice pay for one pack of an offer by card."""

    def buy(offer="eleven") -> Friends:
        world.now = clock.now()
        alice, bob = world.add_member(), world.add_member()
        pay(order(alice, **{offer: 1}).order)
        settle()
        world.now = clock.now()
        with transaction():
            (lot,) = db.session.query(Lot).filter_by(member_id=alice)
            return Friends(world, alice, bob, lot.id)

    return buy


def refunds():
    with transaction():
        return db.session.query(Refund).order_by(Refund.id).all()


def test_claimed_cups_can_be_given_on_and_their_buyer_stays(friends, world):
    carol = world.add_member()
    lots = [
        friends.pass_on(5, by=friends.alice, to=friends.bob),
        friends.pass_on(2, by=friends.bob, to=carol),
        friends.pass_on(1, by=carol, to=friends.alice),
    ]
    bought = friends.read_lot()
    assert {(lot.buyer_id, lot.order_item_id) for lot in lots} == {
        (friends.alice, bought.order_item_id)
    }
    held = [lot for who in (friends.alice, friends.bob, carol) for lot in friends.lots(who)]
    assert sum(lot.units - lot.used for lot in held) == 11
    assert sum(lot.net - lot.net_recognised for lot in held) == 476
    assert sum(lot.vat - lot.vat_gone for lot in held) == 24


def test_the_money_of_given_cups_goes_back_to_their_payer(shopping, world):
    shoppers = shopping()
    carol = world.add_member()
    shoppers.pass_on(5, by=shoppers.alice, to=shoppers.bob)
    lot = shoppers.pass_on(3, by=shoppers.bob, to=carol)

    def give_back():
        change_wallet(carol)
        held = db.session.get_one(Lot, (carol, lot.id))
        return refund_lots([Part(held, 3)], reason="expiry", now=shoppers.now)

    shoppers.change(give_back)
    (made,) = refunds()
    assert (made.payer_id, made.gross) == (shoppers.alice, lot.net + lot.vat)
    assert shoppers.read_lot(lot.id, of=carol).is_open is False


def test_an_unclaimed_gift_goes_back_to_its_payer_where_its_terms_say_so(shopping, world):
    world.add_offer("paid_back", gift_unclaimed="refund")
    shoppers = shopping("paid_back")
    shoppers.pass_on(4, by=shoppers.alice, to=shoppers.bob)
    gift_id = shoppers.give(3, by=shoppers.bob)
    shoppers.pass_time(days=6)
    shoppers.end_due()
    shoppers.pass_time(days=1)
    shoppers.end_due()

    (made,) = refunds()
    gift = shoppers.gift(gift_id)
    assert gift.status == "refunded"
    assert (made.payer_id, made.reason) == (shoppers.alice, "gift_unclaimed")
    assert shoppers.told(shoppers.bob) == [
        "gift.received",
        "gift.unclaimed_refunds",
        "gift.refunded",
    ]
    assert shoppers.booked(BACK) == []
    with transaction():
        line = db.session.query(RefundLine).one()
        assert (line.gift_id, line.cups, line.member_id) == (gift_id, 3, shoppers.bob)


def test_one_run_returns_and_refunds_many(shopping, world):
    world.add_offer("paid_back", gift_unclaimed="refund")
    shoppers = shopping("paid_back")
    other = world.add_lot(shoppers.alice, "eleven")
    for cups in (1, 2, 3):
        shoppers.give(cups, lot_id=shoppers.lot)
        shoppers.give(cups, lot_id=other)
    shoppers.pass_time(days=7)
    shoppers.end_due()
    assert shoppers.read_lot(other).used == 0
    assert shoppers.read_lot().used == 6
    assert sum(one.gross for one in refunds()) == 273
    assert end_some_more(shoppers) == 0


def end_some_more(shoppers):
    return shoppers.change(lambda: end_some(limit=9, now=shoppers.now))


def test_a_frozen_chain_is_not_given_on(friends):
    lot = friends.pass_on(3, by=friends.alice, to=friends.bob)

    def freeze():
        db.session.get_one(Lot, (friends.bob, lot.id)).frozen_at = friends.now

    friends.change(freeze)
    with pytest.raises(GivenCupsFrozen):
        friends.give(1, by=friends.bob)


def test_claimed_cups_are_collected_like_bought_ones(friends, world):
    lot = friends.pass_on(3, by=friends.alice, to=friends.bob)
    redeemed = world.take(world.add_till("B"), friends.bob, 3)
    assert redeemed.cups == 3
    left = friends.read_lot(lot.id, of=friends.bob)
    assert (left.net_recognised, left.vat_gone, left.is_open) == (130, 7, False)


def test_cups_with_little_time_left_are_claimed_with_that(friends, world):
    ends_at = world.now + timedelta(hours=5)
    lot_id = world.add_lot(friends.alice, "eleven", ends_at=ends_at)
    lot = friends.pass_on(1, by=friends.alice, to=friends.bob, lot_id=lot_id)
    assert (lot.ends_at, lot.due_at) == (ends_at, ends_at)
