"""Charging with the provider's own library against a bare stub: freely, and under a ceiling."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench.figures import Figures
from bench.site import ROOT, Site, wait_for_quiet

_NO_CEILING, _CEILING = 10_000, 100
_LATENCY_MS = 200
_NO_PROXY = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")


def measure(figures: Figures, at: Site, *, short: bool) -> None:
    """Two workers without latency or ceiling; then three at 200 ms under a ceiling of 100 a second.

    `renewal_limit_ratio` is the rate over the ceiling, from the first call to the last;
    `renewal_limit_most` the most calls that came within any one second.
    """
    calls, seconds = (100, 1) if short else (2_000, 20)
    if not short:
        wait_for_quiet()
    with _stub(0) as port:
        took = _charge(at, port, workers=2, each=calls, ceiling=_NO_CEILING)
        figures.add("renewal_calls_per_s", 2 * calls / took, "1/s")
    with _stub(_LATENCY_MS) as port:
        each = _CEILING * seconds // 3
        _charge(at, port, workers=3, each=each, ceiling=_CEILING)
        times = _times(port)[-3 * each :]
    rate = (len(times) - 1) / (times[-1] - times[0])
    figures.add("renewal_limit_ratio", rate / _CEILING, "of_ceiling")
    figures.add("renewal_limit_most", _most_in_a_second(times), "count")


def _charge(at: Site, port: int, *, workers: int, each: int, ceiling: int) -> float:
    """The seconds of the slowest of so many workers that begin together."""
    ours = {
        **at.environment,
        **_NO_PROXY,
        "STRIPE_API_BASE": f"http://127.0.0.1:{port}",
        "CHARGES_A_SECOND": str(ceiling),
    }
    with ExitStack() as started:
        running = [started.enter_context(_worker(ours, each)) for _ in range(workers)]
        for worker in running:
            assert worker.stdin is not None
            worker.stdin.write("\n")
            worker.stdin.flush()
        return max(_told(worker) for worker in running)


@contextmanager
def _worker(environment: dict[str, str], each: int) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "bench.charging", "1", str(each)]
    with _process(command, {**os.environ, **environment}) as worker:
        assert worker.stdout is not None
        if worker.stdout.readline() != "ready\n":
            raise RuntimeError("the worker ended before it was ready")
        yield worker


@contextmanager
def _stub(latency_ms: int) -> Iterator[int]:
    with _process([sys.executable, "-m", "bench.stub", str(latency_ms)], dict(os.environ)) as stub:
        assert stub.stdout is not None
        yield int(stub.stdout.readline())


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    running = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def _told(worker: "subprocess.Popen[str]") -> float:
    assert worker.stdout is not None
    return float(worker.stdout.readline())


def _times(port: int) -> list[float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/times", timeout=5) as answer:
        times: list[float] = json.load(answer)
    return sorted(times)


def _most_in_a_second(times: list[float]) -> int:
    most = first = 0
    for last, at in enumerate(times):
        while at - times[first] >= 1:
            first += 1
        most = max(most, last - first + 1)
    return most
