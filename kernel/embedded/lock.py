"""One server per folder, by locks of the kernel (`flock`): no file of a dead process counts.

Two locks, since two things may live. `lock` is held by whoever starts the server and tells
whether one runs. `server-lock` is handed down to the server's own processes: when it is held and
the first is not, a server lost its parent to a kill and is shutting down, which is worth a wait.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from kernel.embedded.errors import CannotStart

_SECONDS_FOR_AN_ORPHAN_TO_END = 10.0


@contextmanager
def sole_use(folder: Path, *, server: str) -> Iterator[int]:
    """Hold `folder`; the value is the file descriptor that the server must inherit.

    Raises:
        CannotStart: somebody else holds it.
    """
    with ExitStack() as stack:
        ours = _opened(folder / "lock", stack)
        if not _is_acquired(ours, patience=0.0):
            raise CannotStart(
                f"{server} already runs in {folder}, started by process {_holder(ours)}: "
                f"stop that one first, or use another folder."
            )
        os.ftruncate(ours, 0)
        os.pwrite(ours, str(os.getpid()).encode(), 0)
        handed_down = _opened(folder / "server-lock", stack)
        if not _is_acquired(handed_down, patience=_SECONDS_FOR_AN_ORPHAN_TO_END):
            raise CannotStart(
                f"A {server} whose parent was killed still runs in {folder} and does not end: "
                f"find it with ps and stop it (kill -INT), then start again."
            )
        yield handed_down


def _opened(path: Path, stack: ExitStack) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    stack.callback(os.close, descriptor)
    return descriptor


def _is_acquired(descriptor: int, *, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)
        else:
            return True


def _holder(descriptor: int) -> str:
    return os.pread(descriptor, 32, 0).decode() or "?"
