"""A Valkey server of our own, from start to stop.

It keeps nothing over a stop: the queue is only the doorbell, the work is in PostgreSQL.
"""

import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kernel.embedded import child, ports
from kernel.embedded.binaries import valkey_program
from kernel.embedded.errors import CannotStart, in_sentences, is_port_taken, why
from kernel.embedded.folders import closed, write_closed
from kernel.embedded.lock import sole_use

_SECONDS_TO_START = 20.0
_TRIES_FOR_A_PORT = 5

_CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
save ""
appendonly no
maxmemory 64mb
maxmemory-policy noeviction
daemonize no
"""


@dataclass(frozen=True, slots=True)
class ValkeyServer:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes] = field(repr=False)
    password: str = field(repr=False)

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_running(self) -> bool:
        return self.process.poll() is None

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"


@contextmanager
def running_valkey(folder: Path) -> Iterator[ValkeyServer]:
    """Run a server whose password is in `folder`, which is made when it is not there.

    Enter this in a thread that lives as long as the server is wanted: it dies with that thread.

    Raises:
        CannotStart: with a sentence for the reader.
    """
    program = valkey_program()
    folder = closed(folder)
    with sole_use(folder, server="Valkey") as lock:
        with in_sentences(folder):
            password = _password(folder)
            process, port = _started(program, folder=folder, password=password, lock=lock)
        try:
            yield ValkeyServer(port=port, process=process, password=password)
        finally:
            child.stop(process, by=((signal.SIGTERM, 5.0),))


def _password(folder: Path) -> str:
    path = folder / "password"
    if not path.exists():
        write_closed(path, secrets.token_urlsafe(24))
    return path.read_text(encoding="utf-8")


def _started(
    program: Path, *, folder: Path, password: str, lock: int
) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server, on another port if the first is taken before the server has it."""
    for _ in range(_TRIES_FOR_A_PORT):
        port = ports.choose(folder)
        configuration = _CONFIGURATION.format(port=port, password=password, folder=folder)
        process = _start(program, configuration, folder=folder, lock=lock)
        if _wait_until_ready(process, port=port, password=password):
            ports.remember(folder, port=port)
            return process, port
        log = (folder / "log").read_text(encoding="utf-8", errors="replace")
        if not is_port_taken(log):
            raise why(server="Valkey", folder=folder, log=log)
    raise CannotStart("Every port tried on 127.0.0.1 was taken by another program: start again.")


def _start(
    program: Path, configuration: str, *, folder: Path, lock: int
) -> subprocess.Popen[bytes]:
    """Start the server with its settings on standard input, where `ps` cannot read a password."""
    command = child.leashed([str(program), "-"], dies_by=signal.SIGTERM)
    with (folder / "log").open("wb") as log:
        process = child.start(command, log=log, stdin=subprocess.PIPE, inherits=[lock])
    assert process.stdin is not None
    with process.stdin as stdin:
        stdin.write(configuration.encode())
    return process


def _wait_until_ready(process: subprocess.Popen[bytes], *, port: int, password: str) -> bool:
    deadline = time.monotonic() + _SECONDS_TO_START
    while process.poll() is None and time.monotonic() < deadline:
        if _answers(port, password):
            return True
        time.sleep(0.02)
    child.stop(process, by=((signal.SIGTERM, 5.0),))
    return False


def _answers(port: int, password: str) -> bool:
    """Whether a server that knows our password answers there; a stranger's does not."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2:  # noqa: PLR2004 - one line for each command
                received = connection.recv(64)
                if not received:
                    return False
                answer += received
    except OSError:
        return False
    return answer == b"+OK\r\n+PONG\r\n"
