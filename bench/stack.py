"""The memory of everything that `make up` starts: engines, provider, web, workers, tick, runner."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from bench.figures import Figures
from bench.site import ROOT

_SETTLES_WITHIN_S = 60
_SETTLED = 0.2  # of a core, for all of them together


def measure(figures: Figures, short: bool) -> None:
    """Start it on data of its own, let it settle, and add up.

    `stack_rss_mb` is each process's resident memory, added up: what processes share (libraries,
    PostgreSQL's buffers) counts as often as it is mapped. It is what is promised (docs/adr/0049).
    `stack_pss_mb` counts each page once: so much of the machine's memory is taken.
    """
    del short
    with _up() as runner:
        _settle(runner)
        everything = [runner, *runner.children(recursive=True)]
        figures.add("stack_processes", len(everything), "count")
        rss = sum(one.memory_info().rss for one in everything)
        figures.add("stack_rss_mb", rss / 2**20, "MB")
        pss = sum(one.memory_full_info().pss for one in everything)
        figures.add("stack_pss_mb", pss / 2**20, "MB")


def _settle(runner: psutil.Process) -> None:
    """Wait until all have started: `ready` is said before workers and tick have."""
    for _ in range(_SETTLES_WITHIN_S):
        before = _cpu_s(runner)
        time.sleep(1.0)
        if abs(_cpu_s(runner) - before) < _SETTLED:
            return


def _cpu_s(runner: psutil.Process) -> float:
    spent = 0.0
    for one in [runner, *runner.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            times = one.cpu_times()
            spent += times.user + times.system
    return spent


@contextmanager
def _up() -> Iterator[psutil.Process]:
    given = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "STRIPE_API_KEY", "SECRET_KEY")
    environment = {name: value for name, value in os.environ.items() if name not in given}
    with tempfile.TemporaryDirectory(prefix="jibei-up-") as home:
        runner = subprocess.Popen(
            [sys.executable, "-m", "dev.up"],
            cwd=ROOT,
            env={**environment, "JIBEI_HOME": home},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert runner.stdout is not None
            if not any(line.startswith("ready ") for line in runner.stdout):
                raise RuntimeError("`make up` ended before it was ready")
            yield psutil.Process(runner.pid)
        finally:
            runner.send_signal(signal.SIGINT)
            runner.communicate(timeout=60)
