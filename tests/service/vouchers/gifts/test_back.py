"""Going back: withdrawn, declined, with and without a block."""

from datetime import timedelta

import pytest

import vouchers
from kernel.errors import NotFound
from kernel.transaction import transaction
from tests.service.vouchers.gifts.conftest import BACK
from vouchers import gift_token
from vouchers.gift_errors import GiftClaimed, GiftEnded, GiftNotFound, GivenCupsFrozen


def test_withdrawn_cups_are_in_the_very_lots_they_left(friends, world):
    ending = world.add_lot(friends.alice, "eleven", ends_at=world.now + timedelta(days=90))
    friends.withdraw(friends.give(13))
    for lot_id in (ending, friends.lot):
        lot = friends.read_lot(lot_id)
        assert (lot.used, lot.net_recognised, lot.vat_gone, lot.is_open) == (0, 0, 0, True)
    assert friends.booked(BACK) == [("2134", "2131", 476, 11), ("2134", "2131", 87, 2)]


def test_cups_come_back_with_what_they_took_whatever_left_meanwhile(friends, world):
    gift_id = friends.give(3)
    world.take(world.add_till("A"), friends.alice, 5)
    friends.withdraw(gift_id)
    lot = friends.read_lot()
    assert (lot.used, lot.net_recognised) == (5, 346 - 130)
    world.take(world.add_till("A"), friends.alice, 6)
    assert friends.read_lot().net_recognised == 476


def test_withdrawing_once_more_changes_nothing(friends):
    gift_id = friends.give()
    friends.withdraw(gift_id)
    assert friends.withdraw(gift_id).status == "withdrawn"
    assert len(friends.booked(BACK)) == 1


def test_a_claimed_gift_is_not_withdrawn(friends):
    gift_id = friends.give()
    friends.claim(gift_id)
    with pytest.raises(GiftClaimed):
        friends.withdraw(gift_id)


def test_a_gift_whose_time_is_over_goes_back_by_itself(friends):
    gift_id = friends.give()
    friends.pass_time(days=7)
    with pytest.raises(GiftEnded):
        friends.withdraw(gift_id)


def test_a_frozen_gift_stays_where_it_is(friends):
    gift_id = friends.give()
    friends.freeze(gift_id)
    with pytest.raises(GivenCupsFrozen):
        friends.withdraw(gift_id)
    with pytest.raises(GivenCupsFrozen):
        friends.decline(gift_id)


def test_nobody_withdraws_somebody_elses_gift(friends):
    gift_id = friends.give()
    with pytest.raises(GiftNotFound):
        friends.withdraw(gift_id, by=friends.bob)


def test_a_declined_gift_is_back_at_once_and_its_giver_is_told(friends):
    gift_id = friends.give()
    friends.decline(gift_id)
    assert (friends.gift(gift_id).status, friends.read_lot().used) == ("returned", 0)
    assert friends.told(friends.alice) == ["gift.declined"]
    assert friends.blocks() == []
    with pytest.raises(GiftEnded):
        friends.claim(gift_id)


def test_the_giver_declining_takes_back_and_blocks_nobody(friends):
    gift_id = friends.give()
    friends.decline(gift_id, by=friends.alice, block=True)
    assert friends.gift(gift_id).status == "withdrawn"
    assert friends.blocks() == []


def see(friends, gift_id, member_id):
    with transaction():
        return vouchers.see_link(
            member_id=member_id, token=gift_token.make(gift_id), now=friends.now
        )


def test_between_two_who_are_blocked_no_gift_is_found_either_way(friends, world):
    other, blocked = friends.give(1), friends.give(1)
    friends.decline(blocked, block=True)
    world.add_lot(friends.bob, "eleven")
    back = friends.give(1, by=friends.bob)

    for gift_id, member_id in ((other, friends.bob), (back, friends.alice)):
        for verb in (friends.claim, friends.decline):
            with pytest.raises(GiftNotFound):
                verb(gift_id, by=member_id)
        with pytest.raises(GiftNotFound):
            see(friends, gift_id, member_id)
    assert friends.claim(other, by=world.add_member()).lots


def test_a_block_is_listed_without_a_name_and_lifted_by_whose_it_is(friends, world):
    friends.decline(friends.give(1), block=True)
    (block,) = friends.change(
        lambda: vouchers.list_blocks(member_id=friends.bob, limit=9, after=None)
    )
    assert block.id not in {friends.alice, friends.bob}

    def lift(member_id):
        vouchers.unblock(member_id=member_id, block_id=block.id)

    with pytest.raises(NotFound):
        friends.change(lambda: lift(friends.alice))
    friends.change(lambda: lift(friends.bob))
    assert friends.claim(friends.give(1)).lots


def test_blocks_are_listed_page_by_page_the_newest_first(friends, world):
    for _ in range(3):
        giver = world.add_member()
        world.add_lot(giver, "eleven")
        friends.decline(friends.give(1, by=giver), block=True)
        friends.pass_time(minutes=1)

    def page(after):
        return vouchers.list_blocks(member_id=friends.bob, limit=2, after=after)

    first = friends.change(lambda: page(None))
    last = first[-1]
    rest = friends.change(lambda: page((last.blocked_at, last.id)))
    moments = [block.blocked_at for block in (*first, *rest)]
    assert moments == sorted(moments, reverse=True)
    assert (len(first), len(rest), len(set(moments))) == (2, 1, 3)
