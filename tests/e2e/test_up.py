"""`make up` as a whole: what is killed comes back, what is given is used, Ctrl-C leaves nothing."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from dev.home import CHECKOUT
from dev.processes import commands
from tests.e2e.installation import Installation, wait

pytestmark = pytest.mark.faults

_READY = re.compile(r"^ready (http://127\.0\.0\.1:\d+)$", re.MULTILINE)
_SECONDS_TO_START = 180
_SECONDS_TO_END = 40
_GIVEN = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "STRIPE_API_KEY", "STRIPE_API_BASE",
          "STRIPE_WEBHOOK_SECRET", "SECRET_KEY")  # fmt: skip


class Up:
    """One that runs: its process, what it prints, and its address."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log
        self.url = self._await_ready()
        self.all = {one.pid: one for one in psutil.Process(process.pid).children(recursive=True)}

    def said(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def running(self, *words: str) -> list[psutil.Process]:
        """Those of its processes whose command has all these words."""
        found = []
        for one in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # it is just ending
                if all(word in " ".join(one.cmdline()) for word in words):
                    found.append(one)
        return found

    def interrupt(self) -> int:
        """Press Ctrl-C, and answer the exit code."""
        self.all |= {
            one.pid: one for one in psutil.Process(self.process.pid).children(recursive=True)
        }
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=_SECONDS_TO_END)

    def _await_ready(self) -> str:
        deadline = time.monotonic() + _SECONDS_TO_START
        while (found := _READY.search(self.said())) is None:
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)
        return found[1]


@contextmanager
def up(folder: Path, **given: str) -> Iterator[Up]:
    """Run it on data in this folder."""
    own = {name: value for name, value in os.environ.items() if name not in (*_GIVEN, "PORT")}
    log = folder.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dev.up"],
            cwd=CHECKOUT,
            env={**own, **given, "JIBEI_HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Up(process, log)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=_SECONDS_TO_END)


def test_what_is_killed_comes_back_and_ctrl_c_leaves_no_process_and_all_data(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    with up(home) as first:
        stores = httpx.get(f"{first.url}/v1/stores").json()
        assert len(stores["items"]) >= 3
        for name, words in (
            ("PostgreSQL", ("postgres", "-D")),
            ("Valkey", ("valkey-server",)),
            ("web", ("gunicorn wsgi:app",)),
            ("workers", ("worker.py", "events")),
            ("tick", ("kernel.tick",)),
        ):
            found = wait(name, lambda words=words: first.running(*words) or None)
            min(found, key=psutil.Process.create_time).kill()
            again = re.compile(rf"{name} had ended .*started again")
            wait(f"{name} is started again", lambda again=again: again.search(first.said()))
        wait("it answers again", lambda: _ready(first.url) or None)

        code = first.interrupt()

    left = [one for one in first.all.values() if one.is_running()]
    assert (code, left) == (0, [])
    with up(home) as second:
        assert httpx.get(f"{second.url}/v1/stores").json() == stores
        assert "tables" not in second.said()


def test_what_is_given_is_used_and_has_no_twin_beside_one_that_has_its_own(
    installation: Installation, tmp_path: Path
) -> None:
    given = {
        name: installation.environment[name] for name in _GIVEN if name in installation.environment
    }
    installation.kill(*(commands(CHECKOUT / "Procfile").keys() - {"sandbox"}))

    with up(tmp_path / "home", **given) as here:
        assert _ready(here.url)
        twins = [
            one
            for words in (("postgres", "-D"), ("valkey-server",), ("sandbox.wsgi",))
            for one in here.running(*words)
        ]
        assert twins == []
        assert not (tmp_path / "home" / "postgres").exists()
        with up(tmp_path / "other") as beside:
            assert _ready(beside.url)
            assert _ready(here.url)
            again = subprocess.run(
                [sys.executable, "-m", "dev.up"],
                cwd=CHECKOUT,
                env={**os.environ, "JIBEI_HOME": str(tmp_path / "other")},
                capture_output=True,
                text=True,
                check=False,
            )
        assert again.returncode == 1
        assert f"Jibei already runs in this checkout at {beside.url}: stop" in again.stderr
        code = here.interrupt()

    assert code == 0


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ready", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
