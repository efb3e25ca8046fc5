"""A member whose plans are paid period by period, and books that must hold afterwards."""

import pytest

from tests.service.subs.benefits.house import House
from tests.world import World


@pytest.fixture
def house(world: World) -> House:
    return House(world, world.add_member())
