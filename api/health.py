"""Whether this process lives, and whether it can do its work."""

from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from flask import Response
from marshmallow import Schema, fields

from api.auth import anyone
from api.routing import Resource
from api.serving import written
from kernel import hot
from kernel.errors import TryAgain, Unavailable

health = Resource("health", "", "Health: for those who look after the machines.")

_HEAD = Path(__file__).parents[1] / "migrations" / "HEAD"


class HealthView(Schema):
    """How it is."""

    status = fields.String(
        required=True, metadata={"description": "`ok`, or a sentence that says what is missing."}
    )


@health.get("/live", guard=anyone, answer=HealthView, transaction="own")
def live() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@health.get("/ready", guard=anyone, answer=HealthView, transaction="own")
def ready() -> Any:
    """Say whether the database is reachable and has the schema of this version.

    503 with a sentence if not.
    """
    missing = _missing()
    return {"status": "ok"} if missing is None else _not_ready(missing)


def _not_ready(sentence: str) -> Response:
    response = written({"status": sentence}, 503)
    response.headers["Retry-After"] = "2"
    return response


def _missing() -> str | None:
    wanted = _wanted_revision()
    try:
        row = hot.read("SELECT string_agg(version_num, ', ') FROM alembic_version", {})
    except (Unavailable, TryAgain):
        return "The database cannot be reached."
    except psycopg.Error:
        row = None
    found = row[0] if row else None
    if found == wanted:
        return None
    return f"The database is at revision {found or 'nothing'}, this version needs {wanted}."


@cache
def _wanted_revision() -> str:
    return _HEAD.read_text(encoding="ascii").strip()
