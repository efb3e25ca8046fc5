"""Starting PostgreSQL's first process and waiting until it takes connections."""

import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kernel.embedded import child, ports
from kernel.embedded.binaries import PostgresPrograms
from kernel.embedded.child import Identity
from kernel.embedded.cluster import plain_environment
from kernel.embedded.errors import CannotStart, is_port_taken, why

_SECONDS_TO_START = 60.0  # a crash with much unwritten work takes its time
_TRIES_FOR_A_PORT = 5
_SYNCHRONOUS_IO_SINCE = 18


@dataclass(frozen=True, slots=True)
class Launch:
    """What a start needs to know. `lock` is the file descriptor that the server inherits."""

    folder: Path
    data: Path
    programs: PostgresPrograms
    identity: Identity
    lock: int
    settings: Mapping[str, str]

    def command(self, port: int) -> list[str]:
        settings = {**self.settings, "port": str(port)}
        if self.programs.version >= _SYNCHRONOUS_IO_SINCE:
            settings = {"io_method": "sync", **settings}  # three processes fewer
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.programs.folder / "postgres"), "-D", str(self.data), *options]


def started(launch: Launch) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server, on another port if the first is taken before the server has it.

    Raises:
        CannotStart: it ended instead of taking connections.
    """
    _remove_stale_pid(launch.data)
    for _ in range(_TRIES_FOR_A_PORT):
        port = ports.choose(launch.folder)
        process = _start(launch, port=port)
        log = _wait_until_ready(process, launch)
        if log is None:
            ports.remember(launch.folder, port=port)
            return process, port
        if not is_port_taken(log):
            raise why(server="PostgreSQL", folder=launch.data, log=log)
    raise CannotStart("Every port tried on 127.0.0.1 was taken by another program: start again.")


def _start(launch: Launch, *, port: int) -> subprocess.Popen[bytes]:
    command = child.leashed(launch.command(port), dies_by=signal.SIGINT, identity=launch.identity)
    with (launch.folder / "log").open("wb") as log:
        return child.start(
            command, log=log, environment=plain_environment(), inherits=[launch.lock]
        )


def _wait_until_ready(process: subprocess.Popen[bytes], launch: Launch) -> str | None:
    """None once the server takes connections, or its log if it ended instead."""
    deadline = time.monotonic() + _SECONDS_TO_START
    while process.poll() is None:
        if _status(launch.data, pid=process.pid) == "ready":
            return None
        if time.monotonic() > deadline:
            child.stop(process, by=((signal.SIGQUIT, 5.0),))
            break
        time.sleep(0.02)
    return (launch.folder / "log").read_text(encoding="utf-8", errors="replace")


def _status(data: Path, *, pid: int) -> str:
    """What the server writes about itself: line 1 its process, line 8 its status."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ""
    is_ours = len(lines) == 8 and lines[0] == str(pid)  # noqa: PLR2004 - see above
    return lines[7].strip() if is_ours else ""


def _remove_stale_pid(data: Path) -> None:
    """Take away what a killed server left, also when its process id is somebody else's by now.

    PostgreSQL would then refuse to start. We hold the lock which every server started by us
    keeps, so what is left to exclude is one that was started by hand: it works in the folder.
    """
    stale = data / "postmaster.pid"
    try:
        pid = stale.read_text(encoding="utf-8").partition("\n")[0].strip()
    except FileNotFoundError:
        return
    if pid.isdigit() and _works_in(data, pid=int(pid)):
        raise CannotStart(
            f"PostgreSQL already runs in {data} as process {pid}, not started from here: "
            f"stop it (kill -INT {pid}) and start again."
        )
    stale.unlink()


def _works_in(data: Path, *, pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").samefile(data)
    except OSError:  # no such process, or one of another user
        return False
