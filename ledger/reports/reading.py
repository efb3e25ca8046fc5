"""How reports read: one statement each, planned for the very values that are asked for."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from kernel.db import db

Made = TypeVar("Made")
Row = TypeVar("Row", bound=tuple[Any, ...])

# A plan for any month would be one for the average one; compiling costs more than it saves; and
# what a report sums of a month by store and offer must not go through a file.
_SETTINGS = """
SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true),
       set_config('work_mem', '64MB', true)
"""


def rows(sql: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run one statement of a report in the open transaction and answer its rows."""
    return read(sql, params, tuple)


def read(
    sql: str, params: Mapping[str, Any], make: Callable[[tuple[Any, ...]], Made]
) -> list[Made]:
    """Run one statement of a report in the open transaction and make something of each row.

    Rows come as psycopg's plain tuples, one by one: an object of SQLAlchemy's around each, or all
    of them kept beside what is made of them, costs a large report a quarter of its time.
    """
    connection = db.session.connection()
    connection.exec_driver_sql(_SETTINGS)
    result = connection.exec_driver_sql(sql, dict(params))
    cursor: Any = result.cursor
    made = [make(row) for row in cursor]
    result.close()
    return made


def with_ids(kind: type[Row]) -> Callable[[tuple[Any, ...]], Row]:
    """Make rows of a kind whose first two fields are ids, read as text.

    A report names the same few stores and offers thousands of times: each is made once.
    """
    ids = _Ids()
    made = tuple.__new__  # what a named tuple does, without looking at its fields again

    def make(row: tuple[Any, ...]) -> Row:
        return made(kind, (ids[row[0]], ids[row[1]], *row[2:]))

    return make


class _Ids(dict[str, UUID]):
    def __missing__(self, written: str) -> UUID:
        made = self[written] = UUID(written)
        return made
