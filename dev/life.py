"""How `make up` ends: once, in order, and with all that came of it."""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Collection
from types import FrameType

import psutil

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_SECONDS_TO_END = 3.0
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupt_once() -> None:
    """Let the first signal to end raise KeyboardInterrupt, and ignore those that follow.

    So an impatient second Ctrl-C does not cut short the orderly stop, which is bounded in time.
    """

    def end(_signal: int, _frame: FrameType | None) -> None:
        for ending in _ENDINGS:
            signal.signal(ending, signal.SIG_IGN)
        raise KeyboardInterrupt

    for ending in _ENDINGS:
        signal.signal(ending, end)


def adopt_orphans() -> None:
    """Become the parent of grandchildren whose parent dies, so that none is lost sight of.

    And end when `make` is killed, since it cannot pass that on.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if "MAKELEVEL" in os.environ:
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


def bury(own: Collection[int]) -> None:
    """Take note of the end of adopted processes; that of our own is for their starters to see."""
    with contextlib.suppress(ChildProcessError):
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid in own:
                return
            os.waitpid(ended.si_pid, 0)


def end_descendants() -> None:
    """End whatever is still below this process, such as the job of a worker that was killed."""
    left = psutil.Process().children(recursive=True)
    for process in left:
        _send(process, signal.SIGINT)
    _, stubborn = psutil.wait_procs(left, timeout=_SECONDS_TO_END)
    for process in stubborn:
        _send(process, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=_SECONDS_TO_END)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)
