"""A member whose plans are paid period by period, and books that must hold afterwards."""

import pytest

from tests.service.subs.benefits.house import House
from tests.world import World


@pytest.fixture
def house(world: World, books_hold: None) -> House:
    del books_hold
    return House(world, world.add_member())
