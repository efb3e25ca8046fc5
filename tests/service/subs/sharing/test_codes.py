"""What a sharer's code opens at a till: the one plan, as long as they share it."""

import pytest
from sqlalchemy import select

import redemption
from kernel.db import db
from kernel.errors import NotFound
from kernel.transaction import transaction
from redemption.errors import InsufficientCups, LimitReached, OwnWallet, TokenInvalid
from redemption.models import Credential, Redemption
from redemption.service.credentials import LIVE_AT_MOST
from tests.club import Club
from tests.service.redemption.tills import undo
from tests.service.subs.sharing.conftest import Family, make_family


def test_a_sharer_collects_from_the_owners_plan(family: Family):
    family.welcome()
    redeemed = family.collect(family.show(family.credential()), 2)
    assert (redeemed.left, [one["offer"] for one in redeemed.taken]) == (8, ["family"])
    with transaction():
        (done,) = db.session.scalars(select(Redemption))
    assert done.member_id == family.alice


def test_it_opens_nothing_else_of_the_owner(family: Family):
    family.welcome()
    family.club.world.add_lot(family.alice, "eleven")
    family.club.subscribe()
    with pytest.raises(InsufficientCups, match="'held': 10"):
        family.collect(family.show(family.credential()), 11)


def test_the_owners_own_code_opens_everything(family: Family):
    family.welcome()
    family.club.world.add_lot(family.alice, "eleven")
    own = family.club.world.add_credential(family.alice)
    assert family.collect(family.show(own), 21).left == 0


def test_owner_and_sharer_hear_of_it(family: Family):
    family.welcome()
    before = len(family.told(family.alice))
    family.collect(family.show(family.credential()))
    assert family.told(family.alice)[before:] == ["redemption.by_sharer"]
    assert family.told(family.bob) == ["redemption.from_shared"]


def test_no_sharer_hears_of_what_the_owner_collects(family: Family):
    family.welcome()
    before = len(family.told(family.alice))
    family.collect(family.show(family.club.world.add_credential(family.alice)))
    assert family.told(family.alice)[before:] == ["redemption.done"]
    assert family.told(family.bob) == []


def test_nobody_hears_of_what_was_undone_before(family: Family):
    family.welcome()
    scan = family.club.world.scan(family.till, family.show(family.credential()))
    redeemed = redemption.redeem(scan=scan, now=family.club.now)
    undo(family.till, redeemed, now=family.club.now)
    family.club.renew()
    assert family.told(family.bob) == []


def test_who_has_left_shows_a_code_of_nothing(family: Family):
    place = family.welcome()
    credential = family.credential()
    family.leave(place)
    with pytest.raises(TokenInvalid):
        family.collect(family.show(credential))


def test_who_comes_back_may_use_the_phone_as_before(family: Family):
    place = family.welcome()
    credential = family.credential()
    family.leave(place)
    family.welcome()
    family.collect(family.show(credential))


def test_when_the_plan_is_over_its_codes_are(family: Family):
    family.welcome()
    credential = family.credential()
    family.club.cancel(family.plan, at="now")
    with pytest.raises(TokenInvalid):
        family.collect(family.show(credential))


def test_who_shares_nothing_gets_no_credential(family: Family):
    for nobody in (family.bob, family.alice):
        with pytest.raises(NotFound):
            family.credential(by=nobody)
    family.leave(family.welcome())
    with pytest.raises(NotFound):
        family.credential()


def test_staff_do_not_redeem_from_a_plan_they_share(family: Family):
    family.welcome()
    own = family.club.world.add_till("A", own=family.bob)
    with pytest.raises(OwnWallet):
        family.collect(family.show(family.credential()), till=own)


def test_staff_do_not_redeem_from_their_own_plan_by_a_sharers_code(family: Family):
    family.welcome()
    own = family.club.world.add_till("A", own=family.alice)
    with pytest.raises(OwnWallet):
        family.collect(family.show(family.credential()), till=own)


def test_staff_of_no_member_redeem_for_a_sharer(family: Family):
    family.welcome()
    assert family.collect(family.show(family.credential())).cups == 1


def test_a_sharer_has_five_phones_and_the_owner_keeps_theirs(family: Family):
    family.welcome()
    with transaction():
        own = redemption.issue_credential(member_id=family.alice, now=family.club.now)
    oldest, *_ = [family.credential() for _ in range(LIVE_AT_MOST + 1)]
    with pytest.raises(TokenInvalid):
        family.collect(family.show(oldest))
    family.collect(family.show(own.id))


def test_the_page_of_the_owner_shows_the_owners_code(family: Family):
    family.welcome()
    family.credential()
    with transaction():
        redemption.current_code(member_id=family.alice, now=family.club.now)
        own = select(Credential).where(Credential.holder_id.is_(None))
        assert [one.member_id for one in db.session.scalars(own)] == [family.alice]


def test_at_the_counter_a_sharers_code_says_who_is_there(family: Family):
    family.welcome()
    code = family.show(family.credential())
    there = redemption.member_of_code(
        code=code, device_id=family.till.device_id, now=family.club.now
    )
    assert there == family.bob


def test_an_unlimited_plan_has_one_allowance_for_all(club: Club):
    club.add_plan("endless", sharers=1, cups=0, is_unlimited=True, cups_per_day=2)
    family = make_family(club, "endless")
    family.welcome()
    club.world.take(family.till, family.alice, now=club.now)
    credential = family.credential()
    family.collect(family.show(credential))
    with pytest.raises(LimitReached):
        family.collect(family.show(credential, step=1))
