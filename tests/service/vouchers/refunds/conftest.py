"""A chain that sells packs by every rule of giving back, on 5 January 2026."""

from collections.abc import Iterator

import pytest

from kernel import clock
from kernel.db import db
from kernel.transaction import transaction
from ledger.service.fold import fold_some
from subs.models import PlanSchedule
from tests.fakes import FakeGateway, fake_provider
from tests.service.vouchers.conftest import JOBS
from tests.service.vouchers.refunds.shop import Shop
from tests.world import small_world

assert JOBS  # they subscribe


@pytest.fixture
def bank(app) -> Iterator[FakeGateway]:
    with fake_provider() as fake:
        yield fake


@pytest.fixture
def shop(bank, at) -> Shop:
    at(2026, 1, 5, 12)
    world = small_world(clock.now())
    world.add_offer("pack", price=1000, refund_fee_bp=300)
    world.add_offer(
        "twenty",
        price=1600,
        cups=20,
        bonus_cups=0,
        list_price=110,
        refund_basis="list_price",
        gift_unclaimed="refund",
    )
    world.add_offer("five", price=240, cups=5, bonus_cups=0, list_price=60)
    world.add_offer("final", price=500, refund_basis="none")
    world.add_offer(
        "bonus",
        price=500,
        list_price=60,
        bonus_after_count=60,
        bonus_after_unit="day",
        bonus_use_bp=7000,
    )
    world.add_offer("value", price=1000, cups=10, bonus_cups=0, vat_timing="redemption",
                    refund_fee_bp=300)  # fmt: skip
    return Shop(world, bank, at)


@pytest.fixture
def member(shop):
    return shop.world.add_member()


@pytest.fixture
def folded(shop):
    def fold() -> None:
        with transaction():
            while fold_some():
                pass

    return fold


@pytest.fixture
def monthly(shop):
    """A plan of ten cups for 499 a month."""
    version_id = shop.world.add_offer(
        "monthly", kind="plan", price=499, cups=10, bonus_cups=0, expiry_mode="lapse"
    )
    with transaction():
        db.session.add(
            PlanSchedule(
                offer_version_id=version_id,
                every_count=1,
                every_unit="month",
                grace_days=7,
                dunning_days=[2, 5, 7, 7],
            )
        )
