"""The sandbox as a process of its own, and clients that talk to it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import stripe

ROOT = Path(__file__).parents[2]
SECRET_KEY = "sk_test_of_the_suite"
PUBLISHABLE_KEY = "pk_test_of_the_suite"
WEBHOOK_SECRET = "whsec_of_the_suite"
START_SECONDS = 15


@dataclass
class Provider:
    """gunicorn with the sandbox, one folder of state, startable more than once."""

    folder: Path
    webhook_url: str = ""
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def clock_file(self) -> Path:
        return self.folder / "clock"

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "SANDBOX_DB": str(self.folder / "sandbox.sqlite3"),
            "SANDBOX_API_KEY": SECRET_KEY,
            "SANDBOX_WEBHOOK_URL": self.webhook_url,
            "SANDBOX_WEBHOOK_SECRET": WEBHOOK_SECRET if self.webhook_url else "",
            "CLOCK_FILE": str(self.clock_file),
        }

    def start(self) -> None:
        """Start on a free port and wait until it answers."""
        log = self.folder / "log"
        log.write_bytes(b"")
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                [*gunicorn(), "--bind", "127.0.0.1:0", "sandbox.wsgi:app"],
                cwd=ROOT,
                env=self.environment(),
                stdout=stream,
                stderr=stream,
            )
        until = time.monotonic() + START_SECONDS
        while (found := re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text())) is None:
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.02)
        self.port = int(found[1])
        # The port listens before the worker is up; this request waits for it.
        self.raw("GET", "/v1/customers").raise_for_status()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop master and worker: SIGINT at once, SIGKILL without a word."""
        if self._process is None:
            return
        pids = [*self.worker_pids(), self._process.pid] if how == signal.SIGKILL else []
        for pid in pids or [self._process.pid]:
            os.kill(pid, how)
        self._process.wait(timeout=START_SECONDS)
        self._process = None

    def worker_pids(self) -> list[int]:
        assert self._process is not None
        return [child.pid for child in psutil.Process(self._process.pid).children()]

    def client(self, key: str = SECRET_KEY) -> "stripe.V1Services":
        return client_of(self.url, key)

    def raw(self, method: str, path: str, *, key: str = SECRET_KEY, **sent: Any) -> httpx.Response:
        """A request as the library would never send it."""
        headers = {"Authorization": f"Bearer {key}"} | sent.pop("headers", {})
        # Plain HTTP needs no certificates, and to load them takes longer than the request.
        with httpx.Client(timeout=START_SECONDS, trust_env=False, verify=False) as client:  # noqa: S501
            return client.request(method, self.url + path, headers=headers, **sent)

    def set_faults(self, **faults: int) -> None:
        self.raw("POST", "/v1/test_helpers/faults", json=faults).raise_for_status()

    def reset_faults(self) -> None:
        self.raw("DELETE", "/v1/test_helpers/faults").raise_for_status()

    def act(self, what: str, **terms: str | int) -> dict[str, Any]:
        """Do as somebody outside through a test helper, such as `refunds/re_…/settle`."""
        answer = self.raw("POST", f"/v1/test_helpers/{what}", data=terms).raise_for_status()
        shown: dict[str, Any] = json.loads(answer.content)
        return shown

    def authenticate(self, intent_id: str, outcome: str) -> dict[str, Any]:
        """Do as the cardholder: `succeed` or `fail`."""
        kind = "setup_intents" if intent_id.startswith("seti_") else "payment_intents"
        return self.act(f"{kind}/{intent_id}/authenticate", outcome=outcome)


def client_of(url: str, key: str = SECRET_KEY) -> "stripe.V1Services":
    """The real library; only its base address is changed."""
    return stripe.StripeClient(key, base_addresses={"api": url}, max_network_retries=0).v1


def gunicorn() -> list[str]:
    return [sys.executable, "-m", "gunicorn", "--config", "sandbox/gunicorn_settings.py"]
