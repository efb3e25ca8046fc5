"""Ports on 127.0.0.1. A server keeps the one it had while that is free, so its URL stays."""

import socket
import sys
from pathlib import Path

HIGHEST = 65_535
_HOST = "127.0.0.1"
_reserved: set[int] = set()


def choose(folder: Path) -> int:
    """The port this folder's server had last time, or a free one when that is taken."""
    try:
        last = int((folder / "port").read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        last = 0
    return last if 0 < last <= HIGHEST and is_free(last) else _any_free()


def remember(folder: Path, *, port: int) -> None:
    (folder / "port").write_text(str(port), encoding="ascii")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # as the servers do; without it, connections that have just ended count as a listener
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def is_forbidden(port: int) -> bool:
    """Whether only root may listen there, as below 1024 on most machines."""
    with socket.socket() as probe:
        try:
            probe.bind((_HOST, port))
        except PermissionError:
            return True
        except OSError:
            return False
    return False


def reserve(port: int) -> bool:
    """Keep a free port for what this process is about to start; False if it is somebody's.

    Between looking and listening lie seconds, in which a second start would find it free too. So
    there is a name beside the port, which the kernel gives to one process and takes back from the
    dead, whoever it ran as. Only Linux has such names; elsewhere looking must do.
    """
    if not is_free(port):
        return False
    if port in _reserved:
        return True
    name = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    if sys.platform == "linux":
        try:
            name.bind(f"\0jibei-port-{port}")
        except OSError:
            name.close()
            return False
    _reserved.add(port)
    name.detach()  # open until this process ends
    return True


def _any_free() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
    return port
