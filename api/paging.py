"""Lists are read by keyset: a cursor says after which row to go on, and nobody can forge one."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import marshmallow
from flask import request
from marshmallow import fields

from api.fields import QueryInteger, Schema
from kernel import secrets

MOST = 200

Position = tuple[Any, ...]
T = TypeVar("T")

_MAC = 16
_LONGEST = 512
_READERS: dict[str, Callable[[Any], Any]] = {
    "": lambda plain: plain,
    "at": datetime.fromisoformat,
    "on": date.fromisoformat,
    "id": UUID,
}


class Cursor(fields.String):
    """A cursor of this very list; it loads to the position of the last row that was seen."""

    default_error_messages = {"invalid": "Not a valid cursor."}  # noqa: RUF012  marshmallow's way

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        position = _opened(super()._deserialize(value, attr, data, **kwargs))
        if position is None:
            raise self.make_error("invalid")
        return position


class Page(Schema):
    """Which part of a list. Loads to `limit` and `cursor`, a `Position` or None."""

    limit = QueryInteger(
        least=1, most=MOST, load_default=50, metadata={"description": "How many items at most."}
    )
    cursor = Cursor(
        load_default=None,
        metadata={"description": "The `next_cursor` of the page before; none for the first."},
    )


@cache
def paged(item: type[marshmallow.Schema]) -> type[marshmallow.Schema]:
    """Answer the schema of a page of these: `items` and `next_cursor`."""
    name = f"{item.__name__.removesuffix('View')}Page"
    return Schema.from_dict(
        {
            "items": fields.List(
                fields.Nested(item), required=True, metadata={"description": "In the list's order."}
            ),
            "next_cursor": fields.String(
                required=True,
                allow_none=True,
                metadata={"description": "For the next page; null on the last one."},
            ),
        },
        name=name,
    )


def page_of(
    read: Callable[[int, Position | None], Sequence[T]],
    *,
    query: Mapping[str, Any],
    position: Callable[[T], Position],
) -> dict[str, Any]:
    """Read one page and say where the next one begins.

    `read(limit, after)` answers up to `limit` rows after a position; it is asked for one more
    than the page holds, which tells whether there is a next page. `position(row)` answers the
    values that the list is ordered by: datetimes, dates, UUIDs, integers, text.
    """
    limit: int = query["limit"]
    rows = read(limit + 1, query["cursor"])
    items = list(rows[:limit])
    more = len(rows) > limit
    return {"items": items, "next_cursor": _closed(position(items[-1])) if more else None}


def _closed(position: Position) -> str:
    plain = json.dumps([_written(value) for value in position], separators=(",", ":")).encode()
    return urlsafe_b64encode(_seal_of(plain) + plain).rstrip(b"=").decode()


def _opened(cursor: str) -> Position | None:
    if len(cursor) > _LONGEST or not cursor.isascii():
        return None
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        return None
    seal, plain = raw[:_MAC], raw[_MAC:]
    if not hmac.compare_digest(seal, _seal_of(plain)):
        return None
    return tuple(_READERS[kind](value) for kind, value in json.loads(plain))


def _seal_of(plain: bytes) -> bytes:
    """Bind a cursor to its list, so that one of another list or member's path does not pass."""
    return secrets.mac("cursor", request.path.encode() + b"\0" + plain)[:_MAC]


def _written(value: Any) -> tuple[str, Any]:
    if isinstance(value, datetime):
        return "at", value.isoformat()
    if isinstance(value, date):
        return "on", value.isoformat()
    if isinstance(value, UUID):
        return "id", str(value)
    return "", value
