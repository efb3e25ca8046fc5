"""A seller with numbers, and a folder for what is sent."""

import pytest

from kernel.config import config
from tests.service.invoicing.selling import Selling, selling


@pytest.fixture
def configured(engines, monkeypatch):
    """Set settings for one test; None takes one away."""

    def configure(**settings: str | None) -> None:
        for name, value in settings.items():
            if value is None:
                monkeypatch.delenv(name)
            else:
                monkeypatch.setenv(name, value)
        config.cache_clear()

    yield configure
    monkeypatch.undo()
    config.cache_clear()


@pytest.fixture
def sold(world, configured, tmp_path) -> Selling:
    """Store A has the numbers AB00000000 to AB00000099 for January and February 2026."""
    configured(INVOICE_TO=f"file:{tmp_path}/invoices")
    made = selling(world, tmp_path / "invoices")
    made.add_range()
    return made
