"""Ids are UUIDv7, made in Python: they sort by time and need no round trip to be known."""

from uuid import UUID

from uuid_utils import compat

NOBODY = UUID(int=0)
"""Stands where a row belongs to no member, in tables whose key starts with one."""


def new_id() -> UUID:
    """A new UUIDv7, of the plain type that psycopg can bind."""
    return compat.uuid7()
