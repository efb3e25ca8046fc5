"""Unit tests need no database, only an environment to derive keys from."""

from collections.abc import Iterator

import pytest

from kernel.config import config


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A complete environment that leads nowhere; the secret is that of the other tests."""
    for name, value in {
        "JIBEI_MODE": "development",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": "5e" * 32,
        "STRIPE_API_KEY": "sk_test_of_the_tests",
        "STRIPE_WEBHOOK_SECRET": "whsec_of_the_tests",
        "PUBLIC_ORIGIN": "http://127.0.0.1:8000",
    }.items():
        monkeypatch.setenv(name, value)
    config.cache_clear()
    yield
    config.cache_clear()
