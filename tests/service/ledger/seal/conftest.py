"""Trade that is done, and a way to break its books."""

import pytest

from tests.service.ledger.trade import Tamper, Trade, close_december, tampering, trade


@pytest.fixture
def traded(world) -> Trade:
    return trade(world)


@pytest.fixture
def closed(traded: Trade) -> Trade:
    """The same, with December closed."""
    close_december(traded.world)
    return traded


@pytest.fixture
def tamper(engines) -> Tamper:
    return tampering(engines.postgres.url("postgres", "jibei"))
