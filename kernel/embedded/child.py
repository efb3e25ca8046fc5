"""Child processes that die with their parent, see `leash.py`."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import IO


class Identity(Enum):
    """As whom a child runs; `leash.py` says what each way does."""

    SELF = "self"
    NAMESPACE = "namespace"
    NOBODY = "nobody"


_LEASH = str(Path(__file__).resolve().with_name("leash.py"))


def leashed(
    command: Sequence[str], *, dies_by: signal.Signals, identity: Identity = Identity.SELF
) -> list[str]:
    """The command line that runs `command` so that it dies with the thread that starts it.

    With the thread, not with the process: that is how the kernel counts parents. So it must be
    started from a thread that lives as long as it is wanted.
    """
    python = [sys.executable, "-I", "-S", _LEASH]
    return [*python, str(int(dies_by)), str(os.getpid()), identity.value, *command]


def start(
    command: Sequence[str],
    *,
    log: IO[bytes],
    stdin: int = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
    inherits: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that a Ctrl-C meant for the parent spares it."""
    return subprocess.Popen(  # noqa: S603 - the commands are ours
        command,
        stdin=stdin,
        stdout=log,
        stderr=log,
        env=environment,
        pass_fds=tuple(inherits),
        start_new_session=True,
    )


def stop(child: subprocess.Popen[bytes], *, by: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send each signal in turn, giving it its seconds to work, and at last SIGKILL."""
    for number, seconds in (*by, (signal.SIGKILL, None)):
        if child.poll() is not None:
            return
        child.send_signal(number)
        try:
            child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            continue
