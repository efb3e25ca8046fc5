"""The processes of the Procfile: start them, weave their output into one, stop them.

A runner of our own, since those that exist (honcho, foreman) let their processes live on when
they are killed, stop them all at once instead of in order, and keep 20 MB for each.
"""

import contextlib
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping
from itertools import cycle
from pathlib import Path

from kernel.embedded.child import leashed

_PROCESS = re.compile(r"^([a-z_]+):\s*(\S.*)$", re.MULTILINE)
_COLOURS = (36, 33, 32, 35, 34, 31)  # of ANSI terminals
_SECONDS_TO_STOP = 12.0  # gunicorn gives requests 10


def commands(procfile: Path) -> dict[str, str]:
    """The shell command of each process, by name."""
    return dict(_PROCESS.findall(procfile.read_text(encoding="utf-8")))


class Processes:
    """Running processes. Start them from the main thread: they end with it."""

    def __init__(
        self, named: Mapping[str, str], *, environment: Mapping[str, str], folder: Path
    ) -> None:
        self._commands = dict(named)
        self._environment = environment
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._say = _speakers(named)

    def start(self, name: str) -> None:
        """Start a process, or start it again."""
        process = subprocess.Popen(
            leashed(["sh", "-c", f"exec {self._commands[name]}"], dies_by=signal.SIGTERM),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment,
            cwd=self._folder,
            start_new_session=True,
        )
        self._running[name] = process
        threading.Thread(target=_relay, args=(process, self._say[name]), daemon=True).start()

    def ended(self) -> dict[str, int]:
        """Which processes have ended by themselves, and with what code."""
        codes = {name: process.poll() for name, process in self._running.items()}
        return {name: code for name, code in codes.items() if code is not None}

    def pids(self) -> set[int]:
        return {process.pid for process in self._running.values()}

    def stop(self, names: Collection[str]) -> None:
        """End these processes, all at once, and wait until each has."""
        ending = [process for name, process in self._running.items() if name in names]
        for process in ending:
            process.terminate()
        deadline = time.monotonic() + _SECONDS_TO_STOP
        for process in ending:
            try:
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _speakers(names: Collection[str]) -> dict[str, Callable[[bytes], None]]:
    """For each process, what prints a line of it: behind its name, on a terminal in its colour."""
    width = max(map(len, names))
    one_at_a_time = threading.Lock()

    def speaker(name: str, colour: int) -> Callable[[bytes], None]:
        prefix = f"{name:{width}} | "
        if sys.stdout.isatty():
            prefix = f"\033[{colour}m{prefix}\033[0m"

        def say(line: bytes) -> None:
            with one_at_a_time:
                print(prefix + line.decode("utf-8", "replace").rstrip(), flush=True)

        return say

    return {name: speaker(name, colour) for name, colour in zip(names, cycle(_COLOURS))}


def _relay(process: subprocess.Popen[bytes], say: Callable[[bytes], None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        # When nobody reads our output any more, theirs must still be drained, or they would block.
        with contextlib.suppress(OSError, ValueError):
            say(line)
    process.stdout.close()
