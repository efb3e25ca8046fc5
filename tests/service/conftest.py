"""Trade that is done, and a way to break its books."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from kernel import clock
from kernel.config import config
from tests.service.ledger.trade import (
    Tamper,
    Trade,
    close_december,
    tampering,
    trade,
)


@pytest.fixture
def traded(world, kept) -> Trade:
    return kept.once("traded", lambda: trade(world))


@pytest.fixture
def closed(traded: Trade, kept) -> Trade:
    """The same, with December closed."""

    def close() -> Trade:
        close_december(traded.world)
        return traded

    return kept.once("closed", close)


@pytest.fixture
def tamper(engines) -> Tamper:
    return tampering(engines.postgres.url("postgres", "jibei"))


@pytest.fixture
def configured(engines, monkeypatch):
    """Set settings for one test."""

    def configure(**settings: str) -> None:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        config.cache_clear()

    yield configure
    monkeypatch.undo()
    config.cache_clear()


@pytest.fixture
def at(monkeypatch, tmp_path):
    """Set the clock to a moment in Taipei."""
    file = tmp_path / "clock"
    monkeypatch.setenv("CLOCK_FILE", str(file))

    def set_to(*moment: int) -> None:
        wanted = datetime(*moment, tzinfo=ZoneInfo("Asia/Taipei"))
        file.write_text("0\n", encoding="ascii")
        clock.advance(wanted - clock.now())

    return set_to
