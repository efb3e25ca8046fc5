"""Engines with the benchmark's chain, and gunicorn on them."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from alembic import command
from alembic.config import Config as Migrations

from bench.load import TILLS, key_of
from kernel import hot
from kernel.config import config
from kernel.embedded import PostgresServer, running_postgres, running_valkey

ROOT = Path(__file__).parents[1]
_SETTINGS = {
    "shared_buffers": "512MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "max_connections": "100",
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track": "top",
}
_NO_OTHERS: Mapping[str, str] = {}
_TOOK_AT = 2
"""Where a line of pgbench's log says how long its transaction took, in microseconds."""
# The limit is planned as the subject is (`kernel.hot`): else it degrades while its tables grow.
PLANS = (
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off"
    " -c enable_mergejoin=off"
)


@dataclass(frozen=True)
class Site:
    """Durable engines with `members` wallets in them."""

    postgres: PostgresServer
    environment: dict[str, str]
    members: int

    def ask(self, sql: str) -> tuple[object, ...]:
        """Ask the database one thing, as superuser."""
        url = self.postgres.url("postgres", "jibei")
        with psycopg.connect(url, autocommit=True) as connection:
            asked = connection.execute(sql)
            return (asked.fetchone() or ()) if asked.description else ()

    def run(self, script: str, **values: object) -> None:
        """Run a script of this folder as superuser, who asks no foreign keys of what it loads."""
        url = self.postgres.url("postgres", "jibei")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(script_of(script, **values))

    def pgbench(self, script: str, *, seconds: float, clients: int = 8) -> float:
        """Run one script of this folder and answer its transactions a second."""
        done = self._pgbench(script, "--client", clients, seconds=seconds)
        (line,) = [line for line in done.splitlines() if line.startswith("tps = ")]
        return float(line.split()[2])

    def pgbench_p99_ms(self, script: str, *, rate: float, seconds: float) -> float:
        """Run one script of this folder so many times a second; answer how long it took, p99.

        A transaction's time begins when it was due (pgbench's `--rate`), so waiting counts.
        """
        with tempfile.TemporaryDirectory(prefix="jibei-pgbench-") as folder:
            log = Path(folder) / "each"
            how = ("--client", 8, "--rate", rate, "--log", f"--log-prefix={log}")
            self._pgbench(script, *how, seconds=seconds)
            took_us = sorted(
                int(line.split()[_TOOK_AT])
                for file in Path(folder).iterdir()
                for line in file.read_text(encoding="ascii").splitlines()
            )
        return took_us[len(took_us) * 99 // 100] / 1000

    def _pgbench(self, script: str, *how: object, seconds: float) -> str:
        done = subprocess.run(
            [
                str(self.postgres.binaries / "pgbench"),
                "--no-vacuum",
                "--protocol=prepared",
                "--jobs=2",
                f"--time={max(1, round(seconds))}",
                f"--define=members={self.members}",
                f"--file={Path(__file__).with_name(script)}",
                *map(str, how),
                self.postgres.url("jibei_app", "jibei"),
            ],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PGOPTIONS": PLANS},
        )
        return done.stdout


@contextmanager
def site(*, members: int, settings: Mapping[str, str] = _NO_OTHERS) -> Iterator[Site]:
    """Start engines, migrate, and load the chain of `bench/chain.sql`.

    `settings` of PostgreSQL come on top of the usual ones.
    """
    with (
        tempfile.TemporaryDirectory(prefix="jibei-bench-") as folder,
        running_postgres(Path(folder) / "postgres", settings={**_SETTINGS, **settings}) as postgres,
        running_valkey(Path(folder) / "valkey") as valkey,
    ):
        environment = environment_on(postgres, redis_url=valkey.url)
        with in_environment(environment):
            migrate()
            made = Site(postgres, environment, members)
            _load(made)
            yield made


@contextmanager
def gunicorn(at: Site) -> Iterator[tuple[int, psutil.Process]]:
    """Run the web server as production does; answers its port and its master process."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-OO", "-m", "gunicorn", "wsgi:app"],
        cwd=ROOT,
        env={**os.environ, **at.environment, "PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        await_answer(f"http://127.0.0.1:{port}/ready")
        yield port, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(timeout=20)


def environment_on(postgres: PostgresServer, *, redis_url: str) -> dict[str, str]:
    """The settings of a process of Jibei on these engines."""
    return {
        "JIBEI_MODE": "production",
        "DATABASE_URL": postgres.url("jibei_app", "jibei"),
        "DATABASE_OWNER_URL": postgres.url("jibei_owner", "jibei"),
        "REDIS_URL": redis_url,
        "SECRET_KEY": "be" * 32,
        "STRIPE_API_KEY": "sk_test_of_the_bench",
        "STRIPE_WEBHOOK_SECRET": "whsec_of_the_bench",
        "PUBLIC_ORIGIN": "http://127.0.0.1:8000",
        "MESSAGE_PORT": "bench.site:send_nothing",
        "APPROVAL_FROM_CUPS": "0",
    }


@contextmanager
def in_environment(environment: dict[str, str]) -> Iterator[None]:
    """Read these settings for a while: others, of other engines, come after."""
    before = dict(os.environ)
    os.environ.update(environment)
    config.cache_clear()
    try:
        yield
    finally:
        hot.close()
        config.cache_clear()
        os.environ.clear()
        os.environ.update(before)


def migrate() -> None:
    """Bring the database of the environment to the newest revision."""
    migrations = Migrations(str(ROOT / "migrations" / "alembic.ini"))
    migrations.set_main_option("script_location", str(ROOT / "migrations"))
    command.upgrade(migrations, "head")


def wait_for_quiet() -> None:
    """Wait, for half a minute at most, until the machine does little else."""
    for _ in range(30):
        if psutil.cpu_percent(interval=1.0) < 20:
            return
    print("# the machine is busy with something else: mind the ratios, not the rates")


def _load(at: Site) -> None:
    with psycopg.connect(at.postgres.url("jibei_owner", "jibei"), autocommit=True) as connection:
        for script in ("ids.sql", "chain.sql", "members.sql"):
            connection.execute(script_of(script, first=1, last=at.members))
        for till in range(1, TILLS + 1):
            key = key_of(till)
            connection.execute(
                "UPDATE device SET public_key = %s WHERE id = %s", (key.public, key.device_id)
            )
    at.ask("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    at.ask("CHECKPOINT")


def script_of(name: str, **values: object) -> bytes:
    """A script of this folder with values for its `:names`."""
    sql = Path(__file__).with_name(name).read_text(encoding="utf-8")
    for value, is_ in values.items():
        sql = sql.replace(f":{value}", str(is_))
    return sql.encode()


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def await_answer(address: str, *, any_status: bool = False) -> None:
    """Wait until something answers there: 200, or anything at all."""
    for _ in range(150):
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310  our own
                if answer.status == 200:
                    return
        except urllib.error.HTTPError:
            if any_status:
                return
            time.sleep(0.1)
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not become ready within 15 seconds")


def send_nothing(*, to: str, text: str, dedupe_key: str) -> None:
    """The message port of a benchmark."""
