"""Starting: what is missing or wrong is said at once, in sentences, by whatever is started."""

import os
import runpy
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import worker
from kernel.config import config

ROOT = Path(__file__).parents[3]
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


@pytest.mark.parametrize("module", [["gunicorn", "wsgi:app"], ["stream"]], ids=" ".join)
def test_a_start_names_all_that_is_missing_and_all_that_is_wrong(module: list[str]) -> None:
    environment = {"PATH": os.environ["PATH"], **WRONG}

    started = subprocess.run(
        [sys.executable, "-m", *module],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert started.returncode == 2
    assert "Traceback" not in started.stderr
    assert is_all_named(started.stderr)


# In this process, since each would load the whole house first.
@pytest.mark.parametrize(
    "start",
    [
        pytest.param(lambda: worker.main(["tick"]), id="tick"),
        pytest.param(lambda: worker.main(["events", "billing"]), id="queues"),
        pytest.param(lambda: runpy.run_path(str(ROOT / "wsgi.py")), id="another server of wsgi"),
    ],
)
def test_so_does_what_loads_the_whole_house(
    start: Callable[[], object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(worker, "tick", lambda: 0)  # else this process would become it
    monkeypatch.setattr(worker, "work", lambda *_: 0)
    for name in os.environ.keys() - {"PATH"}:
        monkeypatch.delenv(name)
    for name, wrong in WRONG.items():
        monkeypatch.setenv(name, wrong)
    config.cache_clear()
    try:
        code = start()
    except SystemExit as ended:
        code = ended.code
    finally:
        config.cache_clear()

    assert code == 2
    assert is_all_named(capsys.readouterr().err)


def is_all_named(said: str) -> bool:
    return all(f"  {name}: " in said for name in (*MISSING, *WRONG))


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
