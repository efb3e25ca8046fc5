"""Packs of several kinds of end, to be traded on 5 January 2026 and after."""

from collections.abc import Iterator

import pytest

from kernel import clock
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
    soon = {"expires_after_count": 20, "expires_after_unit": "day"}
    world.add_offer("pack", price=1000, refund_fee_bp=300)
    world.add_offer("short", price=400, cups=5, bonus_cups=0, expiry_mode="lapse", **soon)
    world.add_offer("late", price=400, cups=5, bonus_cups=0, expiry_mode="top_up", **soon)
    world.add_offer("repaid", price=400, cups=5, bonus_cups=0, expiry_mode="refund", **soon)
    world.add_offer("value", price=600, cups=6, bonus_cups=0, vat_timing="redemption")
    world.add_offer("again", price=333, cups=7, bonus_cups=2, gift_unclaimed="refund")
    return Shop(world, bank, at)
