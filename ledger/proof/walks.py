"""Ways through the books in parts that are small enough to be looked at in one moment each.

A part is a range of a key or a month, never a range of time: what is written meanwhile is either
in the part's snapshot whole or not in it at all, so trade goes on and nothing is found falsely.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from sqlalchemy import text

from kernel.db import db
from ledger.month import Month

Key = list[str]
"""Where a part ends, as it is kept in JSON; PostgreSQL reads each text as its column's type."""

MOST = 100
"""So many findings of a kind are kept of one part: enough to see what is wrong with it."""

_WITHIN = re.compile(r"\{within (\w+)\}")
_NEAR = re.compile(r"\{near (\w+)\}")


@dataclass(frozen=True, slots=True)
class Part:
    """What one statement looks at. `until` is where the next part begins, None at the end."""

    label: str
    rows: int
    until: Key | None
    params: Mapping[str, Any] = field(default_factory=dict)
    key: Sequence[str] = ()

    def find(self, statement: str, **more: Any) -> list[dict[str, Any]]:
        """Run a check's statement: its rows are findings, its columns their facts.

        `{within entry}` in it becomes the condition that a row of `entry` is in this part, and
        `{near line}` that a row of `line` is of the same members: the planner cannot estimate whole
        keys, and would else read the whole table for a join by them.
        """
        named = _NEAR.sub(lambda wanted: self._near(wanted.group(1)), statement)
        bounded = _WITHIN.sub(lambda wanted: self._within(wanted.group(1)), named)
        # Behind the limit's back: there is mostly nothing to find, so all of it will be read.
        limited = f"WITH found AS MATERIALIZED ({bounded}) SELECT * FROM found LIMIT {MOST}"  # noqa: S608  our own
        rows = db.session.execute(text(limited), {**self.params, **more})
        return [dict(row) for row in rows.mappings()]

    def _within(self, table: str) -> str:
        columns = ", ".join(f"{table}.{column}" for column in self.key)
        conditions = [self._near(table)]
        for bound, sign in (("after", ">"), ("until", "<=")):
            if f"{bound}_0" in self.params:
                values = ", ".join(f":{bound}_{at}" for at in range(len(self.key)))
                conditions.append(f"({columns}) {sign} ({values})")
        return " AND ".join(conditions)

    def _near(self, table: str) -> str:
        column = f"{table}.{self.key[0]}"
        after = f"{column} >= :after_0" if "after_0" in self.params else "true"
        until = f"{column} <= :until_0" if "until_0" in self.params else "true"
        return f"{after} AND {until}"


class Walk(Protocol):
    """A way through the books."""

    @property
    def name(self) -> str: ...

    def next(self, after: Key | None) -> Part | None:
        """The part that begins after a key, or the first; None where there is none."""

    def estimate(self) -> int:
        """About how many rows there are, for the progress."""


@dataclass(frozen=True, slots=True)
class KeyWalk:
    """Through a table in the order of a key that an index has, so many rows at a time.

    The first part has no lower bound and the last no upper one: what belongs to no row of the
    table is in some part too. Rows of one key are never in two parts.
    """

    name: str
    table: str
    key: tuple[str, ...]
    rows: int

    def next(self, after: Key | None) -> Part:
        columns = ", ".join(self.key)
        params = {f"after_{at}": value for at, value in enumerate(after or ())}
        since = f"WHERE ({columns}) > ({', '.join(f':{name}' for name in params)})" if after else ""
        last = db.session.execute(
            text(
                f"SELECT * FROM (SELECT {columns}, row_number() OVER (ORDER BY {columns}) AS at"  # noqa: S608  names of our own
                f" FROM {self.table} {since} ORDER BY {columns} LIMIT {self.rows}) part"
                " ORDER BY at DESC LIMIT 1"
            ),
            params,
        ).one_or_none()
        if last is None or last.at < self.rows:
            return Part(self.name, last.at if last else 0, None, params, self.key)
        until = [str(value) for value in last[:-1]]
        bounds = {f"until_{at}": value for at, value in enumerate(until)}
        return Part(self.name, self.rows, until, {**params, **bounds}, self.key)

    def estimate(self) -> int:
        known = "SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = CAST(:name AS regclass)"
        return int(db.session.scalar(text(known), {"name": self.table}) or 0)


_NEXT_MONTH = """
SELECT date_trunc('month', min(day))::date FROM (
    SELECT min(book_date) AS day FROM line WHERE book_date >= :since
    UNION ALL SELECT min(book_date) FROM rollup_day WHERE book_date >= :since
    UNION ALL SELECT min(first_on) FROM rollup_month WHERE first_on >= :since
    UNION ALL SELECT min(first_on) FROM month_balance WHERE first_on >= :since
    UNION ALL SELECT min(first_on) FROM book_month WHERE first_on >= :since
) somewhere
"""


@dataclass(frozen=True, slots=True)
class MonthWalk:
    """Through the months in which anything is booked. Parameters: `first_on`, `next_on`."""

    name: str

    def next(self, after: Key | None) -> Part | None:
        since = Month(date.fromisoformat(after[0])).next_on if after else date.min
        first_on = db.session.scalar(text(_NEXT_MONTH), {"since": since})
        return None if first_on is None else self.part(Month(first_on))

    def part(self, month: Month) -> Part:
        """One month."""
        bounds = {"first_on": month.first_on, "next_on": month.next_on}
        return Part(f"{self.name} {month}", 0, [month.first_on.isoformat()], bounds)

    def estimate(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class WholeWalk:
    """Everything at once, for sums that are small. Parameters: the months from ever to ever."""

    name: str

    def next(self, after: Key | None) -> Part | None:
        del after
        return Part(self.name, 0, None, {"first_on": date.min, "next_on": date.max})

    def estimate(self) -> int:
        return 0


LINES = KeyWalk("lines", "line", ("member_id", "book_date", "entry_id", "ordinal"), 50_000)
ENTRIES = KeyWalk("entries", "entry", ("member_id", "id"), 20_000)
SEALS = KeyWalk("seals", "seal", ("number",), 20_000)
MONTHS = MonthWalk("months")
WHOLE = WholeWalk("totals")
