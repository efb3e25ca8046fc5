"""Many hands at the places of a plan: never more sharers than places, nobody in who has left."""

from collections import Counter
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select

import subs
from kernel.db import db
from kernel.errors import Refusal
from kernel.transaction import transaction
from redemption.service.redeem import redeem
from subs.models import Sharer, Subscription
from subs.service import sharing
from tests.service.subs.sharing.conftest import Family
from tests.together import together

RACERS = 8


def outcome(answer: object) -> str:
    return answer.code if isinstance(answer, Refusal) else "done"


def joined(family: Family) -> int:
    """How many share the plan now."""
    there = select(func.count()).where(
        Sharer.subscription_id == family.plan,
        Sharer.joined_at.is_not(None),
        Sharer.left_at.is_(None),
    )
    with transaction():
        return db.session.scalars(there).one()


def rush(family: Family, app: Flask) -> Counter[str]:
    """Members hurry to take one place by one link; answers how each fared."""
    offered, now = family.invite(), family.club.now
    racers = [family.club.world.add_member() for _ in range(RACERS)]
    works: list[Callable[[], object]] = [
        lambda who=who: subs.join(member_id=who, token=offered.token or "", now=now)  # type: ignore[misc]
        for who in racers
    ]
    return Counter(map(outcome, together(app, works)))


def hurry(family: Family, app: Flask) -> Counter[str]:
    """The owner's phones all offer a place; answers how each fared."""
    now = family.club.now
    works = [
        lambda: subs.invite(member_id=family.alice, subscription_id=family.plan, now=now)
        for _ in range(RACERS)
    ]
    return Counter(map(outcome, together(app, works)))


def unlocked(subscription_id: object) -> Subscription:
    return db.session.get_one(Subscription, subscription_id)


def test_one_of_many_takes_a_place(family: Family, app: Flask):
    assert rush(family, app) == {"done": 1, "invitation-over": RACERS - 1}
    assert joined(family) == 1


def test_without_the_plans_lock_several_would_take_it(
    family: Family, app: Flask, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sharing, "lock", unlocked)
    assert max(rush(family, app)["done"] for _ in range(2)) > 1


def test_many_phones_offer_no_more_places_than_there_are(family: Family, app: Flask):
    assert hurry(family, app) == {"done": 2, "no-place-left": RACERS - 2}


def test_without_the_plans_lock_more_would_be_offered(
    family: Family, app: Flask, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sharing, "lock_live", lambda **of: unlocked(of["subscription_id"]))
    assert hurry(family, app)["done"] > 2


def test_two_links_of_one_member_are_one_place(family: Family, app: Flask):
    tokens, now = [family.invite().token or "" for _ in range(2)], family.club.now
    works = [
        lambda token=token: subs.join(member_id=family.bob, token=token, now=now)  # type: ignore[misc]
        for token in tokens
    ]
    assert Counter(map(outcome, together(app, works))) == {"done": 1, "already-sharing": 1}


def test_who_joins_while_the_plan_ends_is_out_with_it(family: Family, app: Flask):
    offered, now = family.invite(), family.club.now
    how = {"member_id": family.alice, "subscription_id": family.plan, "at": "now", "now": now}
    works: list[Callable[[], object]] = [
        lambda: subs.join(member_id=family.bob, token=offered.token or "", now=now),
        lambda: subs.cancel(**how),  # type: ignore[arg-type]
    ]
    together(app, works)
    assert joined(family) == 0


def test_a_place_is_taken_or_taken_back(family: Family, app: Flask):
    for _ in range(4):
        offered, now = family.invite(), family.club.now
        works: list[Callable[[], object]] = [
            lambda offered=offered, now=now: subs.join(  # type: ignore[misc]
                member_id=family.bob, token=offered.token or "", now=now
            ),
            lambda offered=offered, now=now: subs.remove(  # type: ignore[misc]
                member_id=family.alice,
                subscription_id=family.plan,
                sharer_id=offered.id,
                now=now,
            ),
        ]
        together(app, works)
        assert joined(family) == 0


def test_leaving_and_joining_again_at_once_leave_one_place_or_none(family: Family, app: Flask):
    for _ in range(4):
        place, offered, now = family.welcome(), family.invite(), family.club.now
        works: list[Callable[[], object]] = [
            lambda place=place, now=now: subs.leave(  # type: ignore[misc]
                member_id=family.bob, sharer_id=place.id, now=now
            ),
            lambda offered=offered, now=now: subs.join(  # type: ignore[misc]
                member_id=family.bob, token=offered.token or "", now=now
            ),
        ]
        answers = list(map(outcome, together(app, works)))
        assert answers in (["done", "done"], ["done", "already-sharing"])
        assert joined(family) == answers.count("done") - 1
        for left in [seen.id for seen in family.shared()]:
            family.remove(left)
        family.remove(offered.id)


def test_who_leaves_collects_no_more(family: Family, app: Flask):
    """Whichever comes first: what is handed over was handed over before the place was left."""
    world, club = family.club.world, family.club
    for _ in range(4):
        place = family.welcome()
        scan = world.scan(family.till, family.show(family.credential()))
        now = club.now

        def leave(place: Sharer = place, now: object = now) -> None:
            with transaction():
                subs.leave(member_id=family.bob, sharer_id=place.id, now=now)  # type: ignore[arg-type]

        works: list[Callable[[], object]] = [
            lambda scan=scan, now=now: redeem(scan=scan, now=now),  # type: ignore[misc]
            leave,
        ]
        answers = list(map(outcome, together(app, works, in_transactions=False)))
        assert answers[1] == "done"
        assert answers[0] in {"done", "token-invalid"}
