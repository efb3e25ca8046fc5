"""What was written once, put back row by row: for tests that begin after the same long story.

Building a story takes a hundred statements and more, putting its rows back one.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg

from kernel.db import db

Told = TypeVar("Told")

# As a superuser in replica mode, whom neither triggers nor the order of keys stop.
_TABLES = """
    SELECT relname, (
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    )
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
    ORDER BY relname
"""


@dataclass
class Kept:
    """The stories of this worker, each with what was told of it."""

    superuser: psycopg.Connection
    empty: Callable[[], None]
    _told: dict[str, Any] = field(default_factory=dict)

    def once(self, name: str, tell: Callable[[], Told]) -> Told:
        """Tell a story, or put its rows back instead of all that is there; answer what it answers.

        Whatever else the test has is of an empty database: it goes on with the answer alone. What
        the story left in memory, as a fake provider's payments or a clock, is not put back.
        """
        if name in self._told:
            db.session.remove()
            self.empty()
            self.superuser.execute(f"SELECT pg_temp.put_back_{name}()")
        else:
            told = tell()
            self._keep(name)
            self._told[name] = told
        return deepcopy(self._told[name])  # type: ignore[no-any-return]

    def _keep(self, name: str) -> None:
        inserts = []
        for table, columns in self.superuser.execute(_TABLES).fetchall():
            kept = f'"kept_{name}_{table}"'
            made = self.superuser.execute(f'CREATE TEMP TABLE {kept} AS SELECT * FROM "{table}"')
            if made.rowcount:
                inserts.append(
                    f'INSERT INTO "{table}" ({columns}) OVERRIDING SYSTEM VALUE'
                    f" SELECT {columns} FROM pg_temp.{kept};"
                )
            else:
                self.superuser.execute(f"DROP TABLE pg_temp.{kept}")
        self.superuser.execute(
            f"CREATE FUNCTION pg_temp.put_back_{name}() RETURNS void LANGUAGE plpgsql AS"
            f" $$ BEGIN {' '.join(inserts)} END $$"
        )
