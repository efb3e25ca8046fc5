"""Periods that are given."""

import pytest

from tests.club import Club
from tests.service.subs.prepaid.house import Giving


@pytest.fixture
def giving(club: Club) -> Giving:
    return Giving(club, club.world.add_member())
