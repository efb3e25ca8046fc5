"""Each reason for which a person has to look, and what they may decide."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from chain.models import Device, Staff, Store
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from redemption.errors import LimitReached
from redemption.models import Capsule, Redemption
from redemption.offline.heads import Head, find_head
from redemption.offline.log import FIRST
from tests.service.redemption.offline.field import Branch, bring, fill, items, left, show, told
from tests.service.redemption.tills import change, rows
from vouchers.models import Wallet

MINUTE = timedelta(minutes=1)


@pytest.fixture
def alice(world) -> UUID:
    member_id = world.add_member()
    world.add_lot(member_id, "eleven")
    return member_id


@pytest.fixture
def branch(world) -> Branch:
    return Branch(world, "A")


def written(branch, capsule, *, minutes=0.0, shown_minutes=None, **said):
    """An item that the reference till might not have served."""
    at = branch.world.now + minutes * MINUTE
    shown_at = at if shown_minutes is None else branch.world.now + shown_minutes * MINUTE
    return branch.write(show(capsule, shown_at), at=at, **said)


def revoke(capsule, at) -> None:
    with transaction():
        db.session.execute(
            update(Capsule).where(Capsule.serial == capsule.capsule.serial).values(revoked_at=at)
        )


def reason_of(world, *found, after=60.0):
    """What the last of them is in review for; nothing was taken for it."""
    outcome = bring(world, *found, after=after)[-1]
    assert (outcome.outcome, outcome.redemption_id, outcome.cups_borne) == ("review", None, 0)
    return outcome.reason


def test_what_arrives_after_the_device_was_revoked_is_quarantined(world, alice, branch):
    served = branch.serve(fill(world, alice))
    change(Device, branch.till.device_id, revoked_at=world.now + 5 * MINUTE)
    assert reason_of(world, served) == "device-revoked"
    assert left(alice) == 11


def test_what_arrived_before_is_not(world, alice, branch):
    served = branch.serve(fill(world, alice))
    assert told(bring(world, served, after=4)) == [("applied", 0, None)]
    change(Device, branch.till.device_id, revoked_at=world.now + 5 * MINUTE)
    assert bring(world, served)[0].earlier == "applied"


def test_what_a_stolen_till_writes_changes_nothing_that_was_good(world, alice, branch):
    """Whoever has it reuses its numbers and breaks its chain: nobody gets back what they drank."""
    first = branch.serve(fill(world, alice))
    second = branch.serve(fill(world, alice), after=1)
    bring(world, first, second, after=4)
    change(Device, branch.till.device_id, revoked_at=world.now + 5 * MINUTE)
    log = branch.offline.log
    log.number, log.last_hash = 0, FIRST.hex()
    forged = branch.serve(fill(world, alice), after=2)
    assert reason_of(world, forged) == "device-revoked"
    assert [(one.outcome, one.reason) for one in items()] == [
        ("applied", None),
        ("applied", None),
        ("review", "device-revoked"),
    ]
    assert left(alice) == 9


def test_what_a_key_signed_that_was_replaced_is_quarantined(world, alice, branch):
    first = branch.serve(fill(world, alice))
    second = branch.serve(fill(world, alice), after=1)
    bring(world, first, after=4)
    branch.enrol_again(is_fresh=False, now=world.now + 5 * MINUTE)
    third = branch.serve(fill(world, alice), after=6)
    assert told(bring(world, third, second)) == [
        ("applied", 0, None),
        ("review", 0, "key-replaced"),
    ]
    assert left(alice) == 9


def test_with_another_key_a_device_begins_another_log(world, alice, branch):
    """Its software was set up anew, and counts from 1: no number was used twice."""
    before = [branch.serve(fill(world, alice), after=at) for at in (0, 1)]
    bring(world, before[0], after=4)
    branch.enrol_again(is_fresh=True, now=world.now + 5 * MINUTE)
    after = [branch.serve(fill(world, alice), after=at) for at in (6, 7, 8)]
    bring(world, *after, *before)
    assert [(one.number, one.reason) for one in items()] == [
        (1, None),
        (2, "key-replaced"),
        (1, None),
        (2, None),
        (3, None),
    ]
    assert left(alice) == 7


def test_a_text_that_is_no_capsule_is_looked_at(world, branch):
    assert reason_of(world, branch.write("nonsense", at=world.now)) == "capsule-invalid"


def test_a_capsule_that_another_phone_shows_is_looked_at(world, alice, branch):
    shown = show(fill(world, alice), world.now)
    photograph = shown[:-1] + ("0" if shown[-1] != "0" else "1")
    assert reason_of(world, branch.write(photograph, at=world.now)) == "capsule-invalid"


def test_a_photograph_that_is_shown_later_is_looked_at(world, alice, branch):
    served = written(branch, fill(world, alice), minutes=11, shown_minutes=0)
    assert reason_of(world, served) == "clock-skew"


def test_a_capsule_that_nobody_has_is_looked_at(world, alice, branch):
    capsule = fill(world, alice)
    with transaction():
        db.session.delete(db.session.get_one(Capsule, capsule.capsule.serial))
    assert reason_of(world, branch.serve(capsule)) == "capsule-unknown"


@pytest.mark.parametrize(("minutes", "outcome"), [(69, "applied"), (71, "review")])
def test_a_clock_may_be_fast_by_ten_minutes(world, alice, branch, minutes, outcome):
    served = written(branch, fill(world, alice), minutes=minutes)
    assert [one.outcome for one in bring(world, served)] == [outcome]


@pytest.mark.parametrize(("minutes", "outcome"), [(-9, "applied"), (-11, "review")])
def test_a_clock_may_be_slow_by_ten_minutes(world, alice, branch, minutes, outcome):
    served = written(branch, fill(world, alice), minutes=minutes)
    assert [one.outcome for one in bring(world, served)] == [outcome]


def test_a_time_that_is_out_by_a_little_is_put_right(world, alice, branch):
    fast = written(branch, fill(world, alice), minutes=65)
    slow = written(branch, fill(world, alice), minutes=-5)
    bring(world, fast, slow)
    assert sorted(one.redeemed_at for one in rows(Redemption)) == [
        world.now,
        world.now + 60 * MINUTE,
    ]


@pytest.mark.parametrize(("hours", "outcome"), [(71.9, "applied"), (72.1, "review")])
def test_after_three_days_a_person_looks(world, alice, branch, hours, outcome):
    served = branch.serve(fill(world, alice))
    assert [one.outcome for one in bring(world, served, after=60 * hours)] == [outcome]


def test_a_capsule_that_was_revoked_before_is_looked_at(world, alice, branch):
    capsule = fill(world, alice)
    served = branch.serve(capsule, after=10)
    revoke(capsule, world.now + 9 * MINUTE)
    assert reason_of(world, served) == "capsule-revoked"


def test_a_capsule_that_was_revoked_afterwards_counts(world, alice, branch):
    capsule = fill(world, alice)
    served = branch.serve(capsule, after=10)
    revoke(capsule, world.now + 11 * MINUTE)
    assert told(bring(world, served)) == [("applied", 0, None)]


def test_a_capsule_that_was_over_is_looked_at(world, alice, branch):
    served = written(branch, fill(world, alice), minutes=24 * 60)
    assert reason_of(world, served, after=24 * 60 + 5) == "capsule-expired"


def test_a_capsule_for_other_stores_is_looked_at(world, alice, branch):
    change(Store, branch.till.store_id, offline_group=2)
    assert reason_of(world, written(branch, fill(world, alice))) == "other-store-group"


def test_a_drink_that_nobody_sells_is_looked_at(world, alice, branch):
    assert reason_of(world, written(branch, fill(world, alice), product=new_id())) == (
        "unknown-product"
    )


def test_a_clerk_whom_nobody_knows_is_looked_at(world, alice, branch):
    assert reason_of(world, written(branch, fill(world, alice), staff=new_id())) == "unknown-staff"


@pytest.mark.parametrize(("minutes", "outcome"), [(9, "review"), (11, "applied")])
def test_a_clerk_who_had_left_by_then_is_looked_at(world, alice, branch, minutes, outcome):
    served = branch.serve(fill(world, alice), after=10)
    change(Staff, branch.till.staff_id, disabled_at=world.now + minutes * MINUTE)
    (told_,) = bring(world, served)
    assert (told_.outcome, told_.reason) == (
        outcome,
        "unknown-staff" if outcome == "review" else None,
    )


def test_a_clerks_own_wallet_is_looked_at(world, alice, branch):
    change(Staff, branch.till.staff_id, member_id=alice)
    assert reason_of(world, branch.serve(fill(world, alice))) == "own-wallet"


def test_a_blocked_wallet_is_looked_at(world, alice, branch):
    with transaction():
        db.session.get_one(Wallet, alice).blocked_at = world.now
    assert reason_of(world, branch.serve(fill(world, alice))) == "wallet-blocked"


def test_a_number_that_was_used_twice_takes_nothing_either_time(world, alice, branch):
    first = branch.serve(fill(world, alice))
    branch.offline.log.number = 0
    branch.offline.log.last_hash = FIRST.hex()
    second = branch.serve(fill(world, alice), after=1)
    assert told(bring(world, first)) == [("applied", 0, None)]
    assert reason_of(world, second) == "number-reused"
    assert [one.reason for one in items()] == ["number-reused", "number-reused"]
    assert left(alice) == 11


def test_a_broken_chain_is_found_whichever_end_comes_first(world, alice, branch):
    first = branch.serve(fill(world, alice))
    branch.offline.log.last_hash = "ab" * 32
    second = branch.serve(fill(world, alice), after=1)
    assert told(bring(world, second)) == [("applied", 0, None)]
    assert told(bring(world, first)) == [("applied", 0, None)]
    assert [one.reason for one in items()] == [None, "chain-broken"]
    assert left(alice) == 10


def test_a_first_item_that_names_one_before_it_is_looked_at(world, alice, branch):
    branch.offline.log.last_hash = "ab" * 32
    assert reason_of(world, branch.serve(fill(world, alice))) == "chain-broken"


def test_a_drink_that_nothing_held_is_good_for_is_looked_at(world, alice, branch):
    served = branch.serve(fill(world, alice), product="mocha")
    assert reason_of(world, served) == "product-mismatch"


def test_a_drink_that_costs_a_top_up_is_looked_at(world, branch):
    bob = world.add_member()
    world.add_offer("cheap", product=None, covers_up_to=40, allows_top_up=True)
    world.add_lot(bob, "cheap")
    assert reason_of(world, branch.serve(fill(world, bob))) == "top-up-due"


def test_what_the_wallet_does_not_hold_the_chain_bears(world, branch):
    bob = world.add_member()
    world.add_lot(bob, "eleven", units=1, net=43)
    served = branch.serve(fill(world, bob, cups=2), cups=2)
    assert told(bring(world, served)) == [("overdrawn", 1, "insufficient-cups")]
    assert left(bob) == 0


def test_what_was_bought_afterwards_pays_for_nothing_before(world, branch):
    bob = world.add_member()
    served = branch.serve(fill(world, bob))
    world.add_lot(bob, "eleven", sold_at=world.now + 15 * MINUTE)
    assert told(bring(world, served)) == [("overdrawn", 1, "insufficient-cups")]


def test_limits_of_a_plan_count_and_do_not_refuse(world, branch):
    bob = world.add_member()
    world.add_offer("daily", cups_per_day=1, minimum_interval_s=3600)
    world.add_lot(bob, "daily")
    first = branch.serve(fill(world, bob, cups=2), cups=2)
    assert told(bring(world, first)) == [("applied", 0, None)]
    with pytest.raises(LimitReached):
        world.take(world.add_till("B"), bob, now=world.now + 90 * MINUTE)


def test_a_device_goes_on_with_the_log_of_the_key_that_it_has(world, alice, branch):
    """It hears no number of the log before, which it may not know any more."""

    def head():
        with transaction():
            return find_head(branch.till.device_id)

    bring(world, *(branch.serve(fill(world, alice), after=at) for at in (0, 1)))
    before = head()
    branch.enrol_again(is_fresh=True, now=world.now + 5 * MINUTE)
    fresh = head()
    bring(world, branch.serve(fill(world, alice), after=6))
    assert before is not None
    assert (before.number, fresh) == (2, None)
    assert head() == Head(1, bytes.fromhex(branch.offline.log.last_hash))
