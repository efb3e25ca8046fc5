"""The sample chain, loaded once by hand, then written again and again as it was.

To load it takes half a second; dozens of tests begin with it.
"""

from datetime import datetime

from sqlalchemy import text

from dev import sample
from kernel.db import Base, db
from kernel.transaction import transaction

_loaded: dict[datetime, dict[str, str]] = {}


def load_sample(now: datetime) -> None:
    """Have the sample chain on an empty database, as if loaded in this minute."""
    minute = now.replace(second=0, microsecond=0)
    if minute not in _loaded:
        with transaction():
            sample.load(now=minute)
        _loaded[minute] = _taken()
        return
    rows = _loaded[minute]
    parts = (
        f'_{name} AS (INSERT INTO "{name}" SELECT * FROM'
        f' json_populate_recordset(NULL::"{name}", CAST(:{name} AS json)))'
        for name in rows
    )
    with transaction():
        db.session.execute(text(f"WITH {', '.join(parts)} SELECT"), rows)


def _taken() -> dict[str, str]:
    """All rows of all tables that have some, as JSON."""
    names = [table.name for table in Base.metadata.sorted_tables]
    asked = ", ".join(f'(SELECT json_agg(one)::text FROM "{name}" one)' for name in names)
    with transaction():
        taken = db.session.execute(text(f"SELECT {asked}")).one()
    return {name: rows for name, rows in zip(names, taken, strict=True) if rows}
