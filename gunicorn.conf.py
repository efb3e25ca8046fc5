"""How gunicorn serves Jibei: `gunicorn wsgi:app` reads this file.

The application answers an address over 4 KB itself, in the interface's own form; what gunicorn
must refuse, since it happens before the application is asked, is refused here.
"""

import os
import sys
from pathlib import Path
from typing import Any

from gunicorn.http.errors import LimitRequestHeaders

from kernel import config as environment  # `config` is a setting of gunicorn

_MOST_HEADER_BYTES = 8 * 1024

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))

limit_request_line = 8190  # the most that gunicorn can be given
limit_request_field_size = _MOST_HEADER_BYTES

keepalive = 5
timeout = 30
graceful_timeout = 10

# The control socket would let every local process of this user steer the server.
control_socket_disable = True
# The heartbeat is a file: on a disk, its write can stall a worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - not for data


def on_starting(_server: Any) -> None:
    """Name what is wrong with the environment once, and stop: each worker would say it anew."""
    try:
        environment.config()
    except environment.ConfigError as problem:
        print(problem, file=sys.stderr)  # noqa: T201 - there is no log before there are settings
        sys.exit(2)


def pre_request(_worker: Any, request: Any) -> None:
    """Refuse headers over 8 KB in all (431); gunicorn itself only counts each one."""
    size = sum(len(name) + len(value) + len(": \r\n") for name, value in request.headers)
    if size > _MOST_HEADER_BYTES:
        raise LimitRequestHeaders("limit request headers size")
