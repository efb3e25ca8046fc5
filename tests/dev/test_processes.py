"""The Procfile and what runs it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from dev.home import CHECKOUT
from dev.processes import Processes, commands
from kernel.queue import QUEUES

_SECONDS = 10.0


def _wait_until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "it never came to pass"
        time.sleep(0.02)


def _processes(tmp_path: Path, **named: str) -> Processes:
    return Processes(named, environment=dict(os.environ), folder=tmp_path)


def test_the_procfile_has_each_queue_worked_on_once() -> None:
    procfile = commands(CHECKOUT / "Procfile")

    assert set(procfile) == {"sandbox", "web", "stream", "workers", "tick"}
    assert procfile["workers"].split() == ["python", "-OO", "worker.py", *QUEUES]


def test_comments_of_a_procfile_are_no_processes(tmp_path: Path) -> None:
    procfile = tmp_path / "Procfile"
    procfile.write_text("# notes: of no consequence\n\nweb: serve --port $PORT\n")

    assert commands(procfile) == {"web": "serve --port $PORT"}


def test_lines_are_woven_behind_the_names_of_their_processes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    processes = _processes(tmp_path, web="echo one", worker="echo two >&2")

    processes.start("web")
    processes.start("worker")

    seen = ""

    def is_woven() -> bool:
        nonlocal seen
        seen += capfd.readouterr().out
        return "web    | one\n" in seen and "worker | two\n" in seen

    _wait_until(is_woven)
    _wait_until(lambda: processes.ended() == {"web": 0, "worker": 0})


def test_what_ends_by_itself_is_seen_with_its_code_and_can_start_again(tmp_path: Path) -> None:
    processes = _processes(tmp_path, web="sh -c 'exit 3'")
    processes.start("web")
    _wait_until(lambda: processes.ended() == {"web": 3})

    processes.start("web")

    _wait_until(lambda: processes.ended() == {"web": 3})


def test_stopping_waits_for_an_orderly_end(tmp_path: Path) -> None:
    (tmp_path / "web.sh").write_text(
        "trap 'sleep 0.3; touch ended; exit' TERM; touch up; while :; do sleep 0.05; done"
    )
    processes = _processes(tmp_path, web="sh web.sh")
    processes.start("web")
    _wait_until((tmp_path / "up").exists)

    processes.stop({"web"})

    assert (tmp_path / "ended").exists()


def test_processes_end_when_their_runner_is_killed(tmp_path: Path) -> None:
    (tmp_path / "web.sh").write_text("echo $$ > up; exec sleep 60")
    script = """
import os, sys, time
from pathlib import Path
from dev.processes import Processes
runner = Processes({"web": "sh web.sh"}, environment=dict(os.environ), folder=Path(sys.argv[1]))
runner.start("web")
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script, tmp_path], cwd=CHECKOUT) as runner:
        _wait_until(lambda: (tmp_path / "up").exists() and (tmp_path / "up").read_text())
        web = psutil.Process(int((tmp_path / "up").read_text()))
        runner.send_signal(signal.SIGKILL)

    web.wait(timeout=_SECONDS)
