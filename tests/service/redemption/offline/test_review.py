"""A person decides about what waits: once, by role, never more than the capsule was good for."""

from datetime import timedelta

import pytest

import redemption
from chain import StoreScope
from kernel.errors import NotFound, Refusal
from kernel.ids import new_id
from kernel.transaction import transaction
from redemption.models import Redemption
from redemption.offline import Meant, list_reviews, resolve, resolve_each
from redemption.offline.errors import AlreadyResolved, NothingToCharge, RemedyNotAllowed
from tests.service.redemption.offline.field import Branch, bring, fill, items, left, show
from tests.service.redemption.tills import rows


@pytest.fixture
def branch(world) -> Branch:
    return Branch(world, "A")


@pytest.fixture
def decide(world, branch):
    """Finance, if nobody else, decides about an item of the branch an hour later."""

    def decided(remedy, *, number=1, role="finance", staff_id=None, item_hash=None):
        with transaction():
            resolve(
                device_id=branch.till.device_id,
                number=number,
                item_hash=item_hash,
                remedy=remedy,
                note="seen",
                staff_id=staff_id or branch.till.staff_id,
                role=role,
                now=world.now + timedelta(hours=2),
            )
        return next(one for one in items() if one.number == number)

    return decided


def overdrawn(world, branch, *, bought_later=0):
    """Two cups were served, the wallet had one; perhaps more were bought since."""
    alice = world.add_member()
    world.add_lot(alice, "eleven", units=1, net=43)
    bring(world, branch.serve(fill(world, alice, cups=2), cups=2))
    if bought_later:
        sold_at = world.now + timedelta(hours=1)
        world.add_lot(alice, "eleven", units=bought_later, net=43, sold_at=sold_at)
    return alice


def test_what_the_chain_bears_is_acknowledged(world, branch, decide):
    overdrawn(world, branch)
    row = decide("borne")
    assert (row.remedy, row.cups_borne, row.note) == ("borne", 1, "seen")


def test_what_the_store_has_undone_the_chain_does_not_bear(world, branch, decide):
    alice = overdrawn(world, branch)
    with transaction():
        redemption.void(
            redemption_id=items()[0].redemption_id,
            store_id=branch.till.store_id,
            staff_id=branch.till.staff_id,
            role="manager",
            now=world.now + timedelta(hours=1, minutes=30),
        )
    row = decide("borne")
    assert (row.cups_borne, left(alice)) == (1, 1)


def test_what_was_bought_since_may_be_charged(world, branch, decide):
    alice = overdrawn(world, branch, bought_later=3)
    row = decide("charged")
    assert (row.remedy, row.cups_borne, left(alice)) == ("charged", 0, 2)
    undone, standing = sorted(rows(Redemption), key=lambda one: one.voided_at is None)
    assert (undone.cups, standing.cups) == (1, 2)
    assert standing.id == row.redemption_id
    assert standing.redeemed_at == world.now + timedelta(hours=2)


def test_nothing_is_charged_to_an_empty_wallet(world, branch, decide):
    overdrawn(world, branch)
    with pytest.raises(NothingToCharge):
        decide("charged")


def test_a_capsule_that_was_paid_for_is_not_charged_again(world, branch, decide):
    alice = world.add_member()
    world.add_lot(alice, "eleven")
    capsule = fill(world, alice)
    bring(world, Branch(world, "B").serve(capsule), branch.serve(capsule, after=1))
    with pytest.raises(RemedyNotAllowed):
        decide("charged")
    decide("borne")
    assert left(alice) == 10


def test_what_waited_is_not_charged_to_a_capsule_that_was_used_up_meanwhile(world, branch, decide):
    alice = world.add_member()
    world.add_lot(alice, "eleven")
    capsule = fill(world, alice)
    unknown = branch.serve(capsule, staff=new_id())
    bring(world, unknown, Branch(world, "B").serve(capsule, after=1))
    with pytest.raises(NothingToCharge):
        decide("charged")
    assert left(alice) == 10


def test_a_dismissed_item_takes_nothing_and_is_borne_by_nobody(world, branch, decide):
    bring(world, branch.write("nonsense", at=world.now))
    row = decide("dismissed")
    assert (row.remedy, row.cups_borne, row.redemption_id) == ("dismissed", 0, None)


def test_it_is_decided_once(world, branch, decide):
    bring(world, branch.write("nonsense", at=world.now))
    decide("borne")
    with pytest.raises(AlreadyResolved):
        decide("dismissed")


def test_what_was_settled_without_a_doubt_is_for_nobody_to_decide(world, branch, decide):
    alice = world.add_member()
    world.add_lot(alice, "eleven")
    bring(world, branch.serve(fill(world, alice)))
    with pytest.raises(NotFound):
        decide("borne")


def test_of_a_number_that_was_used_twice_the_hash_says_which(world, branch, decide):
    bring(world, branch.write("nonsense", at=world.now))
    branch.offline.log.number = 0
    bring(world, branch.write("another", at=world.now))
    with pytest.raises(NotFound):
        decide("borne")
    assert decide("borne", item_hash=items()[0].hash).remedy in ("borne", None)
    assert sorted(str(one.remedy) for one in items()) == ["None", "borne"]


def test_a_manager_decides_at_their_own_stores(world, branch, decide):
    bring(world, branch.write("nonsense", at=world.now))
    with pytest.raises(StoreScope):
        decide("borne", role="manager", staff_id=world.add_till("B", role="manager").staff_id)
    manager_id = world.add_till("A", role="manager").staff_id
    assert decide("borne", role="manager", staff_id=manager_id).resolved_by_id == manager_id


def test_the_queue_is_of_ones_stores_and_of_a_reason(world, branch):
    other = Branch(world, "B")
    alice = world.add_member()
    bring(world, branch.write("nonsense", at=world.now), other.serve(fill(world, alice)))

    def listed(**asked):
        wanted = {"store_id": None, "reason": None, "after": None, "limit": 9, **asked}
        with transaction():
            return [one.reason for one in list_reviews(**wanted)]

    manager = {"staff_id": branch.till.staff_id, "role": "manager"}
    finance = {**manager, "role": "finance"}
    assert listed(**manager) == ["capsule-invalid"]
    assert sorted(listed(**finance)) == ["capsule-invalid", "insufficient-cups"]
    assert listed(**finance, reason="insufficient-cups") == ["insufficient-cups"]
    assert listed(**finance, store_id=other.till.store_id) == ["insufficient-cups"]
    with pytest.raises(StoreScope):
        listed(**manager, store_id=other.till.store_id)


def test_an_item_that_was_decided_stays_so_whatever_comes_later(world, branch, decide):
    alice = world.add_member()
    world.add_lot(alice, "eleven", units=1, net=43)
    early = Branch(world, "B").serve(fill(world, alice))
    bring(world, branch.serve(fill(world, alice), after=5))
    late = branch.serve(fill(world, alice), after=10)
    bring(world, late)
    decide("borne", number=2)
    bring(world, early)
    assert [(one.outcome, one.remedy) for one in items()] == [
        ("applied", None),
        ("overdrawn", None),
        ("overdrawn", "borne"),
    ]


def late(world, branch, **said):
    """An item of Alice's that waits since it came after a week; it may say other things besides."""
    alice = world.add_member()
    world.add_lot(alice, "eleven")
    at = world.now - timedelta(days=7)
    shown = show(fill(world, alice, at=at), at)
    bring(world, branch.write(shown, at=at, **said))
    return alice


def test_a_drink_that_nobody_sells_is_charged_to_nobody(world, branch, decide):
    alice = late(world, branch, product=new_id())
    with pytest.raises(NothingToCharge):
        decide("charged")
    assert left(alice) == 11


def test_a_clerk_whom_nobody_knows_keeps_nobody_from_charging(world, branch, decide):
    alice = late(world, branch, staff=new_id())
    assert decide("charged").cups_borne == 0
    assert left(alice) == 10


def test_many_are_decided_at_once_and_each_by_itself(world, branch):
    """One has a remedy that does not go with it, one is another store's, one is nobody's."""
    other = Branch(world, "B")
    overdrawn(world, branch)
    bring(world, branch.write("nonsense", at=world.now), other.write("nonsense", at=world.now))
    manager_id = world.add_till("A", role="manager").staff_id
    mine, theirs = branch.till.device_id, other.till.device_id
    meant = [(theirs, 1), (mine, 2), (mine, 3), (mine, 1), (mine, 2)]
    with transaction():
        decided = resolve_each(
            meant=[Meant(device_id, number, None) for device_id, number in meant],
            remedy="dismissed",
            note="a bad night",
            staff_id=manager_id,
            role="manager",
            now=world.now + timedelta(hours=2),
        )
        told = [one.code if isinstance(one, Refusal) else one.remedy for one in decided]
    assert told == [
        "store-scope",
        "dismissed",
        "not-found",
        "remedy-not-allowed",
        "already-resolved",
    ]
    assert {(one.device_id, one.number): one.remedy for one in items()} == {
        (theirs, 1): None,
        (mine, 1): None,
        (mine, 2): "dismissed",
    }


def test_what_is_charged_together_is_charged_item_by_item(world, branch):
    """The wallet has enough for two of three."""
    alice = world.add_member()
    for minute in range(3):
        bring(world, branch.serve(fill(world, alice), after=minute))
    world.add_lot(alice, "eleven", units=2, net=86, sold_at=world.now + timedelta(hours=1))
    meant = [Meant(branch.till.device_id, number, None) for number in (3, 2, 1)]
    with transaction():
        decided = resolve_each(
            meant=meant,
            remedy="charged",
            note=None,
            staff_id=branch.till.staff_id,
            role="finance",
            now=world.now + timedelta(hours=2),
        )
        told = [one.code if isinstance(one, Refusal) else one.cups_borne for one in decided]
    assert told == ["nothing-to-charge", 0, 0]
    assert left(alice) == 0
    assert [one.remedy for one in items()] == ["charged", "charged", None]
