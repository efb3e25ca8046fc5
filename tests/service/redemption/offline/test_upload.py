"""What was served without a network is taken in: each item once, and the books with it."""

import pytest

from redemption.models import Redemption
from tests.service.redemption.offline.field import Branch, bring, fill, items, left, told
from tests.service.redemption.tills import rows, sums

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
