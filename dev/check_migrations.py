"""`upgrade` on an empty database, then `check` that the models say nothing the tables do not.

Run by `make check` on a PostgreSQL of its own.
"""

import os
import secrets
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from dev.home import CHECKOUT
from kernel.embedded import CannotStart, PostgresServer, running_postgres


def main() -> int:
    """The exit code is that of the first step that failed."""
    try:
        with TemporaryDirectory() as folder, running_postgres(Path(folder)) as server:
            environment = _environment(server)
            return _flask_db("upgrade", environment) or _flask_db("check", environment)
    except CannotStart as problem:
        sys.stderr.write(f"{problem}\n")
        return 1


def _flask_db(verb: str, environment: dict[str, str]) -> int:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "db", verb]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
    )
    print(f"migrations {verb}: {'passed' if done.returncode == 0 else 'failed'}")
    if done.returncode != 0:
        sys.stderr.write(done.stdout + done.stderr)
    return done.returncode


def _environment(server: PostgresServer) -> dict[str, str]:
    """Just enough for the application to be made: no other server is asked."""
    return {
        **os.environ,
        "JIBEI_MODE": "development",
        "DATABASE_URL": server.url("jibei_app", "jibei"),
        "DATABASE_OWNER_URL": server.url("jibei_owner", "jibei"),
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "STRIPE_API_KEY": "sk_test_none",
        "STRIPE_WEBHOOK_SECRET": "whsec_none",
        "SECRET_KEY": secrets.token_hex(32),
        "PUBLIC_ORIGIN": "http://127.0.0.1",
        "FLASK_SKIP_DOTENV": "1",
    }


if __name__ == "__main__":
    sys.exit(main())
