"""The tour, on a checkout of its own, beside whatever the developer runs."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev import environment
from dev.home import CHECKOUT
from kernel.embedded import ports

_NOT_COPIED = shutil.ignore_patterns(
    ".*", "__pycache__", "bench", "docs", "tests", "*.lock", "node_modules"
)
_SECONDS_TO_START = 120
_SECONDS_TO_PLAY = 240


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of this checkout in which `make up` runs."""
    folder = tmp_path_factory.mktemp("copy") / "jibei"
    shutil.copytree(CHECKOUT, folder, ignore=_NOT_COPIED)
    with (folder / "up.log").open("wb") as log:
        up = subprocess.Popen(
            [sys.executable, "-m", "dev.up"],
            cwd=folder,
            env=_plain_environment() | {"PORT": str(ports.choose(folder))},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_until_announced(folder, up)
        yield folder
    finally:
        up.send_signal(signal.SIGINT)
        up.wait(timeout=60)


def test_the_tour_finds_every_number_right_and_so_does_the_next(checkout: Path) -> None:
    for _ in range(2):
        tour = subprocess.run(
            [sys.executable, "-m", "dev.tour"],
            cwd=checkout,
            env=_plain_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS_TO_PLAY,
            check=False,
        )

        assert (tour.returncode, tour.stderr) == (0, ""), tour.stdout
        assert "Everything is as it must be" in tour.stdout


def _plain_environment() -> dict[str, str]:
    """Without what the suite or the developer has set for other processes of Jibei."""
    inherited = environment.inherited(os.environ)
    ours = ("SECRET_KEY", "SAMPLE_FILE", "CLOCK_FILE", "MESSAGE_FILE", "JIBEI_MODE")
    return {name: value for name, value in inherited.items() if name not in ours}


def _wait_until_announced(folder: Path, up: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while not (folder / ".jibei" / "run.json").exists():
        has_ended = up.poll() is not None
        assert not has_ended, (folder / "up.log").read_text(encoding="utf-8")
        assert time.monotonic() < deadline, (folder / "up.log").read_text(encoding="utf-8")
        time.sleep(0.1)
