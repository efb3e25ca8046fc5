"""The sample chain, with every pack offer of its facts on sale, on 5 January 2026."""

import pytest
from sqlalchemy import select

from chain.models import Product, Store
from kernel import clock
from kernel.db import db
from kernel.transaction import transaction
from tests.sample_chain import load_sample
from tests.service.vouchers.refunds.shop import Shop
from tests.world import World
from vouchers.models import Offer, OfferVersion


@pytest.fixture
def shop(provider, at, tmp_path, monkeypatch) -> Shop:
    at(2026, 1, 5, 12)
    monkeypatch.setenv("SAMPLE_FILE", str(tmp_path / "closed" / "sign_ins.json"))
    load_sample(clock.now())
    return Shop(sample_world(), provider, at)


@pytest.fixture
def alice(shop):
    return shop.world.add_member()


@pytest.fixture
def bob(shop):
    return shop.world.add_member()


def sample_world() -> World:
    """What the sample chain has, by the names that tests call it."""
    world = World(clock.now())
    with transaction():
        world.stores = {row.code: row.id for row in db.session.scalars(select(Store))}
        world.products = {row.code: row.id for row in db.session.scalars(select(Product))}
        versions = select(Offer.code, OfferVersion.offer_id, OfferVersion.id).join_from(
            Offer, OfferVersion
        )
        world.offers = {
            code: (offer_id, version_id)
            for code, offer_id, version_id in db.session.execute(versions)
        }
    world.products["latte"] = world.products["latte-m"]
    return world
