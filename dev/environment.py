"""The environment that the processes of one checkout share."""

import sys
from collections.abc import Mapping
from pathlib import Path

from dev.given import Given
from dev.home import HOME, Secrets
from kernel.embedded import PostgresServer, ValkeyServer

# What a developer may have set for other work, and would change ours.
_FOREIGN = (
    *("PG", "FLASK_", "GUNICORN_", "RQ_", "SANDBOX_", "DATABASE_", "REDIS_", "STRIPE_"),
    *("TERMINAL_", "INVOICE_", "STREAM_"),
    "PYTHONDONTWRITEBYTECODE",  # six processes would compile all of our code at each start
)
_LOOPBACK = "127.0.0.1,localhost"


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """What of the developer's own environment the processes see, and settings of the machine."""
    own = {name: value for name, value in environment.items() if not name.startswith(_FOREIGN)}
    return {
        **own,
        "PATH": f"{Path(sys.prefix) / 'bin'}:{environment.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
        "FLASK_SKIP_DOTENV": "1",
        "GUNICORN_CMD_ARGS": "--log-level warning",
        "MALLOC_ARENA_MAX": "2",  # glibc keeps an arena per thread: memory for nothing
        # the sandbox is on this machine, whatever proxy leads out of it
        "NO_PROXY": _LOOPBACK,
        "no_proxy": _LOOPBACK,
    }


def of_application(taken: Given, kept: Secrets) -> dict[str, str]:
    return {
        "JIBEI_MODE": "development",
        "PORT": str(taken.port),
        "PUBLIC_ORIGIN": f"http://127.0.0.1:{taken.port}",
        "SECRET_KEY": taken.secret_key or kept.secret_key,
        # one web process is a third of the memory of two, and a developer has no queue at the door
        "WEB_WORKERS": "1",
        "WEB_THREADS": "8",
        "DATABASE_POOL_SIZE": "8",
        "CLOCK_FILE": str(HOME / "clock"),
        "MESSAGE_FILE": str(HOME / "messages.log"),
        "INVOICE_TO": f"file:{HOME / 'invoices'}",
    }


def of_stream(*, port: int) -> dict[str, str]:
    """Where the streams are served, and where followers find them."""
    return {"STREAM_BIND": f"127.0.0.1:{port}", "STREAM_ORIGIN": f"http://127.0.0.1:{port}"}


def of_database(server: PostgresServer | None, taken: Given) -> dict[str, str]:
    """Where the application's own role finds the database."""
    if server is not None:
        return {"DATABASE_URL": server.url("jibei_app", "jibei")}
    return {"DATABASE_URL": str(taken.database_url)}


def of_migrations(server: PostgresServer | None, taken: Given) -> dict[str, str]:
    """The owner's role, for what makes tables; the running processes are not given it."""
    if server is not None:
        return {"DATABASE_OWNER_URL": server.url("jibei_owner", "jibei")}
    return {"DATABASE_OWNER_URL": taken.database_owner_url or str(taken.database_url)}


def of_queue(server: ValkeyServer | None, taken: Given) -> dict[str, str]:
    return {"REDIS_URL": server.url if server is not None else str(taken.redis_url)}


def of_provider(taken: Given) -> dict[str, str]:
    """Stripe itself, or another that was given in its place."""
    given = {
        "STRIPE_API_KEY": str(taken.stripe_api_key),
        "STRIPE_API_BASE": taken.stripe_api_base or "",
        "STRIPE_WEBHOOK_SECRET": str(taken.stripe_webhook_secret),
    }
    return {name: value for name, value in given.items() if value}


def of_sandbox(kept: Secrets, *, sandbox_port: int, web_port: int) -> dict[str, str]:
    """The sandbox provider, and how the application finds it."""
    return {
        "STRIPE_API_KEY": kept.stripe_api_key,
        "STRIPE_API_BASE": f"http://127.0.0.1:{sandbox_port}",
        "STRIPE_WEBHOOK_SECRET": kept.stripe_webhook_secret,
        "TERMINAL_API_BASE": f"http://127.0.0.1:{sandbox_port}",
        "TERMINAL_API_KEY": kept.stripe_api_key,
        "SANDBOX_PORT": str(sandbox_port),
        "SANDBOX_DB": str(HOME / "sandbox" / "sandbox.sqlite3"),
        "SANDBOX_API_KEY": kept.stripe_api_key,
        "SANDBOX_WEBHOOK_URL": f"http://127.0.0.1:{web_port}/v1/webhooks/stripe",
        "SANDBOX_WEBHOOK_SECRET": kept.stripe_webhook_secret,
    }
