"""Whether this process lives, and whether it can do its work."""

from functools import cache
from pathlib import Path

import psycopg
from marshmallow import Schema, fields

from api.auth import anyone
from api.refusals import OutOfService
from api.routing import Resource
from kernel import hot
from kernel.errors import TryAgain, Unavailable

health = Resource("health", "", "Health: for those who look after the machines.")

_HEAD = Path(__file__).parents[1] / "migrations" / "HEAD"


class HealthView(Schema):
    """How it is."""

    status = fields.String(required=True, metadata={"description": "`ok`."})


@health.get("/live", guard=anyone, answer=HealthView, transaction="own")
def live() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@health.get("/ready", guard=anyone, answer=HealthView, transaction="own")
def ready() -> dict[str, str]:
    """Say whether the database is reachable and has the schema of this version.

    503 `unavailable` if not; its `missing` is a sentence about what is.
    """
    missing = _missing()
    if missing is not None:
        raise OutOfService(missing=missing)
    return {"status": "ok"}


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
