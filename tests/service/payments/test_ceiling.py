"""The provider is asked at most so often, by however many workers, and not at all without Redis."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from kernel import queue
from kernel.config import config
from payments import ceiling
from payments.errors import NoAnswer
from tests.conftest import Engines

AT_ONCE = 16


@pytest.fixture
def hundred(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A ceiling of 100 calls a second."""
    monkeypatch.setenv("CHARGES_A_SECOND", "100")
    config.cache_clear()
    yield
    config.cache_clear()


@pytest.fixture
def silence(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Redis that nobody reaches."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    yield from _forgotten()


def _forgotten() -> Iterator[None]:
    caches = (config, queue.bell, ceiling._script)  # noqa: SLF001  what a process keeps for good
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def asked_at(times: int) -> list[float]:
    """Let many threads ask at once; the moments at which each might."""

    def ask(_: int) -> float:
        ceiling.wait()
        return time.monotonic()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return sorted(threads.map(ask, range(times)))


@pytest.mark.usefixtures("hundred")
def test_however_many_ask_none_is_early_and_no_second_holds_more_than_the_ceiling():
    times = asked_at(150)

    first = times[0]
    assert all(at - first > n / 100 - 0.05 for n, at in enumerate(times))
    assert max(sum(start <= at < start + 1 for at in times) for start in times) <= 100


@pytest.mark.usefixtures("hundred")
def test_the_ceiling_is_nearly_reached():
    times = asked_at(100)

    assert times[-1] - times[0] < 100 / 90 + 0.5


@pytest.mark.usefixtures("hundred")
def test_who_asks_after_a_rest_waits_for_nothing():
    ceiling.wait()
    time.sleep(0.05)
    begun = time.monotonic()

    ceiling.wait()

    assert time.monotonic() - begun < 0.05


@pytest.mark.usefixtures("silence")
def test_charges_wait_while_redis_is_silent():
    with pytest.raises(NoAnswer):
        ceiling.wait()
