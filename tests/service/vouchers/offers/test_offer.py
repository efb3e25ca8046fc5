"""Offers are proposed and approved by two people, one thing at a time."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

import vouchers
from chain.models import Staff
from kernel.db import db
from kernel.errors import NotFound, Refusal
from kernel.ids import new_id
from kernel.transaction import transaction
from tests.together import together
from vouchers.models import Offer, OfferVersion, OfferVersionProduct
from vouchers.offer_errors import (
    OfferCurrency,
    OfferExists,
    SaleEndsEarlier,
    TwoPeople,
    VersionDecided,
)
from vouchers.offer_terms import OfferTerms
from vouchers.service import offer

RACERS = 8


@pytest.fixture
def people(world):
    """Alice and Bob, who may make offers."""
    made = [Staff(id=new_id(), number=name, name=name, role="admin") for name in ("alice", "bob")]
    with transaction():
        db.session.add_all(made)
        return [one.id for one in made]


@pytest.fixture
def terms(world):
    return lambda **changed: OfferTerms(
        **{
            "name": "Ten lattes",
            "price": 450,
            "cups": 10,
            "currency": "TWD",
            "sale_starts_at": world.now,
            "product_ids": [world.products["latte"]],
            **changed,
        }
    )


@pytest.fixture
def proposed(world, people, terms):
    """A pack that Alice has proposed; answers its id."""
    with transaction():
        made = offer.propose_offer(
            code="ten", kind="pack", terms=terms(), by_id=people[0], now=world.now
        )
        return made.offer_id


def approve(world, offer_id, by_id, number=1, **other):
    known = {"offer_id": offer_id, "kind": "pack", "number": number, "now": world.now}
    with transaction():
        offer.approve(**{**known, "by_id": by_id, **other})


def proposing(world, offer_id, by_id, terms):
    return lambda: (
        offer.propose_version(
            offer_id=offer_id, kind="pack", terms=terms(), by_id=by_id, now=world.now
        ).version
    )


def numbers():
    with transaction():
        return sorted(db.session.scalars(select(OfferVersion.version)))


def test_proposers_at_once_get_numbers_of_their_own(world, app, people, proposed, terms):
    answers = together(app, [proposing(world, proposed, people[0], terms)] * RACERS)

    assert sorted(answers) == list(range(2, RACERS + 2))


def test_without_the_lock_they_would_ask_for_the_same(
    world, app, people, proposed, terms, monkeypatch
):
    monkeypatch.setattr(offer, "_lock", lambda *_: None)

    def rush():
        try:
            together(app, [proposing(world, proposed, people[0], terms)] * RACERS)
        except IntegrityError:
            return True
        return False

    assert any(rush() for _ in range(5))


def test_of_approving_and_rejecting_at_once_one_happens(world, app, people, proposed):
    known = {"offer_id": proposed, "kind": "pack", "number": 1, "now": world.now}
    works = [
        lambda: offer.approve(by_id=people[1], **known),
        lambda: offer.reject(by_id=people[0], **known),
    ] * 4

    answers = together(app, works)

    refused = Counter(one.code for one in answers if isinstance(one, Refusal))
    assert refused == {"version-decided": len(works) - 1}


def test_one_of_two_offers_of_a_code_is_made(world, app, people, terms):
    def make():
        made = offer.propose_offer(
            code="twice", kind="pack", terms=terms(), by_id=people[0], now=world.now
        )
        return made.version

    answers = together(app, [make] * 4)

    assert Counter(type(one).__name__ for one in answers) == {"int": 1, "OfferExists": 3}


def test_a_code_of_another_kind_is_taken_too(world, people, proposed, terms):
    with pytest.raises(OfferExists), transaction():
        offer.propose_offer(code="ten", kind="plan", terms=terms(), by_id=people[0], now=world.now)


def test_a_pack_is_no_plan(world, people, proposed):
    with pytest.raises(NotFound):
        approve(world, proposed, people[1], kind="plan")


def test_ones_own_proposal_is_for_somebody_else_to_approve(world, people, proposed):
    with pytest.raises(TwoPeople):
        approve(world, proposed, people[0])


def write(statement):
    with transaction():
        db.session.execute(statement)


def test_the_database_keeps_to_two_people_as_well(world, people, proposed):
    alone = {"approved_by_id": people[0], "approved_at": world.now}
    versions = update(OfferVersion).where(OfferVersion.offer_id == proposed)

    with pytest.raises(TwoPeople):
        write(versions.values(**alone))


def test_the_database_keeps_terms_and_lists_of_approved_versions(world, people, proposed):
    approve(world, proposed, people[1])
    with transaction():
        versions = select(OfferVersion.id).where(OfferVersion.offer_id == proposed)
        version_id = db.session.scalars(versions).one()
    another = {"offer_version_id": version_id, "product_id": world.products["mocha"]}
    mine = OfferVersion.id == version_id

    for change in (
        update(OfferVersion).where(mine).values(price=1),
        update(OfferVersion).where(mine).values(approved_at=None),
        delete(OfferVersion).where(mine),
        insert(OfferVersionProduct).values(**another),
    ):
        with pytest.raises(IntegrityError, match="never change"):
            write(change)


def test_a_sale_that_begins_later_lets_the_one_before_go_on_until_then(
    world, people, proposed, terms
):
    approve(world, proposed, people[1])
    starts_at = world.now + timedelta(days=3)
    later = terms(price=480, sale_starts_at=starts_at)
    with transaction():
        offer.propose_version(
            offer_id=proposed, kind="pack", terms=later, by_id=people[0], now=world.now
        )
    approve(world, proposed, people[1], 2)

    def price(at):
        with transaction():
            on_sale = vouchers.list_offers(kind="pack", after=None, limit=9, now=at)
            return next(one.version.price for one in on_sale if one.offer.code == "ten")

    assert price(world.now) == price(starts_at - timedelta(seconds=1)) == 450
    assert price(starts_at) == 480


def test_a_sale_ends_once_and_at_the_moment_that_was_said_first(world, people, proposed):
    approve(world, proposed, people[1])
    soon, late = (world.now + timedelta(days=days) for days in (1, 2))
    known = {"offer_id": proposed, "kind": "pack", "number": 1, "now": world.now}

    with transaction():
        assert offer.end_sale(ends_at=soon, **known).sale_ends_at == soon
    with pytest.raises(SaleEndsEarlier), transaction():
        offer.end_sale(ends_at=late, **known)
    with transaction():
        assert offer.end_sale(ends_at=None, **known).sale_ends_at == world.now
    with transaction():
        again = {**known, "now": soon}
        assert offer.end_sale(ends_at=None, **again).sale_ends_at == world.now


def test_another_currency_is_another_offer(world, people, proposed, terms):
    with pytest.raises(OfferCurrency), transaction():
        proposing(world, proposed, people[0], lambda: terms(currency="USD", product_ids=[]))()


def test_what_is_refused_leaves_no_offer_behind(world, people, terms):
    with pytest.raises(Refusal), transaction():
        offer.propose_offer(
            code="bad",
            kind="pack",
            terms=terms(refund_basis="none"),
            by_id=people[0],
            now=world.now,
        )

    with transaction():
        assert db.session.scalars(select(Offer).filter_by(code="bad")).all() == []


def test_a_rejected_version_keeps_its_number(world, people, proposed, terms):
    with transaction():
        offer.reject(offer_id=proposed, kind="pack", number=1, by_id=people[0], now=world.now)
    with transaction():
        proposing(world, proposed, people[0], terms)()
    with pytest.raises(VersionDecided):
        approve(world, proposed, people[1], 1)

    approve(world, proposed, people[1], 2)

    assert numbers() == [1, 1, 1, 2]  # the world's own offers have one version each
