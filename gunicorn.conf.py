"""How gunicorn serves Jibei: `gunicorn wsgi:app` reads this file.

The application answers an address over 4 KB and headers over 8 KB itself; gunicorn's own limits
lie above, and what it must refuse before the application is asked looks the same.
"""

import gc
import json
import socket
import sys
from pathlib import Path
from typing import Any

from gunicorn import util

from kernel import config as environment  # `config` is a setting of gunicorn

try:  # once, and before all others: each worker would say anew what is wrong
    settings = environment.config()
except environment.ConfigError as problem:
    print(problem, file=sys.stderr)  # noqa: T201 - there is no log before there are settings
    sys.exit(2)

bind = f"127.0.0.1:{settings.port}"
worker_class = "gthread"
workers = settings.web_workers
threads = settings.web_threads

limit_request_line = 8190  # the most that gunicorn can be given
limit_request_field_size = 16 * 1024
forwarder_headers = ""  # else a caller could name a SCRIPT_NAME and shift our paths

keepalive = 5
timeout = 30
graceful_timeout = 10

# The control socket would let every local process of this user steer the server.
control_socket_disable = True
# The heartbeat is a file: on a disk, its write can stall a worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - not for data


def post_worker_init(_worker: Any) -> None:
    """Leave what was loaded out of every later collection: it lives as long as the process.

    A full collection looks at every object, and all threads wait: 96 ms for the code alone.
    """
    gc.collect()
    gc.freeze()


def pre_request(_worker: Any, req: Any) -> None:
    """Say at once that a connection ends on which much may be left unread.

    Of a body that is refused unread gunicorn drops 64 KB, and then the connection; the answer would
    have said that it stays, and the client's next request would go nowhere.
    """
    for name, value in req.headers:
        is_large = name == "CONTENT-LENGTH" and int(value) > _DROPPED_BYTES
        if is_large or name == "TRANSFER-ENCODING":
            req.force_close()


_DROPPED_BYTES = 64 * 1024


def _write_problem(sock: socket.socket, status: int, reason: str, message: str) -> None:
    """Answer what gunicorn itself refuses in the interface's form, instead of as a page."""
    slug = _SLUGS.get(status, "bad-request")
    problem = {
        "type": f"/problems/{slug}",
        "title": reason,
        "status": status,
        "detail": message or reason,
        "reason": slug,
    }
    body = json.dumps(problem).encode()
    head = (
        f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\n"
        f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    util.write_nonblock(sock, head.encode("latin-1") + body)


_SLUGS = {414: "address-too-long", 431: "headers-too-large"}
util.write_error = _write_problem  # gunicorn has no setting for it; its workers look it up there
