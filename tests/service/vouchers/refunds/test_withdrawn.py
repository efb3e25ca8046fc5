"""Whoever holds cups that go back for money, or are held back, is named: capsules of theirs end."""

from uuid import UUID

import pytest
from sqlalchemy import select

from kernel.db import db
from kernel.outbox import Outbox
from kernel.transaction import transaction
from tests.service.vouchers.refunds.test_refund import give


@pytest.fixture
def order(shop, member):
    return shop.buy(member, pack=1)


def named() -> list[UUID]:
    rows = select(Outbox.facts).where(Outbox.topic == "cups.withdrawn")
    with transaction():
        return [UUID(facts["holder_id"]) for facts in db.session.scalars(rows)]


def test_a_refund_names_who_held_the_cups(shop, member, order):
    assert named() == []

    shop.refund(member, order)

    assert named() == [member]


def test_a_dispute_names_everybody_who_holds_cups_of_it(shop, member, order):
    friend = shop.world.add_member()
    give(shop, member, friend, 2)

    shop.dispute(shop.payment_of(order))

    assert sorted(named()) == sorted([member, friend])


def test_what_is_merely_given_or_collected_names_nobody(shop, member, order):
    shop.take(member, 2)
    give(shop, member, shop.world.add_member(), 2)

    assert named() == []
