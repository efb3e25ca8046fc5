"""The memory of everything that `make up` starts: engines, provider, web, workers, tick, runner."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from bench.figures import Figures
from bench.site import ROOT

_SETTLE_S = 5.0


def measure(figures: Figures, short: bool) -> None:
    """Start it on data of its own, let it settle, and add up.

    `stack_rss_mb` is each process's resident memory, added up: what processes share (libraries,
    PostgreSQL's buffers) counts as often as it is mapped. `stack_pss_mb` counts it once.
    """
    del short
    with _up() as runner:
        time.sleep(_SETTLE_S)
        everything = [runner, *runner.children(recursive=True)]
        figures.add("stack_processes", len(everything), "count")
        rss = sum(one.memory_info().rss for one in everything)
        figures.add("stack_rss_mb", rss / 2**20, "MB")
        pss = sum(one.memory_full_info().pss for one in everything)
        figures.add("stack_pss_mb", pss / 2**20, "MB")


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
