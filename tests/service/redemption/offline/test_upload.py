"""What was served without a network is taken in: each item once, and the books with it."""

import pytest

from kernel.outbox import Outbox
from redemption.models import Redemption
from redemption.service.redeem import redeem
from tests.service.redemption.offline.field import Branch, bring, fill, items, left, show, told
from tests.service.redemption.tills import rows, sums, undo

pytestmark = pytest.mark.usefixtures("books_hold")


def test_an_item_takes_its_cups_from_the_wallet(world):
    alice = world.add_member()
    world.add_lot(alice, "eleven")
    a = Branch(world, "A")
    served = a.serve(fill(world, alice, cups=2), cups=2)
    (outcome,) = bring(world, served)
    assert told([outcome]) == [("applied", 0, None)]
    (redemption,) = rows(Redemption)
    assert (redemption.id, redemption.cups) == (outcome.redemption_id, 2)
    assert redemption.is_offline
    assert redemption.redeemed_at == world.now
    assert left(alice) == 9
    assert sums() == {"1111": 500, "2131": -389, "2194": -24, "4111": -87}


def test_an_item_that_comes_again_is_a_duplicate(world):
    alice = world.add_member()
    world.add_lot(alice, "eleven")
    a = Branch(world, "A")
    served = a.serve(fill(world, alice))
    (first,) = bring(world, served)
    (second,) = bring(world, served)
    assert (second.outcome, second.earlier) == ("duplicate", "applied")
    assert second.redemption_id == first.redemption_id
    assert left(alice) == 10


def test_a_capsule_that_two_stores_took_is_paid_for_once(world):
    alice = world.add_member()
    world.add_lot(alice, "eleven")
    a, b = Branch(world, "A"), Branch(world, "B")
    capsule = fill(world, alice, cups=2)
    first, second = a.serve(capsule, 2), b.serve(capsule, 2, after=5)
    assert told(bring(world, first, second)) == [
        ("applied", 0, None),
        ("overdrawn", 2, "capsule-used"),
    ]
    assert left(alice) == 9


def test_the_store_that_served_first_is_paid_also_if_it_uploads_last(world):
    alice = world.add_member()
    world.add_lot(alice, "eleven")
    a, b = Branch(world, "A"), Branch(world, "B")
    capsule = fill(world, alice, cups=2)
    first, second = a.serve(capsule, 2), b.serve(capsule, 2, after=5)
    assert told(bring(world, second)) == [("applied", 0, None)]
    assert told(bring(world, first)) == [("applied", 0, None)]
    assert [(one.outcome, one.cups_borne) for one in items()] == [("applied", 0), ("overdrawn", 2)]
    assert left(alice) == 9
    assert sorted(one.cups_voided for one in rows(Redemption)) == [0, 2]


def test_what_was_undone_of_a_capsule_it_may_still_take(world):
    """Taken at a till that is online, and undone there: the right is as it was."""
    alice, online = world.add_member(), world.add_till("C", role="manager")
    world.add_lot(alice, "eleven")
    capsule = fill(world, alice)
    redeemed = redeem(scan=world.scan(online, show(capsule, world.now)), now=world.now)
    undo(online, redeemed, now=world.now)
    (outcome,) = bring(world, Branch(world, "A").serve(capsule, after=5))
    assert (outcome.outcome, outcome.cups_borne) == ("applied", 0)
    assert left(alice) == 10


def test_an_item_that_is_in_an_upload_twice_is_a_duplicate_there(world):
    alice, a = world.add_member(), Branch(world, "A")
    world.add_lot(alice, "eleven")
    served = a.serve(fill(world, alice))
    outcomes = bring(world, served, served)
    assert [(one.outcome, one.earlier) for one in outcomes] == [
        ("applied", None),
        ("duplicate", "applied"),
    ]


def test_the_member_hears_of_each_item_that_took_something_once(world):
    """Also of one by which another ended otherwise; of that they have heard before."""
    alice = world.add_member()
    world.add_lot(alice, "eleven")
    capsule = fill(world, alice, cups=2)
    first = Branch(world, "A").serve(capsule, 1)
    second = Branch(world, "B").serve(capsule, 2, after=5)
    bring(world, second)
    bring(world, first, after=120)
    told_of = [row.facts["redemption_id"] for row in rows(Outbox) if row.topic == "redemption.done"]
    assert len(told_of) == len(set(told_of)) == 2
    assert str(items()[0].redemption_id) in told_of
