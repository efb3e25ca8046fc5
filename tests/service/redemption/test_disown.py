"""“Not me”: what it ends, what it leaves, and who may say so."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

import redemption
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.transaction import transaction
from redemption import disown_token
from redemption.errors import TokenInvalid
from redemption.models import Capsule, Credential, Redemption
from redemption.service.redeem import redeem
from tests.service.redemption.tills import undo


@pytest.fixture
def alice(world):
    member_id = world.add_member()
    world.add_lot(member_id, "eleven")
    return member_id


def disown(member_id, redeemed, *, now) -> None:
    with transaction():
        redemption.disown(member_id=member_id, redemption_id=UUID(redeemed.id), now=now)


def live() -> list[bytes]:
    with transaction():
        return db.session.scalars(
            select(Credential.id).where(Credential.revoked_at.is_(None))
        ).all()


def disowned_at():
    with transaction():
        return db.session.scalars(select(Redemption.disowned_at)).one()


def test_all_that_the_member_shows_at_tills_is_over(world, alice):
    till = world.add_till("A")
    redeemed = world.take(till, alice)
    with transaction():
        phone = redemption.issue_credential(member_id=alice, now=world.now)
        redemption.issue_spoken_code(member_id=alice, now=world.now)
        redemption.issue_wallet_card(member_id=alice, name=None, now=world.now)
        redemption.issue_capsule(
            member_id=alice,
            credential_id=phone.id,
            store_id=world.stores["A"],
            cups=1,
            now=world.now,
        )

    disown(alice, redeemed, now=world.now)

    assert live() == []
    assert disowned_at() == world.now
    with transaction():
        assert db.session.scalars(select(Capsule.revoked_at)).one() == world.now


def test_a_scan_that_comes_after_it_is_refused(world, alice):
    till = world.add_till("A")
    code = world.code(world.add_credential(alice))
    disown(alice, world.take(till, alice), now=world.now)

    with pytest.raises(TokenInvalid):
        redeem(scan=world.scan(till, code), now=world.now)


def test_the_cups_stay_gone_and_new_codes_work(world, alice):
    till = world.add_till("A")
    disown(alice, world.take(till, alice, 3), now=world.now)

    assert world.take(till, alice).left == 7


def test_a_second_time_leaves_new_codes_alone(world, alice):
    till = world.add_till("A")
    redeemed = world.take(till, alice)
    disown(alice, redeemed, now=world.now)
    fresh = world.add_credential(alice)

    disown(alice, redeemed, now=world.now + timedelta(minutes=5))

    assert live() == [fresh]
    assert disowned_at() == world.now


def test_it_can_be_said_after_it_was_undone(world, alice):
    till = world.add_till("A")
    redeemed = world.take(till, alice)
    undo(till, redeemed, now=world.now)

    disown(alice, redeemed, now=world.now)

    assert disowned_at() == world.now


def test_what_was_disowned_can_be_undone(world, alice):
    till = world.add_till("A")
    redeemed = world.take(till, alice, 2)
    disown(alice, redeemed, now=world.now)

    undo(till, redeemed, now=world.now)

    assert world.take(till, alice).left == 10


def test_nobody_disowns_what_another_member_collected(world, alice):
    redeemed = world.take(world.add_till("A"), alice)

    with pytest.raises(NotFound):
        disown(world.add_member(), redeemed, now=world.now)

    assert disowned_at() is None
    assert live() != []


def test_the_owner_of_a_shared_plan_does_not_disown_what_a_sharer_collected(world, alice):
    till, sharer = world.add_till("A"), world.add_member()
    redeemed = world.take(till, alice)
    with transaction():
        (shown,) = db.session.scalars(select(Credential))
        shown.holder_id, shown.subscription_id = sharer, new_id()
    own = world.add_credential(alice)

    with pytest.raises(NotFound):
        disown(alice, redeemed, now=world.now)
    disown(sharer, redeemed, now=world.now)

    assert live() == [own]


# By the link


def test_whoever_has_the_link_says_it(world, alice):
    redeemed = world.take(world.add_till("A"), alice)

    with transaction():
        redemption.disown_by_link(token=disown_token.make(UUID(redeemed.id)), now=world.now)

    assert (disowned_at(), live()) == (world.now, [])


@pytest.mark.parametrize("made_up", ["", "A" * 43, "A" * 44, "é" * 43])
def test_a_made_up_link_says_nothing(world, alice, made_up):
    world.take(world.add_till("A"), alice)

    with pytest.raises(NotFound), transaction():
        redemption.disown_by_link(token=made_up, now=world.now)

    assert disowned_at() is None


def test_a_genuine_link_of_nothing_says_nothing(world):
    with pytest.raises(NotFound), transaction():
        redemption.disown_by_link(token=disown_token.make(new_id()), now=world.now)


def test_another_spelling_of_the_same_bytes_is_no_link(world, alice):
    redeemed = world.take(world.add_till("A"), alice)
    token = disown_token.make(UUID(redeemed.id))
    spelled = token[:-1] + chr(ord(token[-1]) + 1)

    assert disown_token.find_id(token) == UUID(redeemed.id)
    assert disown_token.find_id(spelled) is None
