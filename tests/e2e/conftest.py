"""One installation for all tests that kill parts of it, and the stage to act on it."""

from collections.abc import Iterator

import pytest

from dev.tour.running import Running
from dev.tour.story import Story
from dev.tour.tour import Tour, on_stage
from tests.e2e.installation import Installation, running_installation


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Everything that `make up` runs, on empty data."""
    with running_installation(tmp_path_factory.mktemp("installation")) as running:
        yield running


@pytest.fixture
def stage(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tour]:
    """The installation as the tour sees it, by its clock."""
    environment = installation.environment
    monkeypatch.setenv("CLOCK_FILE", environment["CLOCK_FILE"])
    running = Running(installation.url, environment, is_ours=False)
    with on_stage(running, Story(steps=0)) as stage:
        yield stage
