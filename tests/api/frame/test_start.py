"""Starting: what is missing or wrong is said at once, in sentences, by whatever is started."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
STARTS = (
    ["-c", "import wsgi"],
    ["-m", "gunicorn", "wsgi:app"],
    ["worker.py", "tick"],
    ["worker.py", "events"],
    ["-m", "stream"],
)
MISSING = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRET",
           "PUBLIC_ORIGIN", "MESSAGE_PORT")  # fmt: skip
WRONG = {
    "DATABASE_OWNER_URL": "mysql://host/name",
    "DATABASE_POOL_SIZE": "0",
    "PORT": "http",
    "WEB_WORKERS": "two",
    "WEB_THREADS": "-1",
    "STREAM_BIND": "8001",
    "STRIPE_API_BASE": "sandbox",
}


@pytest.mark.parametrize("command", STARTS, ids=" ".join)
def test_a_start_names_all_that_is_missing_and_all_that_is_wrong(command: list[str]) -> None:
    environment = {"PATH": os.environ["PATH"], **WRONG}

    started = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert started.returncode == 2
    assert "Traceback" not in started.stderr
    for name in (*MISSING, *WRONG):
        assert f"  {name}: " in started.stderr


@pytest.mark.usefixtures("engines")  # for the environment
def test_a_stream_that_cannot_listen_says_where_in_a_sentence() -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        taken = f"127.0.0.1:{stranger.getsockname()[1]}"

        started = subprocess.run(
            [sys.executable, "-m", "stream", "--bind", taken],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    assert started.returncode == 1
    assert f"Nobody can listen at {taken}: " in started.stderr
    assert "Traceback" not in started.stderr
