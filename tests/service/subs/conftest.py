"""Subscriptions to a monthly plan, on a clock that the test moves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.club import Club, club_of
from tests.service.subs.lives import Lives
from tests.world import World


@pytest.fixture(autouse=True)
def everything_adds_up(books_hold: None) -> None:
    """After every test here, the books hold."""


@pytest.fixture
def club(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Club]:
    """The plan, and Alice with a card that pays, at noon of 14 January in Taipei."""
    with club_of(world, offset=tmp_path / "clock", environment=monkeypatch) as made:
        yield made


@pytest.fixture
def lives(world: World) -> Lives:
    """A monthly plan of 525, which is 500 without VAT, and nobody who subscribes to it yet."""
    made = Lives(world)
    made.add_plan()
    return made
