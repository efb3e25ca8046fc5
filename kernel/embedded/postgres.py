"""A PostgreSQL server of our own, from start to stop."""

import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kernel.embedded import child
from kernel.embedded.binaries import postgres_programs
from kernel.embedded.cluster import cluster
from kernel.embedded.errors import in_sentences
from kernel.embedded.folders import closed
from kernel.embedded.identity import for_postgres
from kernel.embedded.lock import sole_use
from kernel.embedded.postmaster import Launch, started

# Small, since it shares a laptop with everything else; durable, since that is what is sold.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server. Its roles are `jibei_owner`, `jibei_app`, `jibei_finance`, `postgres`."""

    port: int
    binaries: Path
    process: subprocess.Popen[bytes] = field(repr=False)
    passwords: Mapping[str, str] = field(repr=False)

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_running(self) -> bool:
        return self.process.poll() is None

    def url(self, role: str, database: str) -> str:
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{self.port}/{database}"

    def create_database(
        self,
        name: str,
        template: str | None = None,
        strategy: Literal["file_copy", "wal_log"] = "wal_log",
    ) -> None:
        """Make a database for `jibei_owner`, as a copy of `template` if one is named.

        Nobody may be connected to the template meanwhile.
        """
        # psycopg here, not above: it weighs 15 MB, and the runner of `make up` never needs it
        from kernel.embedded import databases  # noqa: PLC0415

        databases.create(
            self.url("postgres", "postgres"), name=name, template=template, strategy=strategy
        )

    def drop_database(self, name: str) -> None:
        """Drop a database and throw out whoever is connected to it; none of that name is fine."""
        from kernel.embedded import databases  # noqa: PLC0415

        databases.drop(self.url("postgres", "postgres"), name=name)


@contextmanager
def running_postgres(
    folder: Path, *, settings: Mapping[str, str] | None = None
) -> Iterator[PostgresServer]:
    """Run a server on the data in `folder`, which is made when it is not there.

    `settings` are PostgreSQL's own parameters, on top of the small and durable ones above.
    Enter this in a thread that lives as long as the server is wanted: it dies with that thread.

    Raises:
        CannotStart: with a sentence for the reader.
    """
    programs = postgres_programs()
    identity = for_postgres()
    folder = closed(folder)
    with sole_use(folder, server="PostgreSQL") as lock:
        with in_sentences(folder):
            data, passwords = cluster(folder, programs=programs, identity=identity, lock=lock)
            chosen = {**_SETTINGS, **(settings or {})}
            process, port = started(Launch(folder, data, programs, identity, lock, chosen))
        try:
            yield PostgresServer(
                port=port, binaries=programs.folder, process=process, passwords=passwords
            )
        finally:
            # INT closes connections and shuts down in order, QUIT leaves that to the next start
            child.stop(process, by=((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0)))
