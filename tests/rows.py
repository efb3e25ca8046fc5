"""Rows that somebody else has written: of several tables at once, past the ORM.

Thousands of tests begin with some. Each value travels as JSON does, so one statement does for all
rows of the same shape, and neither SQLAlchemy nor PostgreSQL has to think about it again.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime, time
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from kernel.db import Base, db, table_of

Row = tuple[type[Base], Mapping[str, Any]]
Shape = tuple[tuple[str, tuple[str, ...]], ...]


def write(*rows: Row) -> None:
    """Write rows in the open transaction; what a row does not say is as its model has it."""
    whole = [(table_of(model).name, {**_usual(model), **said}) for model, said in rows]
    shape = tuple((name, tuple(row)) for name, row in whole)
    values = {f"row_{at}": json.dumps(row, default=_as_text) for at, (_, row) in enumerate(whole)}
    db.session.execute(_statement(shape), values)


@cache
def _statement(shape: Shape) -> TextClause:
    parts = []
    for at, (table, names) in enumerate(shape):
        columns = ", ".join(f'"{name}"' for name in names)
        parts.append(
            f'_{at} AS (INSERT INTO "{table}" ({columns}) SELECT {columns}'
            f' FROM json_populate_record(NULL::"{table}", CAST(:row_{at} AS json)))'
        )
    return text(f"WITH {', '.join(parts)} SELECT")


def _usual(model: type[Base]) -> dict[str, Any]:
    return {name: it(None) if callable(it) else it for name, it in _defaults(model)}


@cache
def _defaults(model: type[Base]) -> list[tuple[str, Any]]:
    columns = table_of(model).columns
    return [(one.name, one.default.arg) for one in columns if one.default is not None]


def _as_text(value: object) -> str:
    """How PostgreSQL reads what JSON has no word for."""
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    assert isinstance(value, UUID), value
    return str(value)
