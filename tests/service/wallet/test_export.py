"""Everything that is held about a member is told to them, and no new table is forgotten."""

from typing import Any
from uuid import UUID

import pytest

import api.personal
import members
import vouchers
from kernel import secrets
from kernel.db import Base, db
from kernel.transaction import snapshot, transaction
from members import holding, keys
from members.models import Member
from tests.service.wallet.trading import Trading
from vouchers.models import GiftBlock

assert api.personal.ROOMS  # they register their parts

OF_A_MEMBER = {
    "member_id",
    "payer_id",
    "giver_id",
    "claimed_by_id",
    "buyer_id",
    "blocked_id",
    "own_member_id",
}
NOT_TOLD = {
    "member_key": "it is a secret, and what it seals is told",
    "unfolded": "which entries are not yet in the reports: the entries themselves are told",
    "seal": "which entries are sealed: the entries themselves are told",
    "staff": "who works for the chain is known to it as an employer, and not as a shop",
    "settlement_payment": "its payer is a store",
}


def exported(member_id: UUID) -> dict[str, list[dict[str, Any]]]:
    with snapshot():
        return {
            name: [dict(row) for row in rows] for name, rows in holding.everything_held(member_id)
        }


def test_every_table_with_a_member_in_it_is_told_or_has_a_reason_not_to_be():
    tables = {
        table.name
        for table in Base.metadata.sorted_tables
        if OF_A_MEMBER & {column.name for column in table.columns}
    }
    told = {name for part in holding.PARTS.values() for name in part.tables}
    assert tables - told == set(NOT_TOLD)
    assert not told & set(NOT_TOLD)


def test_every_table_that_hangs_on_such_a_one_is_told_too():
    """Lines of orders, documents of invoices, periods of subscriptions."""
    told = {name for part in holding.PARTS.values() for name in part.tables}
    hanging = {
        table.name
        for table in Base.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name in told and table.name not in told
    }
    assert hanging == {
        "payment_difference",  # what finance looks into: its payment is told
        "member_key",
    }


@pytest.fixture
def friends(shop):
    """Alice and Bob have traded: bought, taken, given, claimed, given back, disputed."""
    trading = Trading(shop)
    for member_id in trading.members:
        with transaction():
            row, key = keys.make(member_id)
            db.session.add(row)
            member = db.session.get_one(Member, member_id)
            member.phone_sealed = secrets.seal(key, b"+886912345678")
    for verb, who, number in [
        ("buy", 0, 0),
        ("take", 0, 1),
        ("give", 0, 2),
        ("claim", 1, 0),
        ("give_back", 0, 1),
        ("buy", 1, 4),
        ("dispute", 1, 0),
    ]:
        trading.act(verb, who, number)
    return trading


def test_what_was_traded_is_all_in_it(friends):
    alice, bob = (exported(member_id) for member_id in friends.members)
    (order,) = alice["orders"]
    assert [(item["name"], item["quantity"]) for item in order["items"]] == [("pack", 1)]
    assert [(one["status"], one["amount"]) for one in alice["payments"]] == [("succeeded", 1000)]
    assert [(one["cups"], one["left"]) for one in alice["lots"]] == [(11, 4)]
    assert [(one["store"], one["cups"]) for one in alice["redemptions"]] == [("Store B", 2)]
    assert [(one["side"], one["cups"]) for one in alice["gifts"]] == [("given", 3)]
    assert [one["cups"] for one in alice["refunded_cups"]] == [2]
    assert [one["payable"] for one in alice["refunds"]] == [
        one["amount"] for one in alice["repayments"]
    ]
    assert [one["kind"] for one in alice["entries"]][:2] == ["sale", "redemption"]
    assert [(one["side"], one["parts"]) for one in bob["gifts"]] == [("received", None)]
    assert [one["status"] for one in bob["disputes"]] == ["open"]
    assert {one["notice"] for one in alice["notices"]} >= {"gift.claimed"}


def test_every_member_is_told_of_no_one_else(friends):
    alice, bob = friends.members
    for mine, other in ((alice, bob), (bob, alice)):
        assert str(other) not in str(exported(mine))


def test_a_message_is_told_to_who_wrote_it(shop, friends):
    alice, bob = friends.members
    shop.buy(alice, again=1)
    with transaction():
        gift = vouchers.give(
            giver_id=alice,
            offer_id=shop.world.offers["again"][0],
            cups=1,
            message="生日快樂",
            now=shop.now,
        )
        gift_id = gift.id
    (told,) = (one for one in exported(alice)["gifts"] if one["id"] == gift_id)
    assert told["message"] == "生日快樂"
    friends.gifts.append(gift_id)
    friends.act("claim", 1, len(friends.gifts) - 1)
    (told,) = (one for one in exported(bob)["gifts"] if one["id"] == gift_id)
    assert told["message"] is None


def test_a_block_is_told_to_who_made_it(friends, shop):
    alice, bob = friends.members
    with transaction():
        db.session.add(GiftBlock(member_id=alice, blocked_id=bob, blocked_at=shop.now))
    assert [one["blocked_id"] for one in exported(alice)["blocks"]] == [bob]
    assert exported(bob)["blocks"] == []


def test_no_part_is_registered_twice():
    with pytest.raises(RuntimeError, match="orders"):
        members.holds("orders", tables=())(lambda _: [])
