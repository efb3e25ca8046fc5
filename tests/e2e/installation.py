"""An installation of real processes, as `make up` runs them, each of which a test may kill.

Its engines, data, clock and messages are in a folder of the test. Nothing is started again by
itself: the test says when.
"""

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psycopg
from redis import Redis
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from dev import environment, steps
from dev.engines import Engine
from dev.given import given
from dev.home import CHECKOUT, Secrets
from dev.processes import commands
from kernel.embedded import PostgresServer, ValkeyServer, ports, running_postgres, running_valkey
from kernel.embedded.child import leashed
from kernel.queue import QUEUES

T = TypeVar("T")

_PATIENCE_S = 60.0
_SECONDS_TO_DRAIN = 15.0


class Installation:
    """Processes by their names in the Procfile, and `valkey`.

    And by the names of the queues: a process for each, which `staff` puts in place of `workers`.
    """

    def __init__(
        self, folder: Path, postgres: PostgresServer, valkey: Engine[ValkeyServer]
    ) -> None:
        self._folder = folder
        self._postgres = postgres
        self._valkey = valkey
        self._procfile = commands(CHECKOUT / "Procfile")
        self._commands = self._procfile | {
            queue: f"python -OO worker.py {queue}" for queue in QUEUES
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._environment = _environment(folder, postgres, valkey.server)
        self.url = self._environment["PUBLIC_ORIGIN"]

    @property
    def environment(self) -> dict[str, str]:
        """What its processes are given."""
        return dict(self._environment)

    def prepare(self) -> None:
        """Make the tables and load the sample chain."""
        owner = {"DATABASE_OWNER_URL": self._postgres.url("jibei_owner", "jibei")}
        steps.migrate(self._environment | owner)
        steps.load_sample(self._environment | owner)

    def start(self, *names: str) -> None:
        """Start processes, or start them again."""
        for name in names:
            if name == "valkey":
                assert self._valkey.start_again_if_ended()
            else:
                self._start(name)

    def start_all(self) -> None:
        self.start(*self._procfile)
        self.wait_until_ready()

    def staff(self, *names: str) -> None:
        """Let the background be worked by `workers`, or by a process for each queue."""
        for name in ({"workers", *QUEUES} - set(names)) & self._running.keys():
            self.ask_to_end(name)
            del self._running[name]
        self.start(*(name for name in names if name not in self._running))

    def wait_until_staffed(self) -> None:
        """Wait until every queue has a worker, of those processes that run now."""
        pids = {process.pid for process in self._running.values()}

        def attended() -> set[str]:
            with Redis.from_url(self._environment["REDIS_URL"]) as redis:
                workers = SimpleWorker.all(connection=redis, serializer=JSONSerializer)
            return {worker.queue_names()[0] for worker in workers if worker.pid in pids}

        wait("every queue has a worker", lambda: attended() == set(QUEUES) or None)

    def kill(self, *names: str) -> None:
        """End processes, and all that came of them, as a lost machine would: nobody is asked."""
        for name in names:
            process = self._valkey.server.process if name == "valkey" else self._running[name]
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def ask_to_end(self, name: str) -> int:
        """End a process as a deploy does; answer its exit code."""
        process = self._running[name]
        process.terminate()
        return process.wait(timeout=_SECONDS_TO_DRAIN)

    def stop_all(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(timeout=_SECONDS_TO_DRAIN)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def wait_until_ready(self) -> None:
        def ready() -> bool | None:
            try:
                return httpx.get(f"{self.url}/ready", timeout=5).status_code == 200 or None
            except httpx.HTTPError:
                return None

        wait("the web is ready", ready)

    def ask(self, question: str) -> Any:
        """Ask the database for a single value, past every rule of the application."""
        url = self._postgres.url("postgres", "jibei")
        with psycopg.connect(url, autocommit=True) as connection:
            row = connection.execute(question.encode()).fetchone()
        assert row is not None
        return row[0]

    def _start(self, name: str) -> None:
        with (self._folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                leashed(["sh", "-c", f"exec {self._commands[name]}"], dies_by=signal.SIGKILL),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                cwd=CHECKOUT,
                start_new_session=True,
            )


@contextmanager
def running_installation(folder: Path) -> Iterator[Installation]:
    """Run one, from empty folders to the end."""
    with ExitStack() as stack:
        fast = {"fsync": "off"}
        postgres = stack.enter_context(running_postgres(folder / "postgres", settings=fast))
        valkey = Engine("Valkey", partial(running_valkey, folder / "valkey"))
        stack.callback(valkey.stop)
        valkey.start()
        installation = Installation(folder, postgres, valkey)
        installation.prepare()
        stack.callback(installation.stop_all)
        installation.start_all()
        yield installation


def wait(what: str, look: Callable[[], T | None]) -> T:
    """Look again and again until there is something to see."""
    deadline = time.monotonic() + _PATIENCE_S
    while (found := look()) is None:
        assert time.monotonic() < deadline, f"never seen: {what}"
        time.sleep(0.05)
    return found


def _environment(folder: Path, postgres: PostgresServer, valkey: ValkeyServer) -> dict[str, str]:
    kept = Secrets(
        secret_key=secrets.token_hex(32),
        stripe_api_key=f"sk_test_{secrets.token_hex(16)}",
        stripe_webhook_secret=f"whsec_{secrets.token_hex(16)}",
    )
    web_port, sandbox_port = ports.choose(folder / "web"), ports.choose(folder / "sandbox")
    stream_port = ports.choose(folder / "stream")
    taken = given({"PORT": str(web_port)})
    return {
        **environment.inherited(os.environ),
        **environment.of_application(taken, kept),
        **environment.of_database(postgres, taken),
        **environment.of_queue(valkey, taken),
        **environment.of_sandbox(kept, sandbox_port=sandbox_port, web_port=web_port),
        **environment.of_stream(port=stream_port),
        # never the developer's own
        "CLOCK_FILE": str(folder / "clock"),
        "MESSAGE_FILE": str(folder / "messages.log"),
        "SAMPLE_FILE": str(folder / "sign_ins.json"),
        "SANDBOX_DB": str(folder / "sandbox.sqlite3"),
    }
