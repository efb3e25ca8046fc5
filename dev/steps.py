"""The steps of `make up` between the engines and the answer of the web."""

import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence

from dev.home import CHECKOUT
from dev.processes import Processes
from kernel.embedded import CannotStart, PostgresServer
from kernel.embedded.child import leashed

_SECONDS_TO_ANSWER = 60.0
_LAST_LINES = 15


def say(what: str) -> None:
    """One line of progress."""
    print(f"· {what}", flush=True)


def are_tables_current(server: PostgresServer) -> bool:
    """Whether the database says it is at the pinned head, so that migrating can be left out.

    Asked through psql, since loading the migrations takes a second of each start.
    """
    who = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGDATABASE": "jibei"}
    login = {"PGUSER": "jibei_owner", "PGPASSWORD": server.passwords["jibei_owner"]}
    said = subprocess.run(
        [server.binaries / "psql", "-XAtc", "SELECT version_num FROM alembic_version"],
        env=who | login,
        capture_output=True,
        text=True,
        check=False,
    )
    head = (CHECKOUT / "migrations" / "HEAD").read_text(encoding="utf-8")
    return said.returncode == 0 and said.stdout.split() == head.split()


def migrate(environment: Mapping[str, str]) -> None:
    """Bring the tables up to date, as the role that owns them."""
    say("tables")
    _run(["flask", "--app", "wsgi", "db", "upgrade"], environment, what="The migrations")


def load_sample(environment: Mapping[str, str]) -> str:
    """Load the sample chain unless it is there, and answer its sign-ins and what to try."""
    say("sample chain")
    return _run(["python", "-m", "dev.sample"], environment, what="The sample chain")


def wait_until_ready(processes: Processes, *, port: int) -> None:
    """Wait until the web says that it can serve.

    Raises:
        CannotStart: a process ended, or too much time went by.
    """
    say("processes")
    deadline = time.monotonic() + _SECONDS_TO_ANSWER
    while not _is_ready(port):
        for name, code in processes.ended().items():
            time.sleep(0.5)  # for its last words to be printed
            raise CannotStart(
                f"{name} ended with code {code} before the web was ready: its lines are above."
            )
        if time.monotonic() > deadline:
            raise CannotStart(
                f"The web does not say it is ready after {_SECONDS_TO_ANSWER:.0f} s: look at "
                f"its lines above."
            )
        time.sleep(0.05)


def _is_ready(port: int) -> bool:
    """Ask by hand: `http.client` would bring TLS along, and hold it in memory ever after."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /ready HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            return connection.recv(64).split(b" ")[1:2] == [b"200"]
    except OSError:
        return False


def _run(command: Sequence[str], environment: Mapping[str, str], *, what: str) -> str:
    done = subprocess.run(
        leashed(command, dies_by=signal.SIGKILL),
        env=environment,
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(f"    {line}" for line in done.stdout.splitlines()[-_LAST_LINES:])
        raise CannotStart(f"{what} failed. The last words:\n{tail}")
    return done.stdout
