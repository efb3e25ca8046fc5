"""How reports read: one statement each, planned for the very values that are asked for."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from kernel.db import db

# A plan for any month would be one for the average one; compiling costs more than it saves; and
# what a report sums of a month by store and offer must not go through a file.
_SETTINGS = """
SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true),
       set_config('work_mem', '64MB', true)
"""


def rows(sql: str, params: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
    """Run one statement of a report in the open transaction and answer its plain tuples.

    As psycopg made them: an object of SQLAlchemy's around each costs a large report a quarter of
    its time.
    """
    connection = db.session.connection()
    connection.exec_driver_sql(_SETTINGS)
    result = connection.exec_driver_sql(sql, dict(params))
    cursor: Any = result.cursor
    found: Sequence[tuple[Any, ...]] = cursor.fetchall()
    result.close()
    return found


class Ids(dict[str, UUID]):
    """Ids by their text: a report names the same few stores and offers thousands of times."""

    def __missing__(self, written: str) -> UUID:
        made = self[written] = UUID(written)
        return made
