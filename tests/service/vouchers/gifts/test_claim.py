"""Claiming: once, by one, with everything that the cups carried."""

from datetime import timedelta

import pytest

import vouchers
from chain.models import Guess
from kernel.db import db
from kernel.errors import RateLimited
from kernel.ids import new_id
from kernel.transaction import transaction
from tests.service.vouchers.gifts.conftest import BACK, TAKEN
from vouchers import gift_token
from vouchers.gift_errors import GiftClaimed, GiftEnded, GiftNotFound, GivenCupsFrozen


def test_a_claim_makes_lots_of_the_very_cups(friends, world):
    ends_at = world.now + timedelta(days=90)
    given = friends.read_lot(world.add_lot(friends.alice, "eleven", ends_at=ends_at, store="B"))

    lot = friends.pass_on(3, by=friends.alice, to=friends.bob, lot_id=given.id)

    for name in (
        "offer_id",
        "offer_version_id",
        "store_id",
        "buyer_id",
        "order_item_id",
        "account",
        "currency",
        "sold_at",
        "expiry_mode",
        "ends_at",
        "is_bonus",
    ):
        assert getattr(lot, name) == getattr(given, name), name
    assert (lot.member_id, lot.source, lot.ordinal) == (friends.bob, "gift", 1)
    assert (lot.units, lot.net, lot.vat, lot.used) == (3, 130, 7, 0)
    assert friends.booked(TAKEN) == [("2134", "2131", 130, 3)]


def test_the_end_of_claimed_cups_is_announced_like_that_of_the_others(friends, world):
    ends_at = world.now + timedelta(days=20)
    given = world.add_lot(
        friends.alice, "eleven", ends_at=ends_at, sold_at=world.now - timedelta(days=345)
    )
    lot = friends.pass_on(3, by=friends.alice, to=friends.bob, lot_id=given)
    assert world.now < lot.due_at < ends_at
    assert ends_at - lot.due_at < timedelta(days=8)


def test_a_gift_over_two_lots_becomes_two(friends, world):
    world.add_lot(friends.alice, "eleven", store="B", sold_at=world.now + timedelta(hours=1))
    lots = friends.claim(friends.give(12)).lots
    assert [(lot.ordinal, lot.units, lot.net) for lot in lots] == [(1, 11, 476), (2, 1, 43)]
    assert {lot.store_id for lot in lots} == {world.stores["A"], world.stores["B"]}


def test_a_second_one_comes_too_late(friends, world):
    gift_id = friends.give()
    friends.claim(gift_id)
    with pytest.raises(GiftClaimed):
        friends.claim(gift_id, by=world.add_member())


def test_who_has_claimed_it_is_answered_the_same_once_more(friends):
    gift_id = friends.give()
    first, again = friends.claim(gift_id), friends.claim(gift_id)
    assert [lot.id for lot in again.lots] == [lot.id for lot in first.lots]
    assert len(friends.lots(friends.bob)) == 1


def test_the_giver_takes_their_own_gift_back(friends):
    gift_id = friends.give()
    claimed = friends.claim(gift_id, by=friends.alice)
    assert claimed.is_taken_back
    assert (friends.gift(gift_id).status, friends.read_lot().used) == ("withdrawn", 0)
    assert friends.booked(BACK) == [("2134", "2131", 130, 3)]
    assert friends.booked(TAKEN) == []


def test_the_giver_cannot_take_back_what_is_back_or_gone(friends):
    gift_id = friends.give()
    friends.pass_time(days=7)
    friends.end_due()
    with pytest.raises(GiftEnded):
        friends.claim(gift_id, by=friends.alice)


def test_a_gift_that_a_late_job_brought_back_was_over_on_its_last_day(friends):
    gift_id = friends.give(days=1)
    ends_at = friends.gift(gift_id).ends_at
    friends.pass_time(days=9)
    friends.end_due()
    with pytest.raises(GiftEnded) as refusal:
        friends.claim(gift_id)
    assert refusal.value.facts["ended_at"] == ends_at.isoformat()


def test_a_gift_that_is_over_is_refused_though_no_job_has_looked(friends):
    gift_id = friends.give(days=1)
    friends.pass_time(days=1)
    with pytest.raises(GiftEnded):
        friends.claim(gift_id)


def test_a_gift_can_be_claimed_until_its_last_moment(friends):
    gift_id = friends.give(days=1)
    friends.pass_time(days=1, microseconds=-1)
    assert not friends.claim(gift_id).is_taken_back


def test_a_withdrawn_gift_is_refused(friends):
    gift_id = friends.give()
    friends.withdraw(gift_id)
    with pytest.raises(GiftEnded):
        friends.claim(gift_id)


def test_a_frozen_gift_is_refused(friends):
    gift_id = friends.give()
    friends.freeze(gift_id)
    with pytest.raises(GivenCupsFrozen):
        friends.claim(gift_id)


def test_a_token_of_no_gift_is_not_found_and_not_counted(friends):
    with pytest.raises(GiftNotFound):
        friends.claim(new_id())
    assert friends.change(lambda: db.session.query(Guess).count()) == 0


def guess(friends, token):
    with transaction():
        vouchers.claim(member_id=friends.bob, token=token, now=friends.now)


def test_who_makes_up_tokens_is_slowed_down(friends, world):
    gift_id = friends.give()
    for number in range(20):
        with pytest.raises(GiftNotFound):
            guess(friends, "A" * 41 + f"{number:02}")
    with pytest.raises(RateLimited):
        guess(friends, gift_token.make(gift_id))
    assert friends.claim(gift_id, by=world.add_member()).lots  # nobody else waits

    friends.pass_time(minutes=15)
    with pytest.raises(GiftClaimed):
        guess(friends, gift_token.make(gift_id))


def test_both_are_told_of_a_claim(friends, world):
    friends.claim(friends.give())
    assert friends.told(friends.alice) == ["gift.claimed"]
    assert friends.told(friends.bob) == ["gift.received"]


def test_the_claimer_is_told_until_when(friends, world):
    lot_id = world.add_lot(friends.alice, "eleven", ends_at=world.now + timedelta(days=90))
    friends.pass_on(2, by=friends.alice, to=friends.bob, lot_id=lot_id)
    assert friends.told(friends.bob) == ["gift.received_ending"]
