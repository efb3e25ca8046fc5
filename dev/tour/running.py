"""What the tour is played against: what `make up` runs here, or one that it starts itself."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev import home
from kernel.embedded import CannotStart
from kernel.embedded.child import leashed
from kernel.embedded.folders import closed

_SECONDS_TO_START = 180.0
_SECONDS_TO_STOP = 30.0
_LAST_LINES = 15


@dataclass(frozen=True, slots=True)
class Running:
    """An installation that answers, and the environment of its processes."""

    url: str
    environment: Mapping[str, str]
    is_ours: bool


@contextmanager
def installation() -> Iterator[Running]:
    """What runs in this checkout; what was started for the tour is stopped after it.

    Raises:
        CannotStart: it could not be started.
    """
    running = _found(is_ours=False)
    if running is not None:
        yield running
        return
    log = closed(home.HOME) / "tour.log"
    with log.open("wb") as output:
        up = subprocess.Popen(
            leashed([sys.executable, "-m", "dev.up"], dies_by=signal.SIGTERM),
            cwd=home.CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield _started(up, log)
    finally:
        _stop(up)


def _started(up: subprocess.Popen[bytes], log: Path) -> Running:
    deadline = time.monotonic() + _SECONDS_TO_START
    while (running := _found(is_ours=True)) is None:
        if up.poll() is not None or time.monotonic() > deadline:
            said = log.read_text(encoding="utf-8", errors="replace").splitlines()
            last = "\n".join(f"    {line}" for line in said[-_LAST_LINES:])
            raise CannotStart(f"`make up` did not start. Its last words:\n{last}")
        time.sleep(0.1)
    return running


def _found(*, is_ours: bool) -> Running | None:
    run = home.what_runs()
    return None if run is None else Running(run["url"], run["environment"], is_ours)


def _stop(up: subprocess.Popen[bytes]) -> None:
    up.terminate()
    try:
        up.wait(timeout=_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        up.kill()
        up.wait()
