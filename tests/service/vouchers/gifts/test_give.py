"""Giving: which cups leave, what is booked, what is refused."""

from datetime import timedelta

import pytest

import vouchers
from kernel.db import db
from kernel.errors import NotFound
from redemption.errors import InsufficientCups
from tests.service.vouchers.gifts.conftest import GIVEN
from vouchers.gift_errors import (
    GiftLimit,
    GivenCupsFrozen,
    GiverBlocked,
    NotGiftable,
    OfferNotNamed,
    TooFewToGive,
)
from vouchers.models import GiftItem, Lot, Wallet


def test_given_cups_leave_their_lot_at_once_and_are_under_way(friends):
    gift = friends.gift(friends.give(3))

    lot = friends.read_lot()
    assert (lot.units - lot.used, lot.net - lot.net_recognised, lot.vat - lot.vat_gone) == (
        8,
        346,
        17,
    )
    assert (gift.status, gift.cups, gift.ends_at) == (
        "open",
        3,
        friends.now + timedelta(days=7),
    )
    assert friends.booked(GIVEN) == [("2131", "2134", 130, 3)]


def test_given_cups_cannot_be_collected(friends, world):
    friends.give(11)

    with pytest.raises(InsufficientCups):
        world.take(world.add_till("A"), friends.alice)


def test_a_gift_takes_the_cups_that_end_soonest_and_then_those_bought_first(friends, world):
    older = world.add_lot(friends.alice, "eleven", sold_at=world.now - timedelta(days=9))
    ending = world.add_lot(friends.alice, "eleven", ends_at=world.now + timedelta(days=90))

    gift_id = friends.give(13, offer_id=world.offers["eleven"][0])

    items = friends.change(lambda: db.session.query(GiftItem).filter_by(gift_id=gift_id).all())
    assert [(item.lot_id, item.cups) for item in items] == [(ending, 11), (older, 2)]


def test_a_gift_cannot_be_claimed_beyond_the_end_of_its_cups(friends, world):
    ends_at = world.now + timedelta(days=3)
    world.add_lot(friends.alice, "eleven", ends_at=ends_at)

    gift = friends.gift(friends.give(1, days=30))

    assert gift.ends_at == ends_at


def test_more_cups_than_are_held_are_refused(friends):
    with pytest.raises(TooFewToGive) as refusal:
        friends.give(12)
    assert refusal.value.facts == {"held": 11, "wanted": 12}


def test_cups_that_have_ended_are_not_held(friends, world):
    bob = world.add_member()
    world.add_lot(bob, "eleven", ends_at=world.now)
    with pytest.raises(TooFewToGive) as refusal:
        friends.give(1, by=bob)
    assert refusal.value.facts == {"held": 0, "wanted": 1}


def test_cups_that_may_not_be_given_are_refused(friends, world):
    world.add_offer("own", is_giftable=False)
    lot_id = world.add_lot(friends.bob, "own")
    with pytest.raises(NotGiftable):
        friends.give(1, by=friends.bob, lot_id=lot_id)


def test_frozen_cups_are_refused(friends, world):
    world.add_lot(friends.bob, "eleven", frozen_at=world.now)
    with pytest.raises(GivenCupsFrozen):
        friends.give(1, by=friends.bob)


def test_frozen_cups_stay_behind_when_others_are_enough(friends, world):
    world.add_lot(friends.alice, "eleven", frozen_at=world.now, sold_at=world.now)
    friends.give(11)
    assert friends.read_lot().used == 11


def test_who_holds_cups_of_several_offers_says_of_which(friends, world):
    world.add_offer("other")
    lot_id = world.add_lot(friends.alice, "other")
    with pytest.raises(OfferNotNamed):
        friends.give(1)
    friends.give(2, offer_id=world.offers["eleven"][0])
    friends.give(4, lot_id=lot_id)
    assert friends.read_lot().used == 2
    assert friends.read_lot(lot_id).used == 4


def test_bonus_cups_of_their_own_leave_only_when_their_lot_is_named(friends, world):
    ends_at = world.now + timedelta(days=60)
    bonus = world.add_lot(
        friends.alice, "eleven", units=1, net=31, vat=0, is_bonus=True, ends_at=ends_at
    )
    with pytest.raises(TooFewToGive):
        friends.give(12)
    friends.give(11)
    assert friends.read_lot(bonus).used == 0
    assert friends.pass_on(1, by=friends.alice, to=friends.bob, lot_id=bonus).is_bonus


def test_somebody_elses_lot_is_not_there(friends):
    with pytest.raises(NotFound):
        friends.give(1, by=friends.bob, lot_id=friends.lot)


def test_a_blocked_wallet_gives_nothing(friends):
    def block():
        db.session.get_one(Wallet, friends.alice).blocked_at = friends.now

    friends.change(block)
    with pytest.raises(GiverBlocked):
        friends.give(1)


def test_twenty_gifts_may_be_open(friends, world):
    world.add_lot(friends.alice, "eleven", units=60)
    gifts = [friends.give(1) for _ in range(20)]
    with pytest.raises(GiftLimit) as refusal:
        friends.give(1)
    assert refusal.value.facts == {"limit": "open", "most": 20}
    friends.withdraw(gifts[0])
    friends.give(1)


def test_fifty_gifts_may_be_made_within_a_day(friends):
    for _ in range(50):
        friends.withdraw(friends.give(1))
    with pytest.raises(GiftLimit) as refusal:
        friends.give(1)
    assert refusal.value.facts == {"limit": "day", "most": 50}
    friends.pass_time(days=1)
    friends.give(1)


def test_a_message_is_sealed_and_gone_with_its_writers_key(friends):
    friends.give_key(friends.alice)
    gift_id = friends.give(1, message="生日快樂 🎂")
    sealed = friends.gift(gift_id).message_sealed

    def read():
        return vouchers.see_gift(member_id=friends.alice, gift_id=gift_id).message

    assert "生日".encode() not in sealed
    assert friends.change(read) == "生日快樂 🎂"
    friends.change(lambda: db.session.execute(db.text("DELETE FROM member_key")))
    assert friends.change(read) is None


def test_a_lot_is_given_whole_or_in_parts_with_all_its_money(friends):
    for cups in (1, 4, 6):
        friends.pass_on(cups, by=friends.alice, to=friends.bob)

    empty, parts = friends.read_lot(), friends.lots(friends.bob)

    assert (empty.used, empty.is_open) == (11, False)
    assert sum(lot.net for lot in parts) == 476
    assert sum(lot.vat for lot in parts) == 24
    assert friends.change(lambda: db.session.query(Lot).filter_by(source="gift").count()) == 3
