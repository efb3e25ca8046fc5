"""A member's own story: each event with the cups that it brought or took."""

from datetime import timedelta

import pytest

import ledger
from kernel.ids import new_id
from kernel.transaction import snapshot, transaction
from ledger import policy


@pytest.fixture
def tell(world):
    """Book an event of a member, and later ones later."""
    offer_id, lot_id = new_id(), new_id()

    def book(member_id, kind, rule, *, account="2131", **said):
        where = {"store_id": world.stores["A"], "offer_id": offer_id, "lot_id": lot_id}
        with transaction():
            ledger.post(
                ledger.Event(
                    member_id=member_id,
                    kind=kind,
                    source_id=new_id(),
                    pairs=rule(account=account, **where, **said),
                    event_at=world.now,
                    occurred_on=world.now.date(),
                    currency="TWD",
                )
            )

    return book


def story(member_id):
    with snapshot():
        told = ledger.list_happenings(member_id=member_id, limit=99, before_id=None)
    return [(one.kind, one.cups, one.amount) for one in reversed(told)]


def test_a_gift_leaves_one_wallet_and_arrives_in_another(world, tell):
    alice, bob = world.add_member(), world.add_member()
    tell(alice, "gift", policy.give, amount=260, cups=3)
    tell(bob, "claim", policy.take, amount=260, cups=3)
    tell(alice, "gift_return", policy.take, amount=86, cups=1)
    assert story(alice) == [("gift", -3, -260), ("gift_return", 1, 86)]
    assert story(bob) == [("claim", 3, 260)]


def test_what_ends_takes_cups(world, tell):
    alice = world.add_member()
    returned = policy.Returned(net=433, vat=22, cups=5, fee_net=12, fee_vat=1)
    tell(alice, "lapse", policy.lapse, amount=142, cups=3)
    tell(alice, "lapse", policy.lapse, amount=142, cups=3, is_estimated=True)
    tell(alice, "refund", lambda **where: policy.refund(returned, **where))
    tell(alice, "dispute_lost", policy.dispute_lost, gross=1000, net=433, vat=22, cups=5)
    assert story(alice) == [
        ("lapse", -3, -142),
        ("lapse", -3, -142),
        ("refund", -5, -433),
        ("dispute_lost", -5, -433),
    ]


def test_money_that_moves_without_cups_moves_none(world):
    alice = world.add_member()
    for kind, pairs in {
        "payout": policy.payout(store_id=world.stores["A"], amount=442),
        "dispute_opened": policy.dispute_opened(store_id=world.stores["A"], gross=1000),
    }.items():
        with transaction():
            ledger.post(
                ledger.Event(
                    member_id=alice,
                    kind=kind,
                    source_id=new_id(),
                    pairs=pairs,
                    event_at=world.now,
                    occurred_on=world.now.date(),
                    currency="TWD",
                )
            )
    assert story(alice) == [("payout", 0, 0), ("dispute_opened", 0, 0)]


def test_a_sale_a_cup_made_elsewhere_and_its_lapse_are_told_newest_first(world):
    alice = world.add_member()
    world.add_lot(alice, "eleven", store="A")
    world.take(world.add_till("B"), alice, 2, now=world.now + timedelta(minutes=5))
    with snapshot():
        told = ledger.list_happenings(member_id=alice, limit=1, before_id=None)
        rest = ledger.list_happenings(member_id=alice, limit=9, before_id=told[0].id)
    assert [(one.kind, one.cups, one.store_id) for one in (*told, *rest)] == [
        ("redemption", -2, world.stores["B"]),
        ("sale", 11, world.stores["A"]),
    ]
