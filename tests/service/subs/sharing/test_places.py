"""Places in a plan are offered, taken, left and taken away."""

from datetime import timedelta

import pytest
from sqlalchemy import select

import subs
from kernel import secrets
from kernel.db import db
from kernel.errors import NotFound
from kernel.transaction import transaction
from subs import (
    AlreadySharing,
    InvitationLimit,
    InvitationOver,
    NoPlaceLeft,
    OwnPlan,
    PlanNotShared,
    SubscriptionEnded,
)
from subs.models import Sharer
from subs.service import sharing
from subs.service.change import change_plan
from subs.service.rows import lock
from tests.club import Club
from tests.service.subs.sharing.conftest import Family, make_family


def test_whoever_has_the_link_takes_the_place(family: Family):
    offered = family.invite()
    assert family.places() == [("offered", True)]
    place = family.join(offered)
    assert (place.member_id, place.left_at) == (family.bob, None)
    assert family.places() == [("taken", False)]
    (seen,) = family.shared()
    assert (seen.id, seen.subscription_id, seen.code, seen.left) == (
        place.id, family.plan, "family", 10,
    )  # fmt: skip


def test_its_owner_hears_of_it_and_it_is_in_the_history(family: Family):
    family.welcome()
    assert family.told(family.alice)[-1] == "sharer.joined"
    assert family.club.causes(family.plan)[-1] == "sharer_joined"


def test_a_link_shows_the_plan_before_it_is_taken(family: Family):
    offered = family.invite()
    with transaction():
        seen = subs.see_invitation(token=offered.token, now=family.club.now)
    assert (seen.code, seen.ends_at) == ("family", offered.invited_at + sharing.GOOD_FOR)


def test_only_the_digest_of_a_link_is_kept(family: Family):
    offered = family.invite()
    with transaction():
        (kept,) = db.session.scalars(select(Sharer.token_digest))
    assert kept == secrets.digest(offered.token)


def test_who_has_taken_a_place_is_answered_the_same_again(family: Family):
    offered = family.invite()
    assert family.join(offered).id == family.join(offered).id
    assert family.told(family.alice).count("sharer.joined") == 1


def test_a_place_is_taken_by_one_member(family: Family):
    offered = family.invite()
    family.join(offered)
    with pytest.raises(InvitationOver):
        family.join(offered, by=family.carol)
    with transaction(), pytest.raises(NotFound):
        subs.see_invitation(token=offered.token, now=family.club.now)


def test_an_owner_takes_no_place_in_the_own_plan(family: Family):
    with pytest.raises(OwnPlan):
        family.join(family.invite(), by=family.alice)


def test_a_member_has_one_place_in_a_plan(family: Family):
    family.welcome()
    with pytest.raises(AlreadySharing):
        family.welcome()


def test_a_link_that_is_made_up_is_of_nothing(family: Family):
    offered = family.invite()
    assert offered.token is not None
    for made_up in ("", "x", offered.token[:-1], offered.token + "A", "é" * 43, "A" * 43):
        with transaction(), pytest.raises(NotFound):
            subs.join(member_id=family.bob, token=made_up, now=family.club.now)


def test_an_offer_keeps_its_place_for_a_week(family: Family):
    late = [family.invite() for _ in range(2)]
    with pytest.raises(NoPlaceLeft, match="'places': 2"):
        family.invite()
    family.club.pass_time(days=7)
    with pytest.raises(InvitationOver):
        family.join(late[0])
    assert family.places() == []
    family.welcome()


def test_a_full_plan_offers_no_place(family: Family):
    family.welcome()
    family.welcome(by=family.carol)
    with pytest.raises(NoPlaceLeft):
        family.invite()


def test_a_plan_for_one_is_not_shared(club: Club):
    with pytest.raises(PlanNotShared):
        make_family(club, "monthly").invite()


def test_invitations_of_a_day_are_limited(family: Family, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sharing, "MOST_A_DAY", 3)
    for _ in range(3):
        family.remove(family.invite().id)
    with pytest.raises(InvitationLimit):
        family.invite()
    family.club.pass_time(days=1)
    family.invite()


def test_who_leaves_is_out_and_their_place_is_free(family: Family):
    place = family.welcome()
    family.leave(place)
    family.leave(place)
    assert (family.shared(), family.places()) == ([], [])
    assert family.told(family.alice).count("sharer.left") == 1
    assert family.club.causes(family.plan)[-1] == "sharer_left"
    assert family.welcome().id != place.id


def test_who_left_does_not_come_back_by_the_old_link(family: Family):
    offered = family.invite()
    family.leave(family.join(offered))
    with pytest.raises(InvitationOver):
        family.join(offered)


def test_an_owner_takes_a_place_back(family: Family):
    place = family.welcome()
    family.remove(place.id)
    family.remove(place.id)
    assert (family.shared(), family.places()) == ([], [])
    assert family.told(family.bob) == ["sharer.ended"]


def test_an_offer_that_was_taken_back_is_not_taken(family: Family):
    offered = family.invite()
    family.remove(offered.id)
    with pytest.raises(InvitationOver):
        family.join(offered)


def test_strangers_do_nothing_to_a_plan(family: Family):
    place = family.welcome()
    with pytest.raises(NotFound):
        family.leave(place, by=family.carol)
    with pytest.raises(NotFound):
        family.remove(place.id, by=family.bob)
    with transaction(), pytest.raises(NotFound):
        subs.invite(member_id=family.bob, subscription_id=family.plan, now=family.club.now)
    with transaction(), pytest.raises(NotFound):
        subs.list_places(member_id=family.bob, subscription_id=family.plan, now=family.club.now)


def test_a_place_of_another_plan_is_not_taken_back(family: Family):
    place = make_family(family.club, "family").welcome()
    with pytest.raises(NotFound):
        family.remove(place.id)


def test_when_the_plan_ends_nobody_shares_it_any_more(family: Family):
    family.welcome()
    offered = family.invite()
    family.club.cancel(family.plan, at="now")
    assert family.shared() == []
    assert family.told(family.bob) == ["sharer.ended"]
    with pytest.raises(InvitationOver):
        family.join(offered, by=family.carol)
    with pytest.raises(SubscriptionEnded):
        family.invite()


def test_a_plan_that_renews_is_shared_on(family: Family):
    family.welcome()
    family.club.go_to(family.club.periods(family.plan)[-1].ends_at)
    family.club.renew()
    (seen,) = family.shared()
    assert seen.left == 10


def test_with_fewer_places_the_last_to_join_go_and_offers_before_them(family: Family):
    family.welcome()
    family.club.pass_time(minutes=1)
    family.welcome(by=family.carol)
    family.set_places(1)
    assert (len(family.shared()), family.shared(family.carol)) == (1, [])
    assert (family.told(family.bob), family.told(family.carol)) == ([], ["sharer.ended"])


def test_with_as_many_places_nobody_goes(family: Family):
    family.welcome()
    family.invite()
    family.set_places(2)
    assert family.places() == [("taken", False), ("offered", True)]


def test_an_offer_is_not_taken_where_the_plan_has_fewer_places_now(
    family: Family, monkeypatch: pytest.MonkeyPatch
):
    family.welcome()
    offered = family.invite()
    monkeypatch.setattr(sharing, "_places_of", lambda _: 1)
    with pytest.raises(NoPlaceLeft):
        family.join(offered, by=family.carol)


def test_it_is_told_what_all_can_still_collect(family: Family):
    family.welcome()
    family.club.world.take(family.till, family.alice, 3, now=family.club.now)
    (seen,) = family.shared()
    assert seen.left == 7
    family.club.pass_time(days=60)
    (seen,) = family.shared()
    assert seen.left == 0


def test_of_an_unlimited_plan_nothing_is_counted(club: Club):
    club.add_plan("endless", sharers=1, cups=0, is_unlimited=True)
    family = make_family(club, "endless")
    family.welcome()
    (seen,) = family.shared()
    assert (seen.is_unlimited, seen.left) == (True, None)
    assert seen.joined_at <= club.now + timedelta(seconds=1)


def test_who_has_no_place_on_the_next_terms_goes_with_the_renewal(family: Family):
    version_id = family.club.add_plan("alone", price=549)
    family.welcome()
    with transaction():
        lock(family.plan).next_version_id = version_id
    family.club.go_to(family.club.periods(family.plan)[-1].ends_at)
    family.club.renew()
    assert family.shared() == []
    assert family.told(family.bob) == ["sharer.ended"]
    assert "sharer_left" in family.club.causes(family.plan)


def test_who_has_no_place_on_other_terms_goes_at_once(family: Family):
    family.club.add_plan("alone", price=899, cups=20)
    family.welcome()
    change_plan(
        member_id=family.alice,
        subscription_id=family.plan,
        offer_id=family.club.world.offers["alone"][0],
        at="now",
        now=family.club.now,
    )
    family.club.renew()
    assert family.shared() == []
    assert family.told(family.bob) == ["sharer.ended"]
