"""Many hands at one gift, and gifts crossing: one gets the cups, and nobody waits for ever."""

from collections import Counter

import pytest
from sqlalchemy import select

import vouchers
from kernel.db import db
from kernel.errors import Refusal
from tests.together import together
from vouchers import Claimed, gift_token
from vouchers.models import Gift, Lot, Wallet
from vouchers.service import gift as giving
from vouchers.service import gift_claim
from vouchers.service.gift_ending import end_some

RACERS = 16


def outcome(answer):
    return answer.code if isinstance(answer, Refusal) else "done"


def claiming(gift_id, member_id, now):
    return lambda: vouchers.claim(member_id=member_id, token=gift_token.make(gift_id), now=now)


def rush(friends, app):
    """Sixteen members claim one gift at once; answers how often each outcome came."""
    gift_id, now = friends.give(1), friends.now
    claimers = [friends.world.add_member() for _ in range(RACERS)]
    return Counter(
        outcome(one) for one in together(app, [claiming(gift_id, who, now) for who in claimers])
    )


def test_of_many_claimers_one_gets_the_cups(friends, app):
    assert rush(friends, app) == {"done": 1, "gift-claimed": RACERS - 1}


@pytest.mark.breaks_books
def test_without_the_gifts_lock_several_would_get_them(friends, app, monkeypatch):
    monkeypatch.setattr(gift_claim, "lock_gift", lambda gift_id: db.session.get(Gift, gift_id))
    assert max(rush(friends, app)["done"] for _ in range(5)) > 1


def test_one_claimer_with_many_phones_gets_the_cups_once(friends, app):
    gift_id, now = friends.give(), friends.now
    answers = together(app, [claiming(gift_id, friends.bob, now)] * RACERS)
    assert all(isinstance(one, Claimed) for one in answers)
    assert len(friends.lots(friends.bob)) == 1


def test_a_gift_is_either_claimed_or_taken_back(friends, app):
    gift_id, now = friends.give(), friends.now
    token = gift_token.make(gift_id)
    others = [friends.world.add_member() for _ in range(8)]
    works = [
        lambda: vouchers.withdraw(giver_id=friends.alice, gift_id=gift_id, now=now),
        lambda: vouchers.decline(member_id=friends.bob, token=token, block=False, now=now),
        *(claiming(gift_id, who, now) for who in others),
    ]
    together(app, works)
    with app.app_context():
        moved = [kind for kind in ("claim", "gift_return") for _ in friends.booked(kind)]
    assert len(moved) == 1


def test_a_gift_is_either_claimed_in_time_or_back(friends, app):
    gifts = [friends.give(1) for _ in range(8)]
    ends_at = friends.gift(gifts[0]).ends_at
    almost = ends_at - ends_at.resolution
    works = [claiming(gift_id, friends.bob, almost) for gift_id in gifts]
    together(app, [*works, lambda: end_some(limit=9, now=ends_at)])
    while friends.change(lambda: end_some(limit=9, now=ends_at)):
        pass
    mine = friends.change(lambda: db.session.scalars(select(Gift.status)).all())
    assert set(mine) <= {"claimed", "returned"}
    assert friends.read_lot().used == len(friends.lots(friends.bob))


def test_many_phones_of_one_giver_cannot_give_a_cup_twice(friends, app):
    now = friends.now
    answers = together(
        app, [lambda: vouchers.give(giver_id=friends.alice, cups=3, now=now)] * RACERS
    )
    assert Counter(map(outcome, answers)) == {"done": 3, "insufficient-cups": RACERS - 3}


@pytest.mark.breaks_books
def test_without_the_givers_lock_cups_would_be_given_twice(friends, app, monkeypatch):
    def unlocked(member_id):
        return db.session.get_one(Wallet, member_id)

    monkeypatch.setattr(giving, "change_wallet", unlocked)
    now = friends.now
    answers = together(
        app, [lambda: vouchers.give(giver_id=friends.alice, cups=3, now=now)] * RACERS
    )
    assert Counter(map(outcome, answers))["done"] > 3


def test_giving_and_collecting_at_once_spend_each_cup_once(friends, app, world):
    till, now = world.add_till("A"), friends.now
    codes = [world.code(world.add_credential(friends.alice)) for _ in range(8)]

    from redemption.service.redeem import redeem  # noqa: PLC0415

    def collecting(code):
        return lambda: redeem(scan=world.scan(till, code, 1), now=now)

    def giving():
        return vouchers.give(giver_id=friends.alice, cups=1, now=now)

    answers = together(app, [*(collecting(code) for code in codes), *[giving] * 8])
    assert Counter(map(outcome, answers))["done"] == 11
    assert friends.read_lot().used == 11


@pytest.mark.parametrize("verb", ["claim", "decline"])
def test_gifts_that_cross_do_not_stop_each_other(friends, app, world, verb):
    world.add_lot(friends.bob, "eleven", units=40)
    world.add_lot(friends.alice, "eleven", units=40)
    now = friends.now
    there = [friends.give(1) for _ in range(6)]
    here = [friends.give(1, by=friends.bob) for _ in range(6)]

    def at(gift_id, member_id):
        more = {} if verb == "claim" else {"block": False}
        token = gift_token.make(gift_id)
        return lambda: getattr(vouchers, verb)(member_id=member_id, token=token, now=now, **more)

    works = [at(gift_id, friends.bob) for gift_id in there]
    works += [at(gift_id, friends.alice) for gift_id in here]
    answers = together(app, works)

    assert Counter(map(outcome, answers)) == {"done": 12}
    with app.app_context():
        arrived = friends.change(lambda: db.session.query(Lot).filter_by(source="gift").count())
    assert arrived == (12 if verb == "claim" else 0)
